import { isUtf8 } from 'node:buffer'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { JsonObject, JsonValue } from '../../model/json.ts'
import { journalJson } from '../source/decoders/journal-export.ts'
import { exported } from '../source/journald/journal.fixture.ts'
import { compileSchema } from './compile.ts'

const schema = compileSchema(
  {
    schema: 'Custom.Journal',
    parser: { native: { name: 'journal' } },
    fields: [
      { name: 'MESSAGE', type: 'string' },
      { name: 'PRIORITY', type: 'smallint' },
      { name: 'SYSLOG_PID', type: 'bigint' },
    ],
  },
  { file: 'journal.yml' },
)
const meta = { rowId: 'r', parseTime: '2024-04-19T12:00:00Z', receivedMs: 0, sourceId: 's', sourceLabel: 'S' }

/** The event without its standard fields. */
function event(raw: JsonObject): object {
  const outcome = schema.normalise(raw, meta)
  if (outcome.kind !== 'ok') throw new Error(JSON.stringify(outcome))
  return Object.fromEntries(Object.entries(outcome.value).filter(([name, value]) => !name.startsWith('p_') && value != null))
}

/** A value as journalctl writes it: as text only if it is UTF-8 that can be printed. */
function written(value: Buffer): JsonValue {
  const isPrintable = isUtf8(value) && value.every((byte) => byte === 0x09 || byte === 0x0a || (byte >= 0x20 && byte !== 0x7f))
  return isPrintable ? value.toString() : [...value]
}

/** An entry as `journalctl --output=json` writes it. */
function asJson(fields: readonly (readonly [string, Buffer])[]): JsonObject {
  const names = [...new Set(fields.map(([name]) => name))]
  const valuesOf = (name: string) => fields.filter(([other]) => other === name).map(([, value]) => written(value))
  return Object.fromEntries(names.map((name) => [name, valuesOf(name).length > 1 ? valuesOf(name) : valuesOf(name)[0]!]))
}

test('an entry is the same event from JSON as from the export format', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 12 }).map((some) => Buffer.from(some)),
    fc.string({ unit: 'grapheme' }).map((text) => Buffer.from(text)),
    fc.bigInt({ min: -(2n ** 65n), max: 2n ** 65n }).map((number) => Buffer.from(String(number))),
    fc.integer({ min: -1, max: 40_000 }).map((number) => Buffer.from(String(number))),
  )
  const field = fc.tuple(fc.constantFrom('MESSAGE', 'PRIORITY', 'SYSLOG_PID', 'TAG', '_COMM'), bytes)
  fc.assert(
    fc.property(fc.array(field, { minLength: 1, maxLength: 8 }), (fields) => {
      expect(event(asJson(fields))).toEqual(event(JSON.parse(journalJson(exported(fields))) as JsonObject))
    }),
    { seed: 7 },
  )
})

test.each<[string, JsonObject, object]>([
  ['a value that is no number', { PRIORITY: 'high', SYSLOG_PID: '7' }, { SYSLOG_PID: 7, INVALID: { PRIORITY: 'high' } }],
  ['a number beyond the type', { PRIORITY: '32768' }, { INVALID: { PRIORITY: '32768' } }],
  ['a field that was too long for JSON', { MESSAGE: null, PRIORITY: '3' }, { PRIORITY: 3 }],
  [
    'several values, one of which was too long',
    { MESSAGE: [null, 'b', [255]] },
    { MESSAGE: 'b', REPEATED: { MESSAGE: ['b', '\\xff'] } },
  ],
  ['one value beside one that was too long', { MESSAGE: ['a', null] }, { MESSAGE: 'a' }],
  ['all values too long', { MESSAGE: [null, null] }, {}],
  ['a list of numbers that a shipper added', { MESSAGE: 'a', ports: [22, 80] }, { MESSAGE: 'a', ports: [22, 80] }],
  ['numbers that are no bytes', { MESSAGE: 'a', SIZES: [256, 1] }, { MESSAGE: 'a', SIZES: [256, 1] }],
  ['the name of a prototype', { __proto__: null, constructor: [65] } as JsonObject, { constructor: [65] }],
])('%s', (_, raw, expected) => {
  const before = structuredClone(raw)
  expect(event(raw)).toEqual(expected)
  expect(raw).toEqual(before)
})

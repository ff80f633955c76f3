import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Event } from '../src/model/event.ts'
import type { JsonObject, JsonValue } from '../src/model/json.ts'
import { DEAD_LETTER_REASONS } from '../src/model/outcome.ts'
import type { ReplayCursor } from '../src/model/replay.ts'
import { eventsPage, eventsSql } from '../src/pipeline/rejudge/stored-events.ts'
import { eventTable } from '../src/pipeline/rows.ts'
import { compileSchema } from '../src/stages/normalise/compile.ts'
import { createParser } from '../src/stages/parse/step.ts'
import { createChdbLake } from '../src/stages/store/chdb.ts'
import type { Lake } from '../src/stages/store/lake.ts'
import { RowWriter } from '../src/stages/store/row-writer.ts'
import { blocksOf } from '../src/util/block/encode.ts'
import { parseJson, stringifyJson } from '../src/util/json.ts'

/** Hostile events per run, sent through parsing, the lake and a query. */
const EVENTS = 10_000

const schema = compileSchema(
  {
    schema: 'Custom.Fidelity',
    fields: [
      { name: 'n', type: 'bigint', required: true },
      { name: 'text', type: 'string' },
      { name: 'host.name', type: 'string' },
      { name: 'small', type: 'smallint' },
      { name: 'int', type: 'int' },
      { name: 'big', type: 'bigint' },
      { name: 'count', type: 'ubigint' },
      { name: 'float', type: 'float' },
      { name: 'flag', type: 'boolean' },
      { name: 'time', type: 'timestamp', timeFormats: ['rfc3339', 'unix'], isEventTime: true },
      { name: 'any', type: 'json' },
      { name: 'list', type: 'array', element: { type: 'string' } },
      {
        name: 'object',
        type: 'object',
        fields: [
          { name: 'a', type: 'string' },
          { name: 'b', type: 'bigint' },
        ],
      },
      { name: 'ip', type: 'string', indicators: ['ip'] },
    ],
  },
  { file: 'fidelity.yml' },
)

/** JSON texts, in order to include numbers and escapes that JavaScript values cannot represent. */
const hostileText = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 20 }).map((s) => JSON.stringify(s)),
  fc.string({ unit: 'binary', maxLength: 12 }).map((s) => JSON.stringify(s)),
  fc.constantFrom(
    '"\\ud800"',
    '"x\\udfffy"',
    '"\\u0000nul"',
    '"2024-01-02 03:04:05"',
    '"2024-01-02T03:04:05.123456789Z"',
    '"1e5"',
    '"\\n\\t\\\\"',
    '"{\\"a\\":1}"',
    '"NULL"',
    '"\\\\N"',
    '""',
    '" "',
    '"\\u2028"',
    '"\\ufeffbom"',
    '"null"',
    '"inf"',
  ),
)
const hostileNumber = fc.oneof(
  fc.integer().map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => JSON.stringify(n)),
  fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }).map(String),
  fc.constantFrom(
    '9223372036854775807',
    '-9223372036854775808',
    '9223372036854775808',
    '18446744073709551615',
    '1e400',
    '-1e-400',
    '5e-324',
    '1.7976931348623157e308',
    '-0',
    '0.1',
    '1.0',
    '70000',
    '-32769',
    '1E2',
    '123456789012345678901234567890',
  ),
)
const hostileKey = fc.oneof(
  fc.constantFrom(
    'a.b',
    'host.name',
    '__proto__',
    'constructor',
    'p_log_type',
    'p_enrichment',
    'extra',
    '',
    'N',
    'TEXT',
    'a b',
    'toString',
    'ключ',
    'x\u0000y',
    'hasOwnProperty',
  ),
  fc.string({ maxLength: 8 }),
)
const { value: hostile } = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, depthSize: 'small' },
    hostileText,
    hostileNumber,
    fc.constantFrom('null', 'true', 'false', '{}', '[]'),
    fc.array(tie('value'), { maxLength: 4 }).map((items) => `[${items.join(',')}]`),
    fc.array(fc.tuple(hostileKey, tie('value')), { maxLength: 4 }).map(objectText),
  ),
}))
const within = (low: number, high: number) =>
  fc.oneof(fc.integer({ min: low, max: high }), fc.constantFrom(low, high)).map(String)
const fitting: Record<string, fc.Arbitrary<string>> = {
  text: hostileText,
  'host.name': hostileText,
  small: within(-32_768, 32_767),
  int: within(-2_147_483_648, 2_147_483_647),
  big: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
  count: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String),
  float: hostileNumber.filter((n) => Number.isFinite(Number(n))),
  flag: fc.constantFrom('true', 'false', '"true"'),
  time: fc.oneof(
    fc.integer({ min: 0, max: 4_000_000_000 }).map(String),
    fc.constantFrom('"2024-01-02T03:04:05.123456789Z"', '1521911720.600725'),
  ),
  any: hostile,
  list: fc.array(hostileText, { maxLength: 3 }).map((items) => `[${items.join(',')}]`),
  object: fc.tuple(hostileText, within(-9, 9)).map(([a, b]) => `{"a":${a},"b":${b},"c d":{"x.y":null}}`),
  ip: fc.constantFrom('"192.0.2.1"', '"::1"', '"2001:DB8::0"', '"no address"'),
}
const known = fc
  .constantFrom(...Object.keys(fitting))
  .chain((key) => fc.tuple(fc.constant(key), fc.oneof({ weight: 15, arbitrary: fitting[key]! }, hostile)))
const hostileEvent = fc.array(fc.oneof({ weight: 2, arbitrary: known }, fc.tuple(hostileKey, hostile)), { maxLength: 9 })

function objectText(members: readonly (readonly [string, string])[]): string {
  return `{${members.map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(',')}}`
}

let lake: Lake
const folder = mkdtempSync(join(tmpdir(), 'caracal-fidelity-'))
beforeAll(async () => {
  lake = await createChdbLake({ dataDir: folder, max_rows: EVENTS })
})
afterAll(async () => {
  await lake.close()
  rmSync(folder, { recursive: true, force: true })
})

test('a query returns the original event, or the record is a dead letter with a reason', { timeout: 300_000 }, async () => {
  const members = fc.sample(hostileEvent, { seed: 42, numRuns: EVENTS })
  // Members that often have the right type, so that most events are stored.
  const texts = members.map((list, n) =>
    objectText([...list.filter(([key], i) => key !== 'n' && list.findIndex(([k]) => k === key) === i), ['n', String(n)]]),
  )
  const parser = createParser({ maxRecordBytes: 1024 * 1024, maxDepth: 100 })
  const source = { id: 'test', label: 'test', schemas: [schema], isNamed: true, logType: schema.name }
  const bytes = Buffer.from(`${texts.join('\n')}\n`)
  const chunk = { bytes, place: '0123456789abcdef', offset: 0, context: '', final: true, faults: [] } as const
  const parsed = parser.parse(chunk, source, Date.UTC(2026, 0, 1))
  const events = parsed.groups.flatMap((group) => group.events)
  expect(parsed.received).toBe(EVENTS)
  expect(events.length + parsed.deadLetters.length).toBe(EVENTS)
  expect(events.length).toBeGreaterThan(EVENTS / 2)
  for (const { reason, message } of parsed.deadLetters) {
    expect(DEAD_LETTER_REASONS).toContain(reason)
    expect(['wrong_type', 'invalid_time', 'too_deep']).toContain(reason)
    expect(message.length).toBeGreaterThan(10)
  }
  const table = eventTable(schema)
  await lake.ensure(table)
  const blocks = blocksOf(events, (some, out) => schema.encode(some, out, {})).map((block) => block.rows)
  expect(await new RowWriter(folder, lake).insert(table, blocks, 'fidelity')).toEqual([])
  const columns = table.columns.map(({ name }) => `\`${name}\``).join(', ')
  const answer = await lake.query(`SELECT ${columns} FROM logs.${table.table} ORDER BY n`, { maxRows: EVENTS })
  expect(answer.rows.length).toBe(events.length)
  for (const [i, row] of answer.rows.entries()) {
    const given = rebuilt(exact(row) as JsonValue[])
    expect(canonical(given), texts[i]).toBe(canonical(events[i]!))
  }
  const byRowId = new Map(events.map((event) => [event.p_row_id, event]))
  const replayed = await replayedEvents()
  expect(replayed.length).toBe(events.length)
  for (const event of replayed) expect(canonical(event)).toBe(canonical(byRowId.get(event.p_row_id)!))
  expect(new Set(replayed.map(({ p_row_id }) => p_row_id)).size).toBe(events.length)
})

/** Every stored event as a replay reads it, page by page. */
async function replayedEvents(): Promise<Event[]> {
  const range = { fromMs: 0, toMs: 5e12, by: 'event' } as const
  const all: Event[] = []
  let after: ReplayCursor['after']
  for (;;) {
    const { rows } = await lake.query(eventsSql(schema, range, after, 997))
    if (rows.length === 0) return all
    const { chunks, parser, next } = eventsPage('r', schema, rows, 0)
    const source = { id: 's', label: 's', schemas: [], isNamed: false, logType: undefined }
    all.push(...parser.parse(chunks[0]!, source, 0).groups.flatMap((group) => group.events))
    after = next.after
  }
}

function exact(text: string): JsonValue {
  const result = parseJson(text, { maxDepth: 300 })
  if (result.kind !== 'ok') throw new Error(`${result.message}: ${text.slice(0, 200)}`)
  return result.value
}

/** The original event of a row: nested values parsed from their JSON text, `extra` merged in again. */
function rebuilt(row: readonly JsonValue[]): JsonObject {
  const event: JsonObject = {}
  for (const [i, { name, kind }] of schema.columns.entries()) {
    const value = row[i]
    if (value === null || value === undefined || (Array.isArray(value) && value.length === 0)) continue
    const full = kind === 'json' ? exact(value as string) : value
    if (name === 'extra')
      for (const [key, inner] of Object.entries(full as JsonObject))
        Object.defineProperty(event, key, { value: inner, enumerable: true })
    else event[name] = full
  }
  return event
}

/** One text for equal values, whatever the order of their keys. */
function canonical(value: JsonObject | Event): string {
  const members = Object.entries(value).filter(([, inner]) => inner !== undefined)
  return members
    .map(([key, inner]) => `${JSON.stringify(key)}:${stringifyJson(inner!)}`)
    .sort()
    .join('\n')
}

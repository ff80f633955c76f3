import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parse as parseYaml } from 'yaml'
import { INDICATOR_FIELDS } from '../../model/event.ts'
import type { JsonObject, JsonValue } from '../../model/json.ts'
import type { Outcome } from '../../model/outcome.ts'
import { compileSchema } from './compile.ts'
import { type FieldSpec, readSchemaDocument, type SchemaSpec } from './document.ts'
import { extractors, type IndicatorName, Indicators } from './indicators.ts'
import { Misfit, missingField, valueReader } from './values.ts'
import { unfoldZeek, ZEEK_COMMON_FIELDS, zeekName, zeekPrefixes, zeekSpellings } from './zeek-names.ts'

/** What the generated code does, step by step and without regard to speed. */

const meta = {
  rowId: 'r1',
  parseTime: '2024-04-19T12:00:00Z',
  receivedMs: Date.UTC(2024, 3, 19, 12),
  sourceId: 's',
  sourceLabel: 'S',
}

const schemas = {
  own: `
schema: Custom.Test
fields:
  - {name: time, type: timestamp, timeFormats: [unix, rfc3339], isEventTime: true}
  - {name: later, type: timestamp, timeFormats: ['%Y-%m-%d %H:%M:%S'], isEventTime: true}
  - {name: text, type: string, required: true}
  - {name: small, type: smallint}
  - {name: number, type: int}
  - {name: big, type: bigint}
  - {name: count, type: ubigint}
  - {name: ratio, type: float}
  - {name: flag, type: boolean}
  - {name: kind, type: string, validate: {allow: [a, '1', '192.0.2.1']}}
  - {name: host, type: string, indicators: [hostname, username]}
  - {name: ip, type: string, indicators: [ip]}
  - {name: renamed, type: string, rename: {from: old}, indicators: [ip]}
  - {name: hosts, type: array, element: {type: string, indicators: [hostname]}}
  - name: user
    type: object
    fields:
      - {name: name, type: string, required: true, indicators: [username]}
      - {name: age, type: int}
      - {name: seen, type: timestamp, timeFormats: [unix], isEventTime: true}
  - {name: inner, type: object, isEmbeddedJSON: true, required: true, fields: [{name: ip, type: string, indicators: [ip]}]}
  - {name: any, type: json}
`,
  zeek: `
schema: Zeek.Test
parser: {native: {name: zeek}}
fields:
  - {name: ts, type: timestamp, timeFormats: [unix, rfc3339, unix_ms], isEventTime: true}
  - {name: uid, type: string}
  - {name: id_orig_h, type: string, indicators: [ip]}
  - {name: id_resp_h, type: string, indicators: [ip]}
  - {name: orig_bytes, type: ubigint}
  - {name: tags, type: array, element: {type: string, indicators: [ip]}}
`,
}

const KEYS = {
  own: 'time later text small number big count ratio flag kind host ip renamed old hosts user inner any more p_row_id extra __proto__ constructor',
  zeek: 'ts uid id_orig_h id.orig_h id_resp_h id.resp_h id orig_bytes orig.bytes tags _path @stream _write_ts more.less p_row_id',
}

const scalar = fc.oneof(
  fc.constantFrom<JsonValue | undefined>(
    null,
    undefined,
    true,
    false,
    '',
    ' ',
    '-',
    'a',
    '1',
    ' 42 ',
    'true',
    '1.5',
    '{}',
    '{"ip":"192.0.2.7"}',
  ),
  fc.constantFrom<JsonValue>(
    '192.0.2.1',
    ' 192.0.2.2',
    '2001:db8::1',
    'host.example',
    '2024-04-19T10:00:00.5Z',
    '2024-04-19 10:00:00',
  ),
  fc.constantFrom<JsonValue>(
    0,
    -1,
    1.5,
    32_768,
    2 ** 31,
    2 ** 53,
    2n ** 53n,
    2n ** 64n,
    1_713_520_800,
    1_713_520_800.123457,
    1_713_520_800.12,
  ),
  fc.integer({ min: 0, max: 2e9 }),
  fc.double({ min: 0, max: 2e9, noNaN: true }),
  fc.integer({ min: 0, max: 2e9 * 1e3 }).map((n) => n / 1e3),
  fc.integer({ min: 0, max: 2e9 * 1e6 }).map((n) => n / 1e6),
)
const value = fc.oneof(
  { weight: 4, arbitrary: scalar },
  fc.array(
    scalar.map((v) => v ?? null),
    { maxLength: 20 },
  ),
  fc.dictionary(fc.constantFrom('name', 'age', 'seen', 'ip', 'orig_h', 'resp_h', 'x'), scalar, { maxKeys: 4 }),
)
/** Mostly complete, so that many records become events. */
const record = (keys: string, base: JsonObject) =>
  fc
    .uniqueArray(fc.tuple(fc.constantFrom(...keys.split(' ')), value), { selector: ([key]) => key, maxLength: 8 })
    .map((entries) => Object.fromEntries([...Object.entries(base), ...entries]) as JsonObject)

test.each([
  ['own', { text: 'x', inner: {} }],
  ['zeek', { ts: 1_713_520_800.25 }],
] as const)('generated code does what the plain steps do (%s)', (name, base) => {
  const document = parseYaml(schemas[name]) as unknown
  const spec = readSchemaDocument(document, { file: 'f' })
  // What one record leaves behind must not change the next, so one compiled schema reads them all.
  const schema = compileSchema(document, { file: 'f' })
  let events = 0
  fc.assert(
    fc.property(fc.array(record(KEYS[name], base), { minLength: 1, maxLength: 4 }), (records) => {
      for (const raw of records) {
        const found = schema.normalise(raw, meta)
        if (found.kind === 'ok') events++
        expect(listed(found)).toEqual(listed(plain(spec, raw)))
      }
    }),
    { seed: 4848, numRuns: 1500 },
  )
  expect(events).toBeGreaterThan(500)
})

/** With the order of keys, keys that hold `undefined`, and BigInt. */
function listed(outcome: Outcome<JsonObject>): unknown {
  return outcome.kind === 'ok' ? Object.entries(outcome.value) : outcome
}

function plain(spec: SchemaSpec, record: JsonObject): Outcome<JsonObject> {
  const isZeek = spec.native === 'zeek'
  const fields = isZeek ? [...spec.fields, ...ZEEK_COMMON_FIELDS] : spec.fields
  const raw = isZeek ? unfoldZeek(record, zeekPrefixes(fields.map(({ name }) => name))) : record
  const { values, unknown } = assigned(fields, raw, isZeek)
  const into = new Indicators()
  const event: JsonObject = {}
  for (const field of fields) {
    const given = values.get(field.name)
    const read = given === undefined ? undefined : valueReader(field, undefined)(given, field.name, into, meta.receivedMs)
    if (read instanceof Misfit) return read.outcome
    if (read === undefined && field.required) return missingField(field.name, spec.name).outcome
    event[field.name] = read
  }
  const own = fields.flatMap((field) => timesOf(field, event[field.name])).find((time) => time !== undefined)
  const isTrusted = own !== undefined && own >= '1970' && Date.parse(own) <= meta.receivedMs + 300_000
  event['p_log_type'] = spec.name
  event['p_row_id'] = meta.rowId
  event['p_event_time'] = isTrusted ? own : meta.parseTime
  event['p_parse_time'] = meta.parseTime
  event['p_source_id'] = meta.sourceId
  event['p_source_label'] = meta.sourceLabel
  event['p_schema_version'] = spec.version
  event['p_event_time_corrected'] = own !== undefined && !isTrusted ? true : undefined
  const filled = indicatorsOf(fields).flatMap((name) => extractors[name].fills as readonly string[])
  for (const field of INDICATOR_FIELDS) if (filled.includes(field)) event[field] = into[field].list
  event['p_enrichment'] = undefined
  for (const [wanted, given] of unknown) {
    let name = wanted
    for (let n = 2; Object.hasOwn(event, name); n++) name = `${wanted}_${n}`
    Object.defineProperty(event, name, { value: given, enumerable: true, configurable: true, writable: true })
  }
  return { kind: 'ok', value: event }
}

/** Which value each field gets: the first that is there in the order of the record. */
function assigned(fields: readonly FieldSpec[], raw: JsonObject, isZeek: boolean) {
  const values = new Map<string, JsonValue>()
  const unknown: [name: string, value: JsonValue][] = []
  const taken = new Set<string>()
  for (const [key, given] of Object.entries(raw)) {
    const field =
      fields.find(({ from }) => from === key) ??
      fields.find(({ name }) => name === key) ??
      (isZeek ? fields.find(({ name }) => zeekSpellings(name).includes(key)) : undefined)
    if (field && !taken.has(field.name)) {
      if (given !== undefined && given !== null) {
        values.set(field.name, given)
        taken.add(field.name)
      }
    } else if (given !== undefined) {
      const name = isZeek ? zeekName(key) : key
      unknown.push([name === 'extra' || name.startsWith('p_') ? `_${name}` : name, given])
    }
  }
  return { values, unknown }
}

function timesOf(field: FieldSpec, given: JsonValue | undefined): (string | undefined)[] {
  if (field.isEventTime) return [(given ?? undefined) as string | undefined]
  return field.fields.flatMap((inner) => timesOf(inner, (given as JsonObject | undefined)?.[inner.name]))
}

function indicatorsOf(fields: readonly FieldSpec[]): IndicatorName[] {
  return fields.flatMap(({ indicators, fields, element }) => [
    ...(indicators as readonly IndicatorName[]),
    ...indicatorsOf(fields),
    ...((element?.indicators ?? []) as readonly IndicatorName[]),
  ])
}

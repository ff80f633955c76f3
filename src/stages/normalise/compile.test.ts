import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parse as parseYaml } from 'yaml'
import type { Event } from '../../model/event.ts'
import type { JsonObject } from '../../model/json.ts'
import { blocksOf } from '../../util/block/encode.ts'
import { readBlock } from '../../util/block/read.ts'
import { parseJson } from '../../util/json.ts'
import { compileSchema } from './compile.ts'

const RECEIVED = Date.UTC(2024, 3, 19, 12)
const meta = { rowId: 'r1', parseTime: '2024-04-19T12:00:00Z', receivedMs: RECEIVED, sourceId: 's', sourceLabel: 'S' }

const yaml = `
schema: Custom.Test
version: 3
fields:
  - {name: time, type: timestamp, timeFormats: [rfc3339, unix], isEventTime: true}
  - {name: later, type: timestamp, timeFormats: ['%Y-%m-%d %H:%M:%S'], isEventTime: true}
  - {name: text, type: string}
  - {name: small, type: smallint}
  - {name: number, type: int}
  - {name: big, type: bigint}
  - {name: count, type: ubigint}
  - {name: ratio, type: float}
  - {name: flag, type: boolean}
  - {name: kind, type: string, validate: {allow: [a, b]}}
  - {name: net, type: string, validate: {cidr: any}}
  - {name: host, type: string, indicators: [ip]}
  - {name: renamed, type: string, rename: {from: old.name}}
  - {name: hosts, type: array, element: {type: string, indicators: [hostname]}}
  - name: user
    type: object
    fields:
      - {name: name, type: string, required: true, indicators: [username]}
      - {name: age, type: int}
  - {name: any, type: json}
`
const schema = compileSchema(parseYaml(yaml), { file: 'test.yml' })

function event(raw: JsonObject): JsonObject {
  const outcome = schema.normalise(raw, meta)
  if (outcome.kind !== 'ok') throw new Error(JSON.stringify(outcome))
  // Fields that are absent hold undefined: JSON leaves them out.
  return JSON.parse(JSON.stringify(outcome.value, (_, value) => (typeof value === 'bigint' ? `${value}n` : value)))
}

describe('values', () => {
  test.each([
    ['a string', { text: 'x' }],
    ['a string that has sixteen digits', { text: '1234567890123456' }],
    ['an int at its bounds', { number: -2_147_483_648 }],
    ['a smallint at its bounds', { small: 32_767 }],
    ['a float', { ratio: 0.1 }],
    ['a boolean', { flag: false }],
    ['any JSON, nulls and empty objects included', { any: { a: null, b: {}, c: [1, [2]] } }],
    ['an array with null elements', { hosts: ['h', null] }],
    ['an object with members the schema does not know', { user: { name: 'n', x: null } }],
  ])('%s stays as it is', (_, raw) => {
    expect(event(raw)).toMatchObject(raw)
  })

  test.each([
    [{ text: 5 }, { text: '5' }],
    [{ text: true }, { text: 'true' }],
    [{ text: 18446743758090351616n }, { text: '18446743758090351616' }],
    [{ number: '42' }, { number: 42 }],
    [{ number: ' -7 ' }, { number: -7 }],
    [{ number: 3.0 }, { number: 3 }],
    [{ big: '9007199254740993' }, { big: '9007199254740993n' }],
    [{ big: 9007199254740993n }, { big: '9007199254740993n' }],
    [{ count: 18446744073709551615n }, { count: '18446744073709551615n' }],
    [{ count: '18446744073709551615' }, { count: '18446744073709551615n' }],
    [{ count: 0 }, { count: 0 }],
    [{ ratio: '1.5e3' }, { ratio: 1500 }],
    [{ flag: 'TRUE' }, { flag: true }],
    [{ time: 1588205199.82437 }, { time: '2020-04-30T00:06:39.82437Z' }],
    [{ 'old.name': 'x' }, { renamed: 'x' }],
    [{ old: { name: 'x', other: 1 } }, { renamed: 'x', old: { other: 1 } }],
    [{ hosts: [1] }, { hosts: ['1'] }],
    [{ user: { name: 'n', age: '7' } }, { user: { name: 'n', age: 7 } }],
    [{ time: '2024-04-19 10:00:00.120' }, { time: '2024-04-19T10:00:00.12Z' }],
  ])('%o becomes %o', (raw, expected) => {
    expect(event(raw as JsonObject)).toMatchObject(expected)
  })

  test.each([
    [{ text: {} }, 'wrong_type', "field 'text' should be a string but is an object"],
    [{ text: [] }, 'wrong_type', 'an array'],
    [{ number: 1.5 }, 'wrong_type', "field 'number' should be an integer (int) but is 1.5"],
    [{ number: 2_147_483_648 }, 'wrong_type', 'from -2147483648 to 2147483647'],
    [{ small: 32_768 }, 'wrong_type', 'smallint'],
    [{ big: 2n ** 63n }, 'wrong_type', 'bigint'],
    [{ count: -1 }, 'wrong_type', 'from 0 to 18446744073709551615'],
    [{ count: 2n ** 64n }, 'wrong_type', 'ubigint'],
    [{ number: '1e3' }, 'wrong_type', '"1e3"'],
    [{ number: '' }, 'wrong_type', '""'],
    [{ number: true }, 'wrong_type', 'true'],
    [{ ratio: 'nan' }, 'wrong_type', 'a number'],
    [{ flag: 1 }, 'wrong_type', 'true or false'],
    [{ time: 'yesterday' }, 'invalid_time', 'rfc3339 or unix: "yesterday"'],
    [{ time: {} }, 'wrong_type', 'a time'],
    [{ time: '1899-01-01T00:00:00Z' }, 'invalid_time', 'from 1900 to 2261'],
    [{ kind: 'c' }, 'wrong_type', 'one of the allowed values (a, b)'],
    [{ net: '10.0.0.0/33' }, 'wrong_type', 'CIDR'],
    [{ hosts: 'h' }, 'wrong_type', 'an array'],
    [{ hosts: [{}] }, 'wrong_type', "field 'hosts[]'"],
    [{ user: [] }, 'wrong_type', 'an object'],
    [{ user: { age: 1 } }, 'missing_field', "field 'user.name' is required"],
    [{ user: { name: 'n', age: 'x' } }, 'wrong_type', "field 'user.age'"],
  ])('%o is refused as %s', (raw, reason, message) => {
    const outcome = schema.normalise(raw as JsonObject, meta)
    expect(outcome).toMatchObject({ kind: 'dead-letter', reason, message: expect.stringContaining(message) })
  })

  test('known fields that are null are left out, unknown ones stay', () => {
    const found = event({ text: null, unknown: null, empty: {} })
    expect('text' in found).toBe(false)
    expect(found).toMatchObject({ unknown: null, empty: {} })
  })
})

describe('event time', () => {
  test.each([
    [
      'the first field that has one',
      { later: '2024-01-02 03:04:05', time: '2024-01-01T00:00:00.1Z' },
      '2024-01-01T00:00:00.1Z',
      undefined,
    ],
    ['the second when the first is absent', { later: '2024-01-02 03:04:05' }, '2024-01-02T03:04:05Z', undefined],
    ['the parse time when there is none', {}, '2024-04-19T12:00:00Z', undefined],
    ['exactly five minutes ahead is accepted', { time: '2024-04-19T12:05:00Z' }, '2024-04-19T12:05:00Z', undefined],
    ['a nanosecond later is not', { time: '2024-04-19T12:05:00.000000001Z' }, '2024-04-19T12:00:00Z', true],
    ['the year 2200 is not', { time: '2200-01-01T00:00:00Z' }, '2024-04-19T12:00:00Z', true],
    ['before 1970 is not', { time: '1969-12-31T23:59:59Z' }, '2024-04-19T12:00:00Z', true],
  ])('%s', (_, raw, time, corrected) => {
    const found = event(raw)
    expect(found['p_event_time']).toBe(time)
    expect(found['p_event_time_corrected']).toBe(corrected)
    if (corrected) expect(found['time']).toBe((raw as JsonObject)['time'])
  })
})

describe('hostile records', () => {
  test('cannot set standard fields, prototypes or the column of unknown fields', () => {
    const raw = parseJson('{"p_log_type":"AWS.CloudTrail","p_row_id":"x","extra":1,"__proto__":{"polluted":1},"constructor":2}', {
      maxDepth: 9,
    })
    const outcome = schema.normalise((raw as { value: JsonObject }).value, meta)
    expect(outcome.kind).toBe('ok')
    const found = (outcome as { value: JsonObject }).value
    expect(found).toMatchObject({
      p_log_type: 'Custom.Test',
      p_row_id: 'r1',
      _p_log_type: 'AWS.CloudTrail',
      _p_row_id: 'x',
      _extra: 1,
      constructor: 2,
    })
    expect(Object.getPrototypeOf(found)).toBe(Object.prototype)
    expect(Object.hasOwn(found, '__proto__')).toBe(true)
    expect('polluted' in {}).toBe(false)
  })

  test('a second spelling of a field hides nothing', () => {
    expect(event({ 'old.name': 'a', renamed: 'b' })).toMatchObject({ renamed: 'a', renamed_2: 'b' })
  })

  test('the record is not modified', () => {
    const raw = Object.freeze({ old: Object.freeze({ name: 'x' }), number: '1', unknown: Object.freeze([1]) })
    expect(event(raw)).toMatchObject({ renamed: 'x', number: 1 })
  })
})

describe('row', () => {
  const columns = schema.columns.map(({ name }) => name)
  const valuesOf = (event: Event) => {
    const [block] = blocksOf([event], (events, out) => schema.encode(events, out, {}))
    return readBlock(schema.columns, block!.rows)[0]!
  }
  const rowOf = (raw: JsonObject) => {
    const outcome = schema.normalise(raw, meta)
    if (outcome.kind !== 'ok') throw new Error(outcome.kind)
    const values = valuesOf(outcome.value)
    return Object.fromEntries(columns.map((name, i) => [name, values[i]]))
  }

  test('standard columns first, then fields, then extra and p_enrichment', () => {
    expect(columns.slice(0, 8)).toEqual(
      [
        'log_type',
        'row_id',
        'event_time',
        'parse_time',
        'source_id',
        'source_label',
        'schema_version',
        'event_time_corrected',
      ].map((c) => `p_${c}`),
    )
    expect(columns.slice(-3)).toEqual(['any', 'extra', 'p_enrichment'])
    expect(schema.table).toBe('custom_test')
  })

  test('nested values, unknown fields and enrichment are JSON text; absent ones null or an empty list', () => {
    const row = rowOf({ host: '192.0.2.1', any: { a: [1, null] }, hosts: [], more: { x: null }, '7': 9007199254740993n })
    expect(row).toMatchObject({
      any: '{"a":[1,null]}',
      hosts: '[]',
      extra: '{"7":9007199254740993,"more":{"x":null}}',
      text: null,
    })
    expect(row['p_any_ip_addresses']).toEqual(['192.0.2.1'])
    expect(row['p_any_emails']).toEqual([])
    expect(row['p_enrichment']).toBeNull()
    const outcome = schema.normalise({}, meta)
    if (outcome.kind === 'ok') outcome.value['p_enrichment'] = { tor: { host: 1 } }
    expect(outcome.kind === 'ok' && valuesOf(outcome.value).at(-1)).toBe('{"tor":{"host":1}}')
  })

  test('returns every text exactly', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 90 }), fc.dictionary(fc.string(), fc.jsonValue()), (text, unknown) => {
        const row = rowOf({ text, any: unknown as JsonObject })
        expect(row['text']).toBe(text)
        expect(JSON.parse(row['any'] as string)).toEqual(JSON.parse(JSON.stringify(unknown)))
      }),
      { seed: 4848 },
    )
  })

  test('unknown fields are listed, and an event read back from JSON has the same row', () => {
    const outcome = schema.normalise({ text: 'x', b: 1, a: 2 }, meta)
    if (outcome.kind !== 'ok') throw new Error('not ok')
    expect(schema.unknownFields(outcome.value)).toEqual(['b', 'a'])
    expect(valuesOf(JSON.parse(JSON.stringify(outcome.value)) as Event)).toEqual(valuesOf(outcome.value))
  })

  test('fields that have no value do not hide unknown ones in an event read back from JSON, however many there are of each', () => {
    const names = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e', '1', '2', 'zz'), { minLength: 0 })
    fc.assert(
      fc.property(names, fc.boolean(), (unknown, isEnriched) => {
        const outcome = schema.normalise({ text: 'x', ...Object.fromEntries(unknown.map((name) => [name, 1])) }, meta)
        if (outcome.kind !== 'ok') throw new Error('not ok')
        const back = JSON.parse(JSON.stringify(outcome.value)) as Event
        if (isEnriched) back['p_enrichment'] = {}
        expect([...schema.unknownFields(back)].sort()).toEqual([...unknown].sort())
      }),
    )
  })
})

describe('fit', () => {
  const yaml = `
schema: Custom.Fit
fields:
  - {name: ts, type: timestamp, timeFormats: [unix], isEventTime: true}
  - {name: widget, type: string, required: true}
  - {name: host, type: string, indicators: [ip]}
  - {name: path, type: string, marker: {endsWith: [.widget]}}
`
  const schema = compileSchema(parseYaml(yaml), { file: 'f' })

  test('tells known, telling, unknown and missing fields apart; null is missing', () => {
    expect(schema.fit({ ts: 1, widget: 1, host: 1, other: 1 })).toEqual({
      known: 3,
      times: 1,
      telling: 1,
      unknown: ['other'],
      missing: [],
      isWhole: false,
    })
    expect(schema.fit({ widget: null, host: 1 })).toMatchObject({ known: 1, telling: 0, missing: ['widget'] })
    expect(schema.fit({ ts: 1, widget: 1, host: 1, path: 1 }).isWhole).toBe(true)
  })

  test('common names count if their values are telling', () => {
    expect(schema.confirmed({ widget: '192.0.2.1', host: 'web1', path: '/etc/passwd' })).toBe(0)
    expect(schema.confirmed({ host: '192.0.2.1', path: 5 })).toBe(1)
    expect(schema.confirmed({ host: '2001:db8::1', path: '/a/b.widget' })).toBe(2)
  })

  test('a schema determines whether it may be guessed', () => {
    expect(compileSchema(parseYaml(yaml), { file: 'f' }).mayGuess).toBe(true)
    expect(compileSchema(parseYaml(`${yaml}guess: false`), { file: 'f' }).mayGuess).toBe(false)
  })
})

describe('event time in an object', () => {
  const nested = compileSchema(
    parseYaml(`
schema: Custom.Nested
fields:
  - name: id
    type: object
    fields:
      - {name: time, type: timestamp, timeFormats: [rfc3339], isEventTime: true}
  - {name: received, type: timestamp, timeFormats: [rfc3339], isEventTime: true}
`),
    { file: 'nested.yml' },
  )

  test.each([
    [
      'counts before later fields',
      { id: { time: '2024-01-01T00:00:00Z' }, received: '2024-01-02T00:00:00Z' },
      '2024-01-01T00:00:00Z',
    ],
    ['may be absent', { id: { other: 1 }, received: '2024-01-02T00:00:00Z' }, '2024-01-02T00:00:00Z'],
    ['may be null, as may the object', { id: null, received: '2024-01-02T00:00:00Z' }, '2024-01-02T00:00:00Z'],
  ])('%s', (_, raw, time) => {
    const outcome = nested.normalise(raw, meta)
    expect(outcome.kind === 'ok' && outcome.value['p_event_time']).toBe(time)
  })
})

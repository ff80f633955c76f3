import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parse as parseYaml } from 'yaml'
import type { JsonValue } from '../../model/json.ts'
import { inferSchema } from './infer.ts'
import type { Sample } from './sample.ts'

function sampleOf(text: string): Sample {
  const bytes = Buffer.from(text)
  return { chunks: [{ bytes, place: 'feedfacefeedface', offset: 0, context: '', final: true, faults: [] }], isCut: false }
}

const lines = (...records: readonly object[]) => sampleOf(records.map((record) => `${JSON.stringify(record)}\n`).join(''))

/** A field of the inferred schema, without its name. */
function fieldOf(sample: Sample, name: string): object | undefined {
  const { fields } = parseYaml(inferSchema(sample, 'Custom.Any').yaml) as { fields: { name: string }[] }
  const { name: _, ...rest } = fields.find((field) => field.name === name)!
  return rest
}

describe('types', () => {
  test.each<[string, readonly JsonValue[], object]>([
    ['integers', [1, -2, null], { type: 'bigint' }],
    ['numbers', [1, 0.5], { type: 'float' }],
    ['text with digits stays text', ['007', '8'], { type: 'string' }],
    ['text and number', ['a', 1], { type: 'string' }],
    ['booleans', [true, false], { type: 'boolean' }],
    ['boolean and number', [true, 1], { type: 'string' }],
    ['object and text', [{ a: 1 }, 'a'], { type: 'json' }],
    [
      'objects',
      [{ a: 1 }, { b: 'x' }],
      {
        type: 'object',
        fields: [
          { name: 'a', type: 'bigint' },
          { name: 'b', type: 'string' },
        ],
      },
    ],
    ['empty objects', [{}], { type: 'json' }],
    ['lists', [[1], [2, 3]], { type: 'array', element: { type: 'bigint' } }],
    ['empty lists', [[]], { type: 'array', element: { type: 'json' } }],
    ['names that are data', Array.from({ length: 50 }, (_, i) => ({ [`id${i}`]: 1 })), { type: 'json' }],
  ])('%s', (_, values, field) => {
    expect(fieldOf(lines(...values.map((value) => ({ value }))), 'value')).toEqual(field)
  })
})

describe('times', () => {
  test.each([
    ['2024-04-19T10:00:01.5+02:00', 'rfc3339'],
    ['2024-04-19 10:00:01', '%Y-%m-%d %H:%M:%S'],
    ['19/Apr/2024:10:00:01 +0000', '%d/%b/%Y:%H:%M:%S %z'],
    ['Apr 19 10:00:01', '%b %e %H:%M:%S'],
    [1713520801, 'unix'],
    [1713520801.25, 'unix'],
    [1713520801000, 'unix_ms'],
    ['1713520801000000', 'unix_us'],
  ])('%s', (time, format) => {
    expect(fieldOf(lines({ time }), 'time')).toEqual({
      type: 'timestamp',
      timeFormats: [format],
      isEventTime: true,
      required: true,
    })
  })

  test('a number as large as a Unix time is not taken for a time unless the name of the field suggests one', () => {
    expect(fieldOf(lines({ bytes: 1713520801 }), 'bytes')).toEqual({ type: 'bigint' })
  })

  test('one text that is no time makes all of them text', () => {
    expect(fieldOf(lines({ at: '2024-04-19T10:00:01Z' }, { at: '-' }), 'at')).toEqual({ type: 'string' })
  })

  test('day and month are distinguished by a value that can only be one of them; otherwise a note says so', () => {
    const one = { at: '04/05/2024 10:00:00' }
    expect(fieldOf(lines(one, { at: '04/19/2024 10:00:00' }), 'at')).toMatchObject({ timeFormats: ['%m/%d/%Y %H:%M:%S'] })
    expect(fieldOf(lines(one, { at: '19/04/2024 10:00:00' }), 'at')).toMatchObject({ timeFormats: ['%d/%m/%Y %H:%M:%S'] })
    const { notes, yaml } = inferSchema(lines(one), 'Custom.Any')
    expect(yaml).toContain('{name: at, type: string}')
    expect(notes[0]).toContain('at is a time whose day and month cannot be distinguished')
  })

  test('the event time is the field that every record has, then the one whose name says it; others are noted', () => {
    const at = '2024-04-19T10:00:01Z'
    const { yaml, notes } = inferSchema(lines({ expires: at, created: at, inner: { time: at }, eventTime: at }), 'Custom.Any')
    expect(yaml).toContain('{name: eventTime, type: timestamp, timeFormats: [rfc3339], isEventTime: true, required: true}')
    expect(yaml.match(/isEventTime/g)).toHaveLength(1)
    expect(notes).toEqual(["eventTime is taken for the event's time; it could also be created, inner.time"])
    expect(inferSchema(lines({ expires: at }), 'Custom.Any').notes[0]).toMatch(/^no field says when/)
  })
})

describe('indicators', () => {
  test.each([
    ['src', '192.0.2.1', 'ip'],
    ['peer', '[2001:db8::1]:443', 'net_addr'],
    ['referer', 'https://example.com/a', 'url'],
    ['sender', 'ann@example.com', 'email'],
    ['file_md5', '0123456789abcdef0123456789abcdef', 'md5'],
    ['sha256', '0123456789abcdef'.repeat(4), 'sha256'],
    ['resource', 'arn:aws:iam::123456789012:user/ann', 'aws_arn'],
    ['accountId', '123456789012', 'aws_account_id'],
    ['instance', 'i-0123456789abcdef0', 'aws_instance_id'],
    ['query', 'www.example.com', 'domain'],
    ['hostname', 'web-1', 'hostname'],
    ['hostname', '192.0.2.1', 'hostname'],
    ['user_name', 'ann', 'username'],
    ['TargetUserName', 'LOCAL SERVICE', 'username'],
    ['traceId', '4bf92f3577b34da6a3ce929d0e0e4736', 'trace_id'],
  ])('%s %s', (name, value, indicator) => {
    expect(fieldOf(lines({ [name]: value }, { [name]: '-' }), name)).toEqual({ type: 'string', indicators: [indicator] })
  })

  test.each([
    ['message', 'www.example.com'],
    ['user_agent', 'curl/8'],
    ['user_id', 'ann'],
    ['session', '0123456789abcdef0123456789abcdef'],
    ['version', '1.2.3'],
  ])('%s %s indicates nothing', (name, value) => {
    expect(fieldOf(lines({ [name]: value }), name)).toEqual({ type: 'string' })
  })

  test('in the elements of lists', () => {
    expect(fieldOf(lines({ ips: ['192.0.2.1', '2001:db8::1'] }), 'ips')).toEqual({
      type: 'array',
      element: { type: 'string', indicators: ['ip'] },
    })
  })
})

describe('text', () => {
  test('CSV with a header: its delimiter, its empty values, numbers', () => {
    const { yaml, check } = inferSchema(
      sampleOf('time;user;bytes\n2024-04-19T10:00:01Z;ann;12\n2024-04-19T10:00:02Z;bob;-\n'),
      'Custom.Any',
    )
    expect(parseYaml(yaml)).toMatchObject({
      parser: { csv: { hasHeader: true, delimiter: ';', emptyValues: ['-'] } },
      fields: [{ name: 'time', isEventTime: true }, { name: 'user' }, { name: 'bytes', type: 'bigint' }],
    })
    expect(check.events).toMatchObject([{ user: 'ann', bytes: 12 }, { user: 'bob' }])
  })

  test.each([
    ['key-value', 'time=2024-04-19T10:00:01Z level=info port=80'],
    ['apache-combined', '192.0.2.1 - - [19/Apr/2024:10:00:01 +0000] "GET / HTTP/1.1" 200 5 "-" "curl/8"'],
    ['syslog', '<13>Apr 19 10:00:01 web sshd[7]: Connection closed by 192.0.2.1 port 22'],
  ])('the native format %s', (name, line) => {
    const { yaml, check } = inferSchema(sampleOf(`${line}\n`), 'Custom.Any')
    expect(parseYaml(yaml)).toMatchObject({ parser: { native: { name } } })
    expect(check).toMatchObject({ received: 1, deadLetters: [] })
  })

  test('sentences are in no format: the message says what to do', () => {
    expect(() => inferSchema(sampleOf('the door, again, is open\n'), 'Custom.Any')).toThrow(
      /"the door, again, is open".*fastmatch/,
    )
    expect(() => inferSchema(sampleOf('\n'), 'Custom.Any')).toThrow('the sample has no records')
    expect(() => inferSchema(sampleOf('#separator \\x09\n#fields\tts\n'), 'Custom.Any')).toThrow("Zeek's own format")
  })
})

test('names of standard columns are renamed, others that cannot be used are noted', () => {
  const { yaml, notes, check } = inferSchema(lines({ extra: 1, p_x: 'a', '': 2, none: null, a: 3 }), 'Custom.Any')
  expect(yaml).toContain('{name: own_extra, type: bigint, rename: {from: extra}}')
  expect(notes.join('\n')).toMatch(/"" cannot be the name[\s\S]*none never has a value/)
  expect(check.events).toMatchObject([{ own_extra: 1, own_p_x: 'a', a: 3 }])
})

test('what the schema refuses is reported, not hidden', () => {
  const { check } = inferSchema(sampleOf('{"a":1}\n{"a":\n'), 'Custom.Any')
  expect(check).toMatchObject({ received: 2, deadLetters: [{ reason: 'invalid_json' }] })
})

const scalar = fc.oneof(
  fc.string(),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
  fc.constant(null),
  fc.constantFrom('2024-04-19T10:00:01Z', '192.0.2.1', '1713520801', '', '-', 'a.example.com'),
)
const name = fc.oneof(fc.constantFrom('a', 'b', 'time', 'user', 'host', 'p_x', 'extra', 'a.b', '__proto__', ''), fc.string())
const { record } = fc.letrec<{ record: Record<string, unknown>; value: unknown }>((tie) => ({
  record: fc.dictionary(name, tie('value'), { maxKeys: 6 }),
  value: fc.oneof({ maxDepth: 4 }, scalar, fc.array(tie('value'), { maxLength: 4 }), tie('record')),
}))

test('whatever the JSON, the schema reads the sample that it was inferred from', () => {
  fc.assert(
    fc.property(fc.array(record, { minLength: 1, maxLength: 8 }), (records) => {
      // A record with none of a schema's fields is another log's.
      const sample = lines(...records.map((record) => ({ ...record, kind: 'x' })))
      const { check } = inferSchema(sample, 'Custom.Any')
      expect(check.deadLetters.map(({ message }) => message)).toEqual([])
      expect(check.received).toBe(records.length)
    }),
    { numRuns: 150, seed: 7 },
  )
})

import { describe, expect, test } from 'vitest'
import { compileSchema } from '../../normalise/compile.ts'
import type { ParseResult } from '../parser.ts'
import { conn, events, outcomes, PLACE, parse, parser, RECEIVED } from '../step.fixture.ts'

const door = compileSchema(
  {
    schema: 'Custom.Door',
    parser: { fastmatch: { match: ['[%{time}] %{door} %{state}'] } },
    fields: [
      { name: 'time', type: 'timestamp', timeFormats: ['%b %e %T'], isEventTime: true },
      { name: 'door', type: 'string', required: true },
      { name: 'state', type: 'string', validate: { allow: ['open', 'shut'] } },
    ],
  },
  { file: 'door.yml' },
)
const lamp = compileSchema(
  {
    schema: 'Custom.Lamp',
    parser: { fastmatch: { match: ['[%{time}] %{lamp} %{state}'] } },
    fields: [
      { name: 'lamp', type: 'string', required: true },
      { name: 'state', type: 'string', validate: { allow: ['on', 'off'] } },
    ],
  },
  { file: 'lamp.yml' },
)
const table = compileSchema(
  {
    schema: 'Custom.Table',
    parser: { csv: { hasHeader: true } },
    fields: [
      { name: 'a', type: 'int', required: true },
      { name: 'b', type: 'string' },
    ],
  },
  { file: 'table.yml' },
)

const as = (...schemas: (typeof door)[]) => {
  const [only] = schemas
  return (text: string, more = {}): ParseResult => parse(text, more, schemas.length === 1 ? only!.name : undefined, schemas)
}

describe('a source with one log type', () => {
  test('its lines are text, even if they begin like JSON or like a comment of another format', () => {
    const result = as(door)('[Apr 19 10:00:01] front open\n[Apr 19 10:00:02] back shut\n# note\n12\n')
    expect(outcomes(result)).toEqual(['Custom.Door', 'Custom.Door', 'no_match', 'no_match'])
    expect(events(result)[0]).toMatchObject({ time: '2024-04-19T10:00:01Z', door: 'front', state: 'open' })
  })

  test('objects in JSON are its records, too', () => {
    expect(events(as(door)('{"door":"front","state":"open"}\n'))[0]).toMatchObject({ p_log_type: 'Custom.Door', door: 'front' })
  })

  test('a dead letter says what did not fit', () => {
    const [letter] = as(door)('front open\n').deadLetters
    expect(letter).toMatchObject({
      reason: 'no_match',
      message: expect.stringContaining('Custom.Door: its pattern does not fit'),
    })
  })

  test('lines split into chunks anywhere give the same events', () => {
    const lines = ['a,b', '1,x', '2,y', 'a,b', '3,"z"', '4']
    const whole = as(table)(`${lines.join('\n')}\n`)
    expect(outcomes(whole)).toEqual([...Array(3).fill('Custom.Table'), 'invalid_format'])
    let context = ''
    const split = lines.flatMap((line) => {
      const result = as(table)(`${line}\n`, { context })
      context = result.context
      return outcomes(result)
    })
    expect(split).toEqual(outcomes(whole))
  })
})

describe('a source with several log types', () => {
  test('schemas that share a format are distinguished by their values', () => {
    const text = '[Apr 19 10:00:01] hall on\n[Apr 19 10:00:02] hall shut\n[Apr 19 10:00:03] hall ajar\n'
    const result = as(door, lamp)(text)
    expect(outcomes(result)).toEqual(['Custom.Lamp', 'Custom.Door', 'no_match'])
    expect(result.deadLetters[0]?.message).toMatch(/Custom\.(Door|Lamp): field 'state' should be one of the allowed values/)
  })

  test('a source of JSON and text: each record by what it is', () => {
    const result = as(conn, door)('{"ts":1,"n":1,"tags":[]}\n[Apr 19 10:00:01] front open\n{"ts":\n')
    expect(outcomes(result)).toEqual(['Zeek.Conn', 'Custom.Door', 'invalid_json'])
  })

  test('the log type that a body names decides', () => {
    const hints = [{ from: 0, hints: { logType: 'Custom.Lamp', host: 'hall-1' } }]
    const bytes = '[Apr 19 10:00:01] hall on\n'
    const result = as(door, lamp)(bytes, { hints, records: new Uint32Array([0, bytes.length - 1]) })
    expect(events(result)[0]).toMatchObject({ p_log_type: 'Custom.Lamp', host: 'hall-1' })
  })
})

describe('a source without log types', () => {
  const access = (name: string, more: object = {}) =>
    compileSchema(
      {
        schema: name,
        ...more,
        parser: { native: { name: 'apache-common' } },
        fields: ['remote_host_ip_address', 'request_user', 'request_time', 'request_method', 'request_uri', 'request_protocol']
          .concat('response_status', 'response_size')
          .map((field) => ({ name: field, type: 'string' })),
      },
      { file: 'access.yml' },
    )
  const line = '203.0.113.7 - alice [19/Apr/2024:12:00:00 +0000] "GET /reports HTTP/1.1" 200 2326\n'
  const guess = (text: string, ...schemas: (typeof door)[]) => {
    const chunk = { bytes: Buffer.from(text), place: PLACE, offset: 0, context: '', final: true, faults: [] }
    return parser.parse(chunk, { id: 'src', label: 'Source', schemas, isNamed: false, logType: undefined }, RECEIVED)
  }

  test('the formats that are built in are found by the bytes', () => {
    const result = guess(`${line}prose\n{"ts":1,"n":1,"tags":[]}\n`, conn, access('Custom.Access'))
    expect(outcomes(result)).toEqual(['Custom.Access', 'Zeek.Conn', 'not_a_log'])
    expect(result.guessed).toEqual(
      new Map([
        ['Custom.Access', 1],
        ['Zeek.Conn', 1],
      ]),
    )
  })

  test('patterns of users are not tried, nor schemas that are never guessed', () => {
    expect(outcomes(guess('[Apr 19 10:00:01] front open\n', door))).toEqual(['not_a_log'])
    expect(outcomes(guess(line, access('Custom.Access', { guess: false })))).toEqual(['not_a_log'])
  })

  test('two schemas of one format are not distinguished by a guess', () => {
    expect(guess(line, access('Custom.Access'), access('Custom.Other')).deadLetters[0]).toMatchObject({
      reason: 'unknown_log_type',
      message: expect.stringContaining('Custom.Access and Custom.Other equally well'),
    })
  })
})

import { expect, test } from 'vitest'
import { compileSchema } from '../normalise/compile.ts'
import { dns, events, outcomes, parser, RECEIVED, schema } from './step.fixture.ts'

const timed = compileSchema(
  {
    schema: 'Custom.Timed',
    fields: [
      { name: 'n', type: 'int' },
      { name: 'at', type: 'timestamp', timeFormats: ['rfc3339'], isEventTime: true },
    ],
  },
  { file: 'timed.yml' },
)

/** Records with hints for some of them. */
function parse(records: readonly { readonly text: string; readonly hints?: object }[], logType?: string) {
  let text = ''
  const spans: number[] = []
  const hints: { from: number; hints: object }[] = []
  for (const record of records) {
    if (record.hints) hints.push({ from: text.length, hints: record.hints })
    spans.push(text.length, text.length + record.text.length)
    text += `${record.text}\n`
  }
  const chunk = { bytes: Buffer.from(text), place: 'p', offset: 0, context: '', final: true, faults: [] }
  const source = { id: 'src', label: 'Source', schemas: [timed, dns, schema('Custom.Free', [], ['n'])], isNamed: false, logType }
  return parser.parse({ ...chunk, records: Uint32Array.from(spans), hints }, source, RECEIVED)
}

test('a hint applies to its record and the following ones, up to the next hint', () => {
  const { groups } = parse([
    { text: '{"n":1}', hints: { logType: 'Custom.Timed', sourceLabel: 'Door' } },
    { text: '{"n":2}' },
    { text: '{"n":3}', hints: { logType: 'Custom.Free' } },
  ])
  expect(groups.flatMap(({ events: list }) => list).map((e) => [e.p_log_type, e['n'], e.p_source_label])).toEqual([
    ['Custom.Timed', 1, 'Door'],
    ['Custom.Timed', 2, 'Door'],
    ['Custom.Free', 3, 'Source'],
  ])
})

test('time and host are used if the record has none; a time far in the future is not trusted', () => {
  const hints = { logType: 'Custom.Timed', time: '2024-04-19T10:00:00Z', host: 'web1' }
  const result = parse([
    { text: '{"n":1}', hints },
    { text: '{"n":2,"at":"2024-04-19T11:00:00Z","host":"own"}' },
    { text: '{"n":3}', hints: { ...hints, time: '2030-01-01T00:00:00Z' } },
  ])
  expect(events(result).map((e) => [e.p_event_time, e['host'], e['p_event_time_corrected']])).toEqual([
    ['2024-04-19T10:00:00Z', 'web1', undefined],
    ['2024-04-19T11:00:00Z', 'own', undefined],
    ['2024-04-19T12:00:00Z', 'web1', true],
  ])
})

test('a log type named by the source takes precedence over a hint; an unknown one is a dead letter', () => {
  expect(outcomes(parse([{ text: '{"n":1}', hints: { logType: 'Zeek.DNS' } }], 'Custom.Timed'))).toEqual(['Custom.Timed'])
  const unknown = parse([{ text: '{"n":1}', hints: { logType: 'Custom.Nothing' } }])
  expect(unknown.deadLetters.map(({ reason, message }) => [reason, message])).toEqual([
    ['unknown_log_type', expect.stringContaining('its body says the record is of "Custom.Nothing"')],
  ])
})

test('fields are added unless the record has them, and are not evidence against its log type', () => {
  const fields = { n: 7, region: 'eu', tags: ['a'], labels: { app: 'x' } }
  const result = parse([{ text: '{"n":1,"at":"2024-04-19T11:00:00Z"}', hints: { fields } }])
  expect(events(result)).toMatchObject([{ p_log_type: 'Custom.Timed', n: 1, region: 'eu', tags: ['a'], labels: { app: 'x' } }])
})

test('a record may need the fields to be complete', () => {
  const result = parse([{ text: '{"other":1}', hints: { fields: { n: 3 } } }], 'Custom.Free')
  expect(events(result)).toMatchObject([{ p_log_type: 'Custom.Free', n: 3, other: 1 }])
})

test('fields that do not fit the schema are kept in the field attributes, and the record is not lost', () => {
  const fields = { at: 'yesterday', region: 'eu' }
  const result = parse([{ text: '{"n":1}', hints: { fields } }], 'Custom.Timed')
  const [event] = events(result)
  expect(event).toMatchObject({ n: 1, attributes: fields })
  expect([...result.unknownFields]).toEqual([['Custom.Timed\tattributes', 1]])
  expect(event).not.toHaveProperty('region')
})

test('a text in no known format is the field message beside the fields; without them it is a dead letter', () => {
  const hints = { logType: 'Custom.Free', fields: { n: 18446744073709551615n, service: 'shop' } }
  const result = parse([
    { text: '[INFO] user logged in', hints },
    { text: '{"broken', hints },
  ])
  expect(events(result)).toMatchObject([{ message: '[INFO] user logged in', service: 'shop' }])
  expect(result.deadLetters.map(({ reason }) => reason)).toEqual(['invalid_json'])
  expect(result.deadLetters[0]!.context).toContain('"n":18446744073709551615')
  expect(parse([{ text: 'user logged in', hints: { logType: 'Custom.Free' } }]).deadLetters).toHaveLength(1)
})

test('a record and what its sender adds are not longer together than a record may be', () => {
  const hints = { logType: 'Custom.Timed', fields: { note: 'x'.repeat(180) } }
  const { deadLetters, groups } = parse([
    { text: '{"n":1}', hints },
    { text: `{"n":2,"at":"2024-04-19T11:00:00Z"}` },
    { text: '{"n":3}', hints: { ...hints, fields: { note: 'short' } } },
  ])
  expect(groups.flatMap(({ events: list }) => list).map((e) => e['n'])).toEqual([1, 3])
  expect(deadLetters.map(({ reason, length }) => [reason, length])).toEqual([['too_long', 35]])
  expect(deadLetters[0]!.message).toContain('the record has 35 bytes, with 191 more in the fields that its sender adds,')
  expect(JSON.parse(deadLetters[0]!.context!)).toMatchObject({ hints })
})

test('a dead letter without the many fields that its sender has added counts as cut', () => {
  const fields = { note: 'x'.repeat(70_000) }
  const [letter] = parse([{ text: '{"n":1}', hints: { logType: 'Custom.Timed', fields } }]).deadLetters
  expect(letter!.length).toBe(7 + JSON.stringify(fields).length)
  expect(Buffer.from(letter!.raw).toString()).toBe('{"n":1}')
  expect(JSON.parse(letter!.context!)).toEqual({ hints: { logType: 'Custom.Timed' } })
})

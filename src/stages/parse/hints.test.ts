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

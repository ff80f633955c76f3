import { describe, expect, test } from 'vitest'
import { configSchema } from '../../config/config.ts'
import { decodeBody, decodeText } from './decoders/decode.ts'
import type { TextState } from './decoders/text-walk.ts'
import { type StreamSettings, streamParameters } from './stream-keys.ts'

const settings = (keys: object): StreamSettings =>
  configSchema.parse({ sources: [{ type: 'file', id: 'x', paths: ['x'], ...keys }] }).sources[0] as StreamSettings

/** The records of a body as the spool stores it, with the settings of its source. */
function recordsOf(keys: object, text: string): string[] {
  const parameters = streamParameters(settings(keys))
  const body = decodeBody(Buffer.from(text), parameters === '' ? 'lines' : `lines?${parameters}`)
  if ('broken' in body) throw new Error(body.broken)
  const { records, bytes } = body
  if (!records) return text.split('\n').filter((line) => line.trim() !== '')
  return Array.from({ length: records.length / 2 }, (_, i) =>
    Buffer.from(bytes.subarray(records[2 * i], records[2 * i + 1])).toString(),
  )
}

const TRACE = 'Error: a\n  at b\n  at c\n'
const FEED = '<Events xmlns="x"><Event id="1"><a>\n</a></Event>\n<Event id="2"/></Events>\n'

describe('records of', () => {
  test.each<[string, object, string, readonly string[]]>([
    ['lines that look like JSON', { stream_type: 'lines' }, '{"a":1}{"b":\n2}\n[1]', ['{"a":1}{"b":', '2}', '[1]']],
    [
      'JSON that looks like an envelope',
      { stream_type: 'json' },
      '{"Records":[{"a":1}]}\n[{"b":2}]',
      ['{"Records":[{"a":1}]}', '{"b":2}'],
    ],
    [
      'an envelope of one’s own',
      { stream_type: 'json_array', envelope: 'data.logs' },
      '{"n":2,"data":{"logs":[{"a":1},{"b":2}]}}',
      ['{"a":1}', '{"b":2}'],
    ],
    [
      'stack traces',
      { stream_type: 'lines', multiline: { start: '^\\S' } },
      `${TRACE}next\n${TRACE}`,
      [TRACE.trimEnd(), 'next', TRACE.trimEnd()],
    ],
    [
      'a trace of too many lines',
      { stream_type: 'lines', multiline: { start: '^\\S', max_lines: 2 } },
      TRACE,
      ['Error: a\n  at b', '  at c'],
    ],
    ['a feed in XML', { stream_type: 'xml' }, FEED, ['<Event id="1"><a>\n</a></Event>', '<Event id="2"/>']],
    ['elements with another name', { stream_type: 'xml', element: 'a' }, FEED, ['<a>\n</a>']],
    [
      'an element whose end is missing',
      { stream_type: 'xml' },
      '<Event><a>\n<Event/><Event>',
      ['<Event><a>', '<Event/>', '<Event>'],
    ],
  ])('%s', (_, keys, text, records) => {
    expect(recordsOf(keys, text)).toEqual(records)
  })
})

test.each<[object, RegExp]>([
  [{ envelope: 'logs' }, /goes with `stream_type: json_array` only/],
  [{ stream_type: 'json', multiline: { start: 'x' } }, /goes with `stream_type: lines` only/],
  [{ stream_type: 'lines', multiline: { start: '(' } }, /RE2/],
  [{ stream_type: 'json_array', envelope: 'a..b' }, /separated by dots/],
  [{ stream_type: 'csv' }, /stream_type/],
])('%j is refused', (keys, message) => {
  expect(() => settings(keys)).toThrow(message)
})

test('the limits of a record of several lines hold for any file', () => {
  const stream = streamParameters(settings({ stream_type: 'lines', multiline: { start: '^never', max_bytes: 1024 } }))
  const bytes = Buffer.from('0123456789\n'.repeat(100_000))
  let state: TextState = 'lines'
  let longest = 0
  let at = 0
  while (at < bytes.length) {
    const rest = bytes.subarray(at, at + 65_536)
    const { records, end, state: after } = decodeText(rest, { state, stream, final: at + rest.length === bytes.length })
    for (let i = 0; i < records!.length; i += 2) longest = Math.max(longest, records![i + 1]! - records![i]!)
    at += end
    state = after
  }
  expect(longest).toBeLessThan(1024 + 11)
})

test.each<[string, string, (bytes: number) => string]>([
  ['elements without an end', 'type=xml&element=Event', (n) => '<Event>\n'.repeat(n / 8)],
  ['comments without an end', 'type=xml&element=Event', (n) => '<!-- <a>\n'.repeat(n / 9)],
  ['tags of others', 'type=xml&element=Event', (n) => `<Event>${'<b>'.repeat(n / 3)}`],
  ['lines that do not begin a record', 'type=lines&start=^x&lines=500&bytes=65536', (n) => 'ab\n'.repeat(n / 3)],
])('%s take time in proportion to their length', (_, stream, text) => {
  const micros = (n: number) => {
    const bytes = Buffer.from(text(n))
    const before = process.cpuUsage()
    decodeText(bytes, { stream, final: true })
    const { user, system } = process.cpuUsage(before)
    return user + system
  }
  micros(4096)
  // Sixteen times the bytes: quadratic time would be 256 times as long.
  expect(micros(1 << 19) / Math.max(micros(1 << 15), 4000)).toBeLessThan(80)
})

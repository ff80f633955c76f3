import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fuzzRuns } from '../../../../test/support/fuzz.ts'
import { decodeText } from './decode.ts'
import type { TextState } from './text-walk.ts'

/** Records as text, of bytes that arrive in pieces; what is incomplete waits for the next piece. */
function recordsOf(pieces: readonly Uint8Array[], stream?: string): string[] {
  const found: string[] = []
  let state: TextState = 'lines'
  let held = Buffer.alloc(0)
  for (const [i, piece] of pieces.entries()) {
    held = Buffer.concat([held, piece])
    const { records, end, state: after } = decodeText(held, { state, final: i === pieces.length - 1, stream })
    const lines = held.toString('utf8', 0, end).split('\n')
    if (!records) found.push(...lines.filter((line) => line.trim() !== ''))
    for (let at = 0; at < (records?.length ?? 0); at += 2)
      found.push(held.toString('utf8', records![at], records![at + 1]).trim())
    state = after
    held = held.subarray(end)
  }
  expect(held.length).toBe(0)
  return found
}

const bytewise = (text: string) => Array.from(Buffer.from(text), (byte) => Buffer.of(byte))

describe('the records of', () => {
  test.each<[string, string, readonly string[]]>([
    ['a CloudTrail file', '{"Records":[{"a":1},{"b":{"c":"]}"}}]}', ['{"a":1}', '{"b":{"c":"]}"}}']],
    ['files of the same kind, one after another', '{"Records":[{"a":1}]}{"Records":[{"b":2}]}\n', ['{"a":1}', '{"b":2}']],
    ['an empty list', '{"Records": [ ] }\n{"a":1}', ['{"a":1}']],
    ['diagnostic logs of Azure', '{"records":\n [\n{"a":1},\n{"a":2}\n]\n}\n', ['{"a":1}', '{"a":2}']],
    [
      'a list of Kubernetes audit events',
      '{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{"x":[1]},"items":[{"a":1}]}\nline',
      ['{"a":1}', 'line'],
    ],
    ['the same with sorted keys', '{"apiVersion":"audit.k8s.io/v1","items":[{"a":1}],"kind":"EventList"}', ['{"a":1}']],
    [
      'activities of Google Workspace',
      '{"kind":"admin#reports#activities","etag":"\\"x","items":[{"a":1}],"nextPageToken":"p"}',
      ['{"a":1}'],
    ],
    ['an answer of Microsoft Graph', '{"@odata.context":"https://x","value":[{"a":1}]}', ['{"a":1}']],
    ['an envelope that is cut off', '{"Records":[{"a":1},{"b":', ['{"a":1}', '{"b":']],
    ['an envelope with a broken record', '{"Records":[{"a":1},{"b" 2},{"c":3}]}', ['{"a":1}', '{"b" 2}', '{"c":3}']],
    ['an envelope whose end is missing', '{"Records":[{"a":1}]\n{"b":2}\n', ['{"a":1}', '{"b":2}']],
    ['an object with a list that is no envelope', '{"id":1,"Records":[{"a":1}]}', ['{"id":1,"Records":[{"a":1}]}']],
    ['an object with a list of something else', '{"records":[1,2]}', ['{"records":[1,2]}']],
    ['a single Kubernetes event', '{"kind":"Event","items":[{"a":1}]}', ['{"kind":"Event","items":[{"a":1}]}']],
    ['another list of Kubernetes', '{"kind":"PodList","items":[{"a":1}]}', ['{"kind":"PodList","items":[{"a":1}]}']],
  ])('%s', (_, text, records) => {
    expect(recordsOf([Buffer.from(text)])).toEqual(records)
    expect(recordsOf(bytewise(text))).toEqual(records)
  })

  test.each<[string, string, readonly string[]]>([
    ['logs', '{"logs":[{"a":1},2],"next":"x"}', ['{"a":1}', '2']],
    [
      'data.logs',
      '{"ok":true,"data":{"n":{"logs":[]},"logs":[{"a":1}],"x":1},"logs":[{"b":2}]}\n{"c":3}',
      ['{"a":1}', '{"c":3}'],
    ],
    ['logs', '{"Records":[{"a":1}]}', ['{"Records":[{"a":1}]}']],
  ])('an envelope named %s', (path, text, records) => {
    expect(recordsOf([Buffer.from(text)], `type=json_array&envelope=${path}`)).toEqual(records)
    expect(recordsOf(bytewise(text), `type=json_array&envelope=${path}`)).toEqual(records)
  })
})

test('lists of any objects are read back, wherever the bytes are cut', () => {
  const list = fc.array(fc.dictionary(fc.string({ maxLength: 4 }), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 3 }), {
    maxLength: 5,
  })
  fc.assert(
    fc.property(
      fc.array(list, { maxLength: 3 }),
      fc.array(fc.nat(2000), { maxLength: 4 }),
      fc.constantFrom('', ' ', '\t'),
      (lists, cuts, indent) => {
        const bytes = Buffer.from(lists.map((Records) => JSON.stringify({ Records }, null, indent)).join('\n'))
        const ends = [...new Set([...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].sort((a, b) => a - b)
        const pieces = ends.map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end))
        expect(recordsOf(pieces).map((text) => JSON.parse(text))).toEqual(JSON.parse(JSON.stringify(lists.flat())))
      },
    ),
    { numRuns: fuzzRuns(), seed: 29 },
  )
})

test('a list of 200,000 records is read in runs', () => {
  const bytes = Buffer.from(`{"Records":[${'{"a":1},'.repeat(199_999)}{"a":1}]}`)
  let state: TextState = 'lines'
  let count = 0
  for (let at = 0; at < bytes.length; ) {
    const rest = bytes.subarray(at, at + 100_000)
    const run = decodeText(rest, { state, isStart: at === 0, final: at + rest.length === bytes.length, maxRecords: 5000 })
    // What was recorded of a run is enough to read it again.
    const again = decodeText(rest.subarray(0, run.end), { state, isStart: at === 0, final: true, endState: run.state })
    expect([again.count, again.end]).toEqual([run.count, run.end])
    count += run.count
    at += run.end
    state = run.state
  }
  expect([count, state]).toEqual([200_000, 'lines'])
})

test.each<[string, (bytes: number) => string]>([
  ['openings of lists that never begin', (n) => '{"kind":"EventList","a":\n'.repeat(n / 25)],
  ['openings without an end', (n) => '{"Records":[{"a":\n'.repeat(n / 18)],
  ['members behind the list', (n) => `{"Records":[]${',"a":1'.repeat(n / 6)}`],
])('%s take time in proportion to their length', (_, text) => {
  const micros = (n: number) => {
    const bytes = Buffer.from(text(n))
    const before = process.cpuUsage()
    decodeText(bytes, { final: true })
    const { user, system } = process.cpuUsage(before)
    return user + system
  }
  micros(4096)
  // Sixteen times the bytes: quadratic time would be 256 times as long.
  expect(micros(1 << 20) / Math.max(micros(1 << 16), 4000)).toBeLessThan(80)
})

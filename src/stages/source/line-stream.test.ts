import { createHash } from 'node:crypto'
import { PassThrough, Readable } from 'node:stream'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fuzzRuns } from '../../../test/support/fuzz.ts'
import type { Chunk } from '../../model/chunk.ts'
import { streamChunks } from './line-stream.ts'

const options = { place: 'p', maxRecordBytes: 200, tell: () => {} }

/** The contents of a stream's chunks, each with its offset. */
function found(chunk: Chunk): string[] {
  const text = Buffer.from(chunk.bytes)
  const records: string[] = chunk.faults.map(({ offset, length, sha256 }) => `${offset}: ${length} ${sha256}`)
  for (let i = 0; chunk.records && i < chunk.records.length; i += 2)
    records.push(`${chunk.offset + chunk.records[i]!}: ${text.toString('latin1', chunk.records[i], chunk.records[i + 1]).trim()}`)
  let at = chunk.offset
  for (const line of chunk.records ? [] : text.toString('latin1').split('\n')) {
    if (line.trim() !== '') records.push(`${at}: ${line}`)
    at += line.length + 1
  }
  return records
}

async function records(pieces: readonly Buffer[]): Promise<string[]> {
  const all: string[] = []
  for await (const { chunk, parsed } of streamChunks(Readable.from(pieces), options)) {
    parsed('')
    all.push(...found(chunk))
  }
  return all
}

const nul = (n: number) => '\0'.repeat(n)
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const long = `{"a":"${'x'.repeat(300)}"}`

test.each<[string, string, readonly string[]]>([
  ['a line that a hole follows', `${'a'.repeat(300)}${nul(64)}b\n`, [`0: 300 ${sha256('a'.repeat(300))}`, '364: b']],
  [
    'a line with NULs that are not a hole, and with a hole',
    `${'a'.repeat(300)}${nul(63)}a${nul(70)}b\n`,
    [`0: 364 ${sha256(`${'a'.repeat(300)}${nul(63)}a`)}`, '434: b'],
  ],
  ['a last line that ends with NULs', `${'a'.repeat(300)}${nul(5)}`, [`0: 305 ${sha256(`${'a'.repeat(300)}${nul(5)}`)}`]],
  ['a value', `${long}\n{"b":1}\n`, [`0: ${long.length} ${sha256(long)}`, `${long.length + 1}: {"b":1}`]],
  [
    'a text of a sequence',
    `\x1e{\n"a":"${'x'.repeat(300)}"}\n\x1e{"b":1}\n`,
    [`0: 310 ${sha256(`\x1e{\n"a":"${'x'.repeat(300)}"}`)}`, '312: {"b":1}'],
  ],
  [
    'a value without its end',
    `{"a":"${'x'.repeat(300)}${nul(80)}{"b":1}\n`,
    [`0: 306 ${sha256(`{"a":"${'x'.repeat(300)}`)}`, '386: {"b":1}'],
  ],
])('an over-long record is the same wherever the stream is cut: %s', async (_, text, wanted) => {
  const bytes = Buffer.from(text, 'latin1')
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 8 }), async (lengths) => {
      // The record is over-long before its end is reached.
      const pieces = [bytes.subarray(0, 250)]
      let at = 250
      for (const length of lengths) {
        pieces.push(bytes.subarray(at, at + length))
        at += length
      }
      const given = [...pieces, bytes.subarray(at)].filter(({ length }) => length > 0)
      expect(await records(given)).toEqual(wanted)
    }),
    { numRuns: fuzzRuns(300), seed: 30 },
  )
})

test('records after an over-long value are returned at once, not only after the same amount of data again', async () => {
  const stream = new PassThrough()
  const chunks = streamChunks(stream, { ...options, maxRecordBytes: 2 << 20 })
  const next = async () => found((await chunks.next()).value!.chunk)
  stream.write(`{"a":"${'x'.repeat(3 << 20)}`)
  const first = next()
  stream.write('"}\n{"b":1}\n')
  expect(await first).toEqual([expect.stringMatching(/^0: \d+ /)])
  expect(await next()).toEqual([expect.stringMatching(/: \{"b":1\}$/)])
  stream.destroy()
})

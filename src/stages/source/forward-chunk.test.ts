import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fuzzRuns } from '../../../test/support/fuzz.ts'
import { isObject } from '../../model/json.ts'
import { MsgpackFrames, MsgpackTooLarge } from '../../util/msgpack/frames.ts'
import { MalformedMsgpack } from '../../util/msgpack/head.ts'
import { MsgpackReader } from '../../util/msgpack/reader.ts'
import { msgpackOf } from '../../util/msgpack/write.ts'
import { BrokenCoding, TooMuch } from './content-coding.ts'
import { decodeBody } from './decoders/decode.ts'
import { type OnEntry, readMessage, readPacked } from './decoders/forward-message.ts'
import { type ForwardChunk, forwardChunk } from './forward-chunk.ts'

const limits = { maxBytes: 100_000, hold: () => {} }
const packed = Buffer.concat([msgpackOf([1, { n: 1, list: ['a', null] }]), msgpackOf([2, { n: 2 }])])
const messages = [
  msgpackOf(['app', 1, { n: 1, deep: { list: [true, 'é'] } }, { chunk: 'a' }]),
  msgpackOf([
    'app',
    [
      [1, { n: 1 }],
      [[2, { from: 'bit' }], { n: 2 }],
    ],
    { chunk: 'b' },
  ]),
  msgpackOf(['app', packed, { size: 2 }]),
  msgpackOf(['app', gzipSync(packed), { compressed: 'gzip' }]),
]

function countIn({ bytes }: ForwardChunk): number {
  const decoded = decodeBody(bytes, 'fluent-forward')
  if ('broken' in decoded) throw new Error(decoded.broken)
  return decoded.count
}

/** How many entries are records: a blank text, alone or as a line that a shipper has read, is not. */
function recordsIn({ bytes }: ForwardChunk): number {
  let count = 0
  const on: OnEntry = (_, { record }) => {
    const values = isObject(record) ? Object.entries(record) : []
    const isLine = values.length === 1 && /^(log|message)$/.test(values[0]![0])
    const text = isLine ? values[0]![1] : record
    if (typeof text !== 'string' || /[^\0- ]/.test(text)) count++
  }
  const { tag, packed } = readMessage(new MsgpackReader(bytes), on)
  if (packed) readPacked(tag, packed, on)
  return count
}

test('whatever a sender damages is refused, or is stored so that each of its entries with a text is a record', async () => {
  const message = fc.constantFrom(...messages)
  await fc.assert(
    fc.asyncProperty(message, fc.nat(), fc.nat(4), fc.uint8Array({ maxLength: 4 }), async (bytes, at, length, put) => {
      const from = at % bytes.length
      const damaged = Buffer.concat([bytes.subarray(0, from), put, bytes.subarray(from + length)])
      try {
        for (const frame of new MsgpackFrames(limits.maxBytes).push(damaged)) {
          const chunk = await forwardChunk(frame, limits)
          expect(countIn(chunk)).toBe(recordsIn(chunk))
          expect(countIn(chunk)).toBeLessThanOrEqual(chunk.entries)
        }
      } catch (error) {
        if (error instanceof MsgpackTooLarge) return
        const isRefusal = error instanceof MalformedMsgpack || error instanceof BrokenCoding || error instanceof TooMuch
        if (!isRefusal) throw error
      }
    }),
    { numRuns: fuzzRuns(), seed: 7 },
  )
})

test.each([
  ['gzip', gzipSync(packed)],
  // `zstd -19` of the same entries, with its checksum.
  ['zstd', Buffer.from('KLUv/QRo6QAAkgHfAAAAAqFuAaRsaXN0kqFhwJIC3wAAAAGhbgJ1k762', 'base64')],
])('a message in %s is stored like the same message without compression', async (compressed, bytes) => {
  const plain = await forwardChunk(messages[2]!, limits)
  const chunk = await forwardChunk(msgpackOf(['app', bytes, { compressed }]), limits)
  expect(chunk.entries).toBe(2)
  expect(decodeBody(chunk.bytes, 'fluent-forward')).toEqual(decodeBody(plain.bytes, 'fluent-forward'))
})

test.each([
  ['too many entries', ['app', Buffer.from('920180'.repeat(200_001), 'hex')], /more than 200000 entries/],
  ['a tag that is too long', ['x'.repeat(1001), 1, {}], /the tag has more than 1000 characters/],
  ['a tag that becomes too much', ['x'.repeat(1000), Buffer.from('920180'.repeat(100_000), 'hex')], /the tag times entries/],
  ['a name that is too long', ['app', [], { chunk: 'x'.repeat(1025) }], /the option chunk is not a text of at most 1024/],
])('%s is refused', async (_, message, reason) => {
  await expect(forwardChunk(msgpackOf(message), { ...limits, maxBytes: 10_000_000 })).rejects.toThrow(reason)
})

import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { SpoolBody } from '../../model/spool.ts'
import { Joiner, rowOf } from './joiner.ts'
import { BATCH_BYTES, messageOfBody, messagesOfParts, pieceOf } from './record.ts'

const body = (bytes: number, fill: number): SpoolBody => ({
  sourceId: 'a',
  decoding: 'lines',
  receivedMs: 5,
  body: new Uint8Array(bytes).fill(fill),
})
const small = (text: string): { value: Buffer; headers: Record<string, string> } => ({
  value: Buffer.from(text),
  headers: { decoding: 'lines', received: '5', total: '0' },
})
/** Messages as the parts of a body, without their being large. */
const parts = (group: string, count: number) =>
  Array.from({ length: count }, (_, i) => ({
    value: Buffer.from(`${group}${i} `),
    headers: { ...small('').headers, group, part: String(i + 1), parts: String(count) },
  }))

test('a large body is sent in parts that fit into a batch, and counts with each of them', () => {
  const large = body(2 * BATCH_BYTES, 7)
  const messages = messagesOfParts(large, 'g', 100)
  expect(messages.length).toBe(3)
  for (const { value } of messages) expect(value.length).toBeLessThan(BATCH_BYTES)
  expect(messages.at(-1)!.headers['total']).toBe(String(100 + large.body.length))
  const joiner = new Joiner('t')
  const joined = messages.map((message, offset) => joiner.take({ offset, ...message }, 0))
  expect(joined.map((one) => one?.id)).toEqual([undefined, undefined, 3])
  expect(rowOf(joined[2]!).body).toEqual(large.body)
  expect([joined[2]!.first, joined[2]!.total]).toEqual([0, 100 + large.body.length])
})

test('parts of any number of producers are joined, however they alternate and whoever dies in the middle', () => {
  const producer = fc.record({ bodies: fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 5 }), dies: fc.boolean() })
  fc.assert(
    fc.property(fc.array(producer, { maxLength: 4 }), fc.infiniteStream(fc.nat(1000)), (producers, choice) => {
      const queues = producers.map(({ bodies, dies }, p) => {
        const messages = bodies.flatMap((count, i) => (count === 1 ? [small(`${p}.${i}`)] : parts(`${p}.${i}`, count)))
        return dies ? messages.slice(0, -1) : messages
      })
      const expected = queues.flatMap((messages) =>
        messages.filter(({ headers }) => headers['part'] === headers['parts']).map(({ value }) => value.toString()),
      )
      const joiner = new Joiner('t')
      const found: string[] = []
      for (let offset = 0; queues.some(({ length }) => length > 0); offset++) {
        const left = queues.filter(({ length }) => length > 0)
        const next = left[choice.next().value! % left.length]!.shift()!
        const joined = joiner.take({ offset, ...next }, 0)
        if (!joined) continue
        expect(joined.broken).toBeUndefined()
        expect(joined.id).toBe(offset + 1)
        const [name] = next.value.toString().split(/(?<=\.\d)/)
        const text = Buffer.from(rowOf(joined).body).toString()
        for (const part of text.trim().split(' ')) expect(part.startsWith(name!)).toBe(true)
        found.push(next.value.toString())
      }
      expect(found.toSorted()).toEqual(expected.toSorted())
    }),
    { numRuns: 100 },
  )
})

test('what is not complete is needed until it is given up', () => {
  const joiner = new Joiner('t')
  const [first, , last] = parts('g', 3)
  joiner.take({ offset: 4, ...first! }, 0)
  expect(joiner.floor()).toBe(4)
  joiner.expire(180_000)
  expect(joiner.floor()).toBe(4)
  joiner.expire(180_001)
  expect(joiner.floor()).toBeUndefined()
  expect(joiner.take({ offset: 5, ...last! }, 0)?.broken).toMatch(/offset 5 is incomplete/)
})

test.each([
  { part: '0', parts: '2' },
  { part: '3', parts: '2' },
  { part: '1', parts: '100001' },
  { part: '-1', parts: '2' },
  { part: '1e1', parts: '20' },
  { total: '99999999999999999999' },
  { received: 'now' },
])('a message with the headers %j is not one of Caracal', (headers) => {
  const own = { ...small('').headers, group: 'g', part: '1', parts: '2' }
  expect(pieceOf({ offset: 1, value: new Uint8Array(), headers: { ...own, ...headers } })).toBeUndefined()
})

test('a body in one message counts with itself', () => {
  expect(messageOfBody(body(3, 1), 10).headers).toEqual({ decoding: 'lines', received: '5', total: '10' })
})

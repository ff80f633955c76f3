import { expect, test } from 'vitest'
import { TestTopic } from '../../../../test/support/topic.ts'
import type { Cursor, Extent } from '../../../model/batch.ts'
import type { Chunk } from '../../../model/chunk.ts'
import { NOTHING_OUTSIDE } from '../source.ts'
import { kafka } from './kafka.ts'
import { KafkaSource } from './kafka-source.ts'
import type { Start } from './partition.ts'

const NO_DEPS = { cursors: [], wake: () => {}, now: Date.now, maxRecordBytes: 1024, outside: NOTHING_OUTSIDE }

const open = (topic: TestTopic, cursors: readonly Cursor[] = [], start: Start = 'earliest') =>
  new KafkaSource({ id: 'k', start, join: (member) => topic.join(member), deps: { cursors, wake: () => {} } })

interface Taken {
  readonly chunks: Chunk[]
  readonly extents: Extent[]
  cursor: Cursor | undefined
}

/** Reads one batch; `commit` makes its effects durable. */
async function one(source: KafkaSource, into: Taken, commit = true): Promise<boolean> {
  const extent = (await source.next()) as Extent | undefined
  if (!extent) return false
  into.extents.push(structuredClone(extent))
  into.chunks.push(...(await source.read(extent)))
  into.cursor = source.parsed(extent)
  if (commit) source.committed(extent)
  await settled()
  return true
}

async function take(source: KafkaSource): Promise<Taken> {
  const taken: Taken = { chunks: [], extents: [], cursor: undefined }
  while (await one(source, taken));
  return taken
}
/** What waits for a commit has gone on. */
const settled = () => new Promise((resolve) => setImmediate(resolve))
const texts = ({ chunks }: { chunks: readonly Chunk[] }) =>
  chunks.map(({ bytes }) => Buffer.from(bytes).toString()).filter(Boolean)
const letters = ({ chunks }: { chunks: readonly Chunk[] }) => chunks.flatMap(({ faults }) => faults.map(({ message }) => message))
const numbered = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `{"n":${from + i}}`)

test('messages are read in order over several fetches, and the offset is stored once they are committed', async () => {
  const topic = new TestTopic()
  topic.produce(numbered(0, 250))
  const source = open(topic)
  expect(texts(await take(source))).toEqual(numbered(0, 250))
  expect(topic.committed).toEqual({ offset: 250, by: source.name })
})

test('nothing is fetched beyond one fetch, and no offset stored, while a batch is not committed', async () => {
  const topic = new TestTopic()
  topic.produce(numbered(0, 250))
  const source = open(topic)
  const taken: Taken = { chunks: [], extents: [], cursor: undefined }
  await one(source, taken, false)
  expect(await source.next()).toBeUndefined()
  expect(topic.committed).toBeUndefined()
  source.committed(taken.extents[0]!)
  await settled()
  expect(texts(await take(source))).toEqual(numbered(100, 250))
})

test('row ids depend on the offset alone: a batch cut elsewhere gives the same', async () => {
  const topic = new TestTopic()
  topic.produce(numbered(0, 60))
  const places = ({ chunks }: Taken) => chunks.map(({ place }) => place)
  const whole = places(await take(open(topic)))
  const other = new TestTopic()
  other.fetchSize = 7
  other.produce(numbered(0, 60))
  expect(places(await take(open(other)))).toEqual(whole)
  expect(new Set(whole).size).toBe(60)
})

test('tombstones and ends of transactions are no records, and a message with an array holds several', async () => {
  const topic = new TestTopic()
  topic.produce(['{"n":0}', null, undefined, '[{"n":1},{"n":2}]', '', undefined])
  const { chunks } = await take(open(topic))
  expect(chunks.map(({ bytes, records }) => [Buffer.from(bytes).toString(), records && [...records]])).toEqual([
    ['{"n":0}', undefined],
    ['[{"n":1},{"n":2}]', [1, 8, 9, 16]],
  ])
  expect(topic.committed?.offset).toBe(6)
})

test('state wins over an older or a newer offset of its own: a restored backup is read again from where it was', async () => {
  const topic = new TestTopic()
  topic.produce(numbered(0, 20))
  const first = open(topic)
  const backup = (await take(first)).cursor!
  topic.produce(numbered(20, 40))
  await take(first)
  expect(topic.committed).toEqual({ offset: 40, by: first.name })
  expect(texts(await take(open(topic, [backup])))).toEqual(numbered(20, 40))
  topic.committed = { offset: 3, by: first.name }
  expect(texts(await take(open(topic, [backup])))).toEqual(numbered(20, 40))
})

test('without state the offset of the group is used', async () => {
  const topic = new TestTopic()
  topic.produce(numbered(0, 20))
  topic.committed = { offset: 15, by: '' }
  expect(texts(await take(open(topic)))).toEqual(numbered(15, 20))
})

test('`start: latest` leaves out what is there, and remembers where it began', async () => {
  const topic = new TestTopic()
  topic.produce(numbered(0, 5))
  const source = open(topic, [], 'latest')
  expect(texts(await take(source))).toEqual([])
  expect(source.doneTo(topic.place)).toBe(5)
  topic.produce(numbered(5, 8))
  expect(texts(await take(source))).toEqual(numbered(5, 8))
})

test('in a rebalance, what was read is finished first, what was only fetched is left to the next member', async () => {
  const topic = new TestTopic()
  topic.fetchSize = 10
  topic.produce(numbered(0, 30))
  const [a, b] = [open(topic), open(topic)]
  const byA: Taken = { chunks: [], extents: [], cursor: undefined }
  await one(a, byA)
  await one(a, byA, false)
  let isHandedOver = false
  const handedOver = topic.revoke().then(() => {
    isHandedOver = true
  })
  expect(await a.next()).toBeUndefined()
  expect(isHandedOver).toBe(false)
  a.committed(byA.extents[1]!)
  await handedOver
  const byB = await take(b)
  expect([...texts(byA), ...texts(byB)]).toEqual(numbered(0, 30))
  // And back: state of the first is behind what the second has done.
  await topic.revoke()
  topic.produce(numbered(30, 40))
  topic.assign(a)
  expect(texts(await take(a))).toEqual(numbered(30, 40))
})

test('a batch that was recorded before a crash is left to the member that has dealt with it since', async () => {
  const topic = new TestTopic()
  topic.produce(numbered(0, 10))
  const first = await take(open(topic))
  topic.produce(numbered(10, 30))
  const a = open(topic, [first.cursor!])
  const extent = (await a.next())!
  await topic.revoke()
  const crashed = structuredClone(extent)
  expect(texts(await take(open(topic)))).toEqual(numbered(10, 30))
  const again = open(topic, [first.cursor!])
  expect(texts({ chunks: [...(await again.read(crashed))] })).toEqual([])
  again.parsed(crashed)
  again.committed(crashed)
  expect(texts(await take(again))).toEqual([])
  expect(topic.committed?.offset).toBe(30)
})

test('a batch that was recorded before a crash is read again, over more fetches than the first time', async () => {
  const topic = new TestTopic()
  topic.produce(numbered(0, 50))
  const extent = (await open(topic).next())!
  topic.fetchSize = 7
  const source = open(topic)
  expect(texts({ chunks: [...(await source.read(extent))] })).toEqual(numbered(0, 50))
  source.parsed(extent)
  source.committed(extent)
  await settled()
  topic.produce(numbered(50, 60))
  expect(texts(await take(source))).toEqual(numbered(50, 60))
})

test('a partition that another member has is waited for', async () => {
  const topic = new TestTopic()
  topic.produce(numbered(0, 5))
  const source = open(topic)
  const extent = (await source.next())!
  await topic.revoke()
  await expect(source.read(extent)).rejects.toThrow(/partition 0 of topic 'logs' is not assigned to this member yet/)
})

test('messages deleted before they were read are a dead letter that counts them', async () => {
  const topic = new TestTopic()
  topic.produce(numbered(0, 10))
  const first = await take(open(topic))
  topic.produce(numbered(10, 40))
  topic.low = 25
  const taken = await take(open(topic, [first.cursor!]))
  expect(texts(taken)).toEqual(numbered(25, 40))
  expect(letters(taken)).toEqual([
    expect.stringMatching(
      /^up to 15 messages of partition 0 of topic 'logs' were deleted before they were read, from offset 10 on/,
    ),
  ])
})

test('messages deleted while reading is behind are a dead letter, too', async () => {
  const topic = new TestTopic()
  topic.fetchSize = 10
  topic.produce(numbered(0, 40))
  const source = open(topic)
  const taken: Taken = { chunks: [], extents: [], cursor: undefined }
  await one(source, taken, false)
  topic.low = 25
  source.committed(taken.extents[0]!)
  await settled()
  const rest = await take(source)
  expect([...texts(taken), ...texts(rest)]).toEqual([...numbered(0, 10), ...numbered(25, 40)])
  expect(letters(rest)).toEqual([expect.stringMatching(/^up to 15 messages/)])
})

test('a topic that was deleted and created again is read from its beginning, and that is said', async () => {
  const topic = new TestTopic()
  topic.produce(numbered(0, 10))
  const { cursor } = await take(open(topic))
  topic.log.length = 0
  topic.produce(numbered(0, 3))
  const source = open(topic, [cursor!])
  expect(texts(await take(source))).toEqual(numbered(0, 3))
  expect(source.status().notices).toEqual([expect.stringMatching(/ends at offset 3, but was read to 10/)])
})

test.each<[string, object, RegExp]>([
  ['brokers', { brokers: ['kafka'] }, /as in kafka1\.example\.com:9092/],
  ['topics', { topics: ['a b'] }, /the name of a topic/],
  ['password', { sasl: { mechanism: 'plain', username: 'u', password: 'p' } }, /a secret is not written in the configuration/],
  ['tls', { tls: { cert: { file: 'c.pem' } } }, /takes both `cert` and `key`/],
])('a wrong %s is refused', (_, config, message) => {
  const parsed = kafka.config.safeParse({ id: 'k', brokers: ['kafka1.example.com:9092'], topics: ['logs'], ...config })
  expect(JSON.stringify(parsed.error?.issues)).toMatch(message)
})

test('a password is not sent in the clear to another machine', () => {
  const sasl = { mechanism: 'plain', username: 'u', password: { env: 'P' } }
  const start =
    (brokers: string[], more = {}) =>
    () =>
      kafka.seekable!(kafka.config.parse({ id: 'k', brokers, topics: ['logs'], sasl, ...more }), NO_DEPS)
  const refusal = /source 'k': the mechanism `plain` sends the password as it is, which anyone on the way can read: add `tls`/
  expect(start(['127.0.0.1:9092', 'kafka1.example.com:9092'])).toThrow(refusal)
  expect(start(['kafka1.example.com:9092'], { tls: {} })).not.toThrow(refusal)
  expect(start(['127.0.0.1:9092'])).not.toThrow(refusal)
})

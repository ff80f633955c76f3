import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Partitioners } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { configSchema } from '../../src/config/config.ts'
import { kafkaSpoolExamination } from '../../src/engine/doctor/kafka-spool.ts'
import { openKafkaSpool } from '../../src/engine/kafka-spool.ts'
import type { SpoolPlace } from '../../src/model/spool.ts'
import { KafkaSpool } from '../../src/pipeline/kafka-spool/kafka-spool.ts'
import { Spool } from '../../src/pipeline/spool.ts'
import { openSqlite } from '../../src/state/sqlite.ts'
import { StorageError } from '../../src/util/errors.ts'
import { sha256 } from '../../src/util/hash.ts'
import { KafkaLink } from '../../src/util/kafka/link.ts'
import { deleteBefore, fetch } from '../../src/util/kafka/log.ts'
import { bodyOf, drained, spoolSuite } from '../suites/spools.ts'
import { Broker, kafkaPeer, LOGIN } from './support/kafka.ts'

const WAIT = { timeout: 60_000, interval: 100 }

let broker: Broker
const folder = mkdtempSync(join(tmpdir(), 'caracal-peer-spool-'))
const open = new Set<KafkaSpool>()

function spoolOf(prefix: string, more: object = {}): KafkaSpool {
  const config = {
    type: 'kafka' as const,
    brokers: [`127.0.0.1:${broker.ports.plain}`],
    topic_prefix: prefix,
    create_topics: true,
  }
  const made = openKafkaSpool({ ...config, ...more }, folder, () => {})
  open.add(made)
  return made
}
const append = async (spool: KafkaSpool, text: string | Uint8Array) => {
  await spool.open('a')
  await spool.append(bodyOf('a', text))
}
/** Everything up to a text. */
async function until(spool: KafkaSpool, text: string) {
  const all = await drained(spool, 'a')
  await expect
    .poll(async () => {
      const more = await drained(spool, 'a', all.place)
      all.texts.push(...more.texts)
      all.lost.push(...more.lost)
      all.place = more.place
      return all.texts
    }, WAIT)
    .toContain(text)
  return all
}

describe.skipIf(kafkaPeer.why)(`the spool on Apache Kafka${kafkaPeer.why ? ` (${kafkaPeer.why})` : ''}`, () => {
  beforeAll(async () => {
    broker = await Broker.start()
  })
  afterAll(async () => {
    for (const spool of open) await spool.close()
    await broker.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  spoolSuite({ open: async (name) => spoolOf(name) })

  test('what another process appends is announced while nothing looks for it', async () => {
    const news: string[] = []
    const reader = new KafkaSpool({
      ...{ client: () => broker.client, prefix: 'heard', mayCreate: true, replicationFactor: -1, tickMs: 3_600_000 },
      onSpooled: (sourceId) => void news.push(sourceId),
    })
    open.add(reader)
    const other = spoolOf('heard')
    const appended = async (sourceId: string) => {
      await other.open(sourceId)
      await other.append(bodyOf(sourceId, 'text'))
      await expect.poll(() => news.splice(0), WAIT).toContain(sourceId)
    }
    expect([await reader.next('a', undefined), await reader.next('b', undefined)]).toEqual([undefined, undefined])
    for (const sourceId of ['a', 'b', 'b', 'a']) {
      await appended(sourceId)
      // The end is reached again.
      await expect.poll(async () => (await drained(reader, sourceId)).texts, WAIT).toContain('text')
    }
  })

  test('a body of 20 MB is stored in parts and read whole; two producers alternate', async () => {
    const [one, two, reader] = [spoolOf('parts'), spoolOf('parts'), spoolOf('parts')]
    const large = (seed: number) => new Uint8Array(20_000_000).map((_, i) => (i * seed) >>> 8)
    await Promise.all([
      append(one, large(31)),
      append(two, large(37)),
      ...Array.from({ length: 50 }, async (_, i) => append(i % 2 ? one : two, `small ${i}`)),
    ])
    const found: Uint8Array[] = []
    let place: SpoolPlace | undefined
    for (let range = await reader.next('a', place); range; range = await reader.next('a', place)) {
      found.push(...(await reader.read('a', range)).rows.map(({ body }) => body))
      place = { epoch: range.epoch, id: range.to }
    }
    const sums = found.filter(({ length }) => length === 20_000_000).map((body) => sha256(body))
    expect(sums.toSorted()).toEqual([sha256(large(31)), sha256(large(37))].toSorted())
    const small = found.filter(({ length }) => length < 100).map((body) => Buffer.from(body).toString())
    expect(small.toSorted()).toEqual(Array.from({ length: 50 }, (_, i) => `small ${i}`).toSorted())
    // Messages of the two did alternate: no body's parts are all together, or the test shows nothing.
    const records = await recordsOf('parts.a')
    const groups = records.flatMap(({ group }) => group ?? [])
    expect(groups.lastIndexOf(groups[0]!)).toBeGreaterThan(groups.findIndex((group) => group !== groups[0]))
  })

  test('what a producer did not finish is passed over, and what follows is read and freed', async () => {
    const spool = spoolOf('unfinished')
    await append(spool, 'before')
    const headers = { decoding: 'lines', received: '1', total: '10', group: 'dead', parts: '3' }
    await send('unfinished.a', [
      { value: 'x', headers: { ...headers, part: '1' } },
      { value: 'y', headers: { ...headers, part: '2' } },
    ])
    await append(spool, 'after')
    expect((await until(spool, 'after')).texts).toEqual(['before', 'after'])
  })

  test('what is freed does not take the beginning of a body whose end is still to come', async () => {
    const spool = spoolOf('begun')
    const headers = { decoding: 'lines', received: '1', total: '10', group: 'slow', parts: '2' }
    await append(spool, 'before')
    await send('begun.a', [{ value: 'begin ', headers: { ...headers, part: '1' } }])
    await append(spool, 'between')
    const { texts, place } = await until(spool, 'between')
    expect(texts).toEqual(['before', 'between'])
    spool.free('a', place!)
    // The beginning and what came after it stay.
    await expect.poll(() => broker.held('begun.a'), WAIT).toBe(2)
    await send('begun.a', [{ value: 'end', headers: { ...headers, part: '2' } }])
    // Also another process, which goes on after the same place, finds all of it.
    const other = spoolOf('begun')
    expect((await drained(other, 'a', place)).texts).toEqual(['begin end'])
  })

  test('doctor says that the brokers answer, which topics are to be created, and what is wrong with others', async () => {
    const brokers = [`127.0.0.1:${broker.ports.plain}`]
    const config = { type: 'kafka' as const, brokers, topic_prefix: 'doctor', create_topics: true }
    const { sources } = configSchema.parse({ sources: [{ type: 'http', id: 'a' }] })
    const found = async (more: object = {}) => kafkaSpoolExamination({ data_dir: folder, sources }, { ...config, ...more }).run()
    expect(await found()).toMatchObject({
      state: 'ok',
      message: 'Kafka answers (1 broker), and 1 of 1 topics will be created',
    })
    expect(await found({ create_topics: false })).toMatchObject({ state: 'failed', message: 'topics are missing: doctor.a' })
    await broker.topic('doctor.a', 1)
    expect(await found()).toMatchObject({
      state: 'warning',
      message: expect.stringContaining("topic 'doctor.a' has retention.ms="),
    })
    await append(spoolOf('doctored'), 'x')
    expect(await found({ topic_prefix: 'doctored' })).toMatchObject({ state: 'ok', message: 'Kafka answers (1 broker)' })
    await broker.topic('broad.a', 2)
    expect(await found({ topic_prefix: 'broad' })).toMatchObject({
      state: 'failed',
      message: expect.stringContaining('has 2 partitions'),
    })
    expect(await found({ brokers: ['127.0.0.1:9'] })).toMatchObject({
      state: 'failed',
      message: expect.stringMatching(/^Kafka: .*127/),
    })
  })

  test('a last part whose beginning is missing, and a message of someone else, become dead letters', async () => {
    const spool = spoolOf('hostile')
    await append(spool, 'before')
    const headers = { decoding: 'lines', received: '1', total: '10', group: 'cut', part: '2', parts: '2' }
    await send('hostile.a', [{ value: 'end', headers }, { value: 'nothing of ours' }, { value: null }])
    await append(spool, 'after')
    expect((await until(spool, 'after')).texts).toEqual([
      'before',
      expect.stringContaining('is incomplete'),
      expect.stringContaining('offset 2 of topic'),
      expect.stringContaining('offset 3 of topic'),
      'after',
    ])
  })

  test('a topic that was deleted and created again is reported, and read from its beginning', async () => {
    const spool = spoolOf('recreated')
    for (const text of ['one', 'two', 'three']) await append(spool, text)
    const first = (await spool.next('a', undefined))!
    const place = { epoch: first.epoch, id: first.from }
    const admin = broker.client.admin()
    await admin.connect()
    await admin.deleteTopics({ topics: ['recreated.a'] })
    await admin.disconnect()
    // Created again by the first append that succeeds.
    await expect.poll(async () => append(spool, 'new').then(() => 'stored', String), WAIT).toBe('stored')
    const again = spoolOf('recreated')
    const { texts, lost } = await drained(again, 'a', place)
    expect(new Set(texts)).toEqual(new Set(['new']))
    expect(lost).toEqual([expect.stringContaining('was deleted and created again after body 1')])
    const range = await again.read('a', first)
    expect([range.rows, range.lost]).toEqual([[], expect.stringContaining('was deleted and created again')])
    // The process that was running finds out as well.
    expect(new Set((await until(spool, 'new')).texts)).toEqual(new Set(['new']))
  })

  test('what was deleted before it was read is reported with its offsets', async () => {
    const spool = spoolOf('retained')
    for (const text of ['one', 'two', 'three']) await append(spool, text)
    const first = (await spool.next('a', undefined))!
    const link = new KafkaLink(() => broker.client)
    const { leader } = (await link.topic('retained.a'))!
    await deleteBefore(link, { topic: 'retained.a', leader: leader! }, 2)
    await link.close()
    const again = spoolOf('retained')
    const { texts, lost } = await drained(again, 'a', { epoch: first.epoch, id: 1 })
    expect(texts).toEqual(['three'])
    expect(lost).toEqual([expect.stringContaining('offsets 1 to 1, were deleted before they were read')])
    const range = await again.read('a', { ...first, from: 1, to: 3 })
    expect(range.rows.map(({ body }) => Buffer.from(body).toString())).toEqual(['three'])
    expect(range.lost).toContain('offsets 0 to 1, were deleted')
  })

  test('committed messages are deleted, their offset is stored, and another process knows what waits', async () => {
    const spool = spoolOf('freed')
    for (const text of ['one', 'two', 'three']) await append(spool, text)
    const first = (await spool.next('a', undefined))!
    spool.free('a', { epoch: first.epoch, id: 2 })
    await expect.poll(() => broker.held('freed.a'), WAIT).toBe(1)
    expect(await broker.lag('freed', 'freed.a')).toBe(1)
    const other = spoolOf('freed')
    await other.open('a')
    expect(other.bytes('a')).toBe(5)
    await append(spool, 'four!')
    await expect.poll(() => other.bytes('a'), WAIT).toBe(10)
  })

  test('a missing topic that must not be created is refused with the command that creates it; two partitions are refused', async () => {
    const spool = spoolOf('closed', { create_topics: false, replication_factor: 3 })
    await expect(append(spool, 'x')).rejects.toThrow(
      /topic 'closed\.a' is missing\. Create it: .* --topic closed\.a --partitions 1 --replication-factor 3 .*min\.insync\.replicas=2/,
    )
    await broker.topic('wide.a', 2)
    await expect(append(spoolOf('wide'), 'x')).rejects.toThrow(/topic 'wide\.a' has 2 partitions, and the spool needs 1/)
  })

  test('with a login over TLS, and a wrong password named as what it is', async () => {
    process.env['SPOOL_TEST_PASSWORD'] = LOGIN.password
    const more = {
      brokers: [`127.0.0.1:${broker.ports.tls}`],
      tls: { ca: { file: broker.ca } },
      sasl: { mechanism: 'scram-sha-512' as const, username: LOGIN.username, password: { env: 'SPOOL_TEST_PASSWORD' } },
    }
    const spool = spoolOf('login', more)
    await append(spool, 'over TLS')
    expect((await drained(spool, 'a')).texts).toEqual(['over TLS'])
    process.env['SPOOL_TEST_PASSWORD'] = 'wrong-password'
    const refused = await append(spoolOf('login', more), 'x').catch((error) => error)
    expect([refused instanceof StorageError, refused.message]).toEqual([true, expect.stringMatching(/authentication failed/i)])
    expect(refused.message).not.toContain('wrong-password')
  })

  test('bodies that wait in the file of the data folder are not left there unread', async () => {
    const own = mkdtempSync(join(folder, 'waiting-'))
    const file = new Spool(openSqlite(join(own, 'spool.db')))
    file.append([bodyOf('a', 'x')])
    file.close()
    const config = { type: 'kafka' as const, brokers: ['127.0.0.1:9'], topic_prefix: 'x', create_topics: true }
    expect(() => openKafkaSpool(config, own, () => {})).toThrow(/1 bodies wait in spool\.db/)
  })

  test('the broker is killed and started again under load: what was acknowledged is there once, and refusals are quick', async () => {
    const [writer, reader] = [spoolOf('killed'), spoolOf('killed')]
    await append(writer, 'first')
    const acknowledged: string[] = []
    const refused: unknown[] = []
    const slow: number[] = []
    let isSending = true
    const senders = Array.from({ length: 4 }, async (_, sender) => {
      for (let n = 0; isSending; n++) {
        const text = `${sender}/${n}`
        const beganMs = performance.now()
        await append(writer, text).then(
          () => acknowledged.push(text),
          (error) => refused.push(error),
        )
        if (performance.now() - beganMs > 30_000) slow.push(n)
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    })
    await expect.poll(() => acknowledged.length, WAIT).toBeGreaterThan(100)
    await broker.kill()
    await expect.poll(() => refused.length, WAIT).toBeGreaterThan(10)
    expect(writer.trouble()).toMatch(/Kafka/)
    const before = acknowledged.length
    await broker.again()
    await expect.poll(() => acknowledged.length, WAIT).toBeGreaterThan(before + 100)
    isSending = false
    await Promise.all(senders)
    await append(writer, 'last')
    await expect.poll(() => writer.trouble(), WAIT).toBeUndefined()
    const { texts, lost } = await until(reader, 'last')
    expect(lost).toEqual([])
    const counts = new Map<string, number>()
    for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1)
    expect(acknowledged.filter((text) => counts.get(text) !== 1)).toEqual([])
    for (const error of refused) expect(error).toBeInstanceOf(StorageError)
    expect(slow).toEqual([])
  })
})

interface Sent {
  readonly value: string | null
  readonly headers?: Record<string, string>
}

/** Messages of something else than Caracal's spool. */
async function send(topic: string, messages: Sent[]): Promise<void> {
  const producer = broker.client.producer({ createPartitioner: Partitioners.DefaultPartitioner })
  await producer.connect()
  await producer.send({ topic, messages })
  await producer.disconnect()
}

/** The groups of all messages of a topic, in order. */
async function recordsOf(topic: string): Promise<{ group: string | undefined }[]> {
  const link = new KafkaLink(() => broker.client)
  const { leader } = (await link.topic(topic))!
  const found: { group: string | undefined }[] = []
  for (let at = 0; ; ) {
    const { records, next, high } = await fetch(link, { topic, leader: leader! }, at, 4 * 1024 * 1024)
    found.push(...records.map(({ headers }) => ({ group: headers['group'] })))
    at = next
    if (at >= high) break
  }
  await link.close()
  return found
}

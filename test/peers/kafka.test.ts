import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { Caracal, freePort } from '../support/caracal.ts'
import { seeded } from '../support/random.ts'
import { Broker, kafkaPeer, LOGIN } from './support/kafka.ts'

const SCHEMA = 'schema: Custom.Numbered\nfields:\n  - { name: n, type: bigint, required: true }\n'
/** `KAFKA_KILLS=30 KAFKA_SEED=7` for more of the test that kills. */
const KILLS = Number(process.env['KAFKA_KILLS'] ?? 5)
const SEED = Number(process.env['KAFKA_SEED'] ?? 20_261_129)
const LONG = 120_000 + KILLS * 40_000
const WAIT = { timeout: 110_000, interval: 300 }

let broker: Broker
const folders: string[] = []
const running = new Set<Caracal>()

/** Caracal that reads a topic, not started yet. */
async function reader(topic: string, source: object = {}): Promise<Caracal> {
  const folder = mkdtempSync(join(tmpdir(), 'caracal-peer-kafka-'))
  folders.push(folder)
  mkdirSync(join(folder, 'content'))
  writeFileSync(join(folder, 'content/numbered.yml'), SCHEMA)
  writeFileSync(join(folder, 'password'), LOGIN.password)
  const port = await freePort()
  const kafka = {
    type: 'kafka',
    id: 'k',
    brokers: [`127.0.0.1:${broker.ports.plain}`],
    topics: [topic],
    group: `${topic}-readers`,
  }
  const sources = [{ ...kafka, log_types: ['Custom.Numbered'], ...source }]
  const config = { listen: `127.0.0.1:${port}`, flush_ms: 200, sources }
  writeFileSync(join(folder, 'caracal.yml'), JSON.stringify(config))
  const caracal = new Caracal({ port, dataDir: join(folder, 'data'), cwd: folder, args: ['--no-demo'] })
  running.add(caracal)
  return caracal
}

/** Of all stored events: a row holds a thousand of them, since the number of rows of an answer is limited. */
const numbers = async (caracal: Caracal): Promise<number[]> => {
  const lists = "SELECT arrayStringConcat(groupArray(toString(n)), ' ') FROM logs.custom_numbered GROUP BY intDiv(n, 1000)"
  return (await caracal.query(lists)).flatMap(([list]) => String(list).split(' ').map(Number))
}
const received = async (caracal: Caracal) => {
  const answer = (await (await caracal.fetch('/api/v1/sources')).json()) as {
    results: { id: string; records: { received: number }; notices: string[] }[]
  }
  return answer.results.find(({ id }) => id === 'k')!
}
const sorted = (list: readonly number[]) => list.toSorted((a, b) => a - b)
const upTo = (count: number) => Array.from({ length: count }, (_, n) => n)
const folderOf = (caracal: Caracal) => join(caracal.dataDir, '..')

describe.skipIf(kafkaPeer.why)(`Apache Kafka${kafkaPeer.why ? ` (${kafkaPeer.why})` : ''}`, () => {
  beforeAll(async () => {
    broker = await Broker.start()
  })
  afterEach(async () => {
    for (const caracal of running) if (caracal.pid !== undefined) await caracal.end('SIGKILL')
    running.clear()
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
  })
  afterAll(() => broker.stop())

  test('killed in the middle, nothing is lost or doubled, and the group has no lag in the end', async () => {
    await broker.topic('killed', 3)
    await broker.produce('killed', 0, 10_000)
    const caracal = await reader('killed')
    await caracal.start()
    await expect.poll(async () => (await received(caracal)).records.received, WAIT).toBeGreaterThan(0)
    await caracal.end('SIGKILL')
    await broker.produce('killed', 10_000, 15_000)
    await caracal.start()
    await expect.poll(async () => (await received(caracal)).records.received, WAIT).toBe(15_000)
    await expect.poll(async () => sorted(await numbers(caracal)), WAIT).toEqual(upTo(15_000))
    await expect.poll(() => broker.lag('killed-readers', 'killed'), WAIT).toBe(0)
    expect(await caracal.end('SIGTERM')).toBe(0)
  })

  test(`killed ${KILLS} times at random moments while it reads, what the broker holds is stored exactly once`, {
    timeout: LONG,
  }, async () => {
    const random = seeded(SEED)
    await broker.topic('crashed', 3)
    const caracal = await reader('crashed')
    // Messages arrive all the time, so that each kill is in the middle of something; they are paced, because the
    // broker takes them faster than anything can read them.
    let sent = 0
    let isProducing = true
    const producing = (async () => {
      for (; isProducing; sent += 500) {
        await broker.produce('crashed', sent, sent + 500)
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    })()
    let kills = 0
    for (; kills < KILLS; kills++) {
      await caracal.start()
      const before = (await received(caracal)).records.received
      await expect.poll(async () => (await received(caracal)).records.received, WAIT).toBeGreaterThan(before)
      await new Promise((resolve) => setTimeout(resolve, random() * 1500))
      await caracal.end('SIGKILL')
    }
    isProducing = false
    await producing
    await caracal.start()
    const held = await broker.held('crashed')
    expect(held).toBe(sent)
    await expect.poll(() => broker.lag('crashed-readers', 'crashed'), WAIT).toBe(0)
    await expect.poll(async () => (await received(caracal)).records.received, WAIT).toBe(held)
    await expect.poll(() => caracal.query('SELECT count() FROM logs.custom_numbered'), WAIT).toEqual([[held]])
    const all = 'SELECT uniqExact(n), uniqExact(p_row_id), min(n), max(n) FROM logs.custom_numbered'
    expect(await caracal.query(all)).toEqual([[held, held, 0, held - 1]])
    expect(await caracal.end('SIGTERM')).toBe(0)
  })

  test('a second process joins in mid-batch and leaves again: each message is read by exactly one', async () => {
    await broker.topic('shared', 6)
    const [first, second] = [await reader('shared'), await reader('shared')]
    let sent = 0
    const produce = async (count: number) => {
      await broker.produce('shared', sent, sent + count)
      sent += count
    }
    await produce(10_000)
    await first.start()
    await expect.poll(async () => (await received(first)).records.received, WAIT).toBeGreaterThan(0)
    // Some batch is under way whenever the group rebalances.
    let isProducing = true
    const producing = (async () => {
      while (isProducing) await produce(100)
    })()
    await second.start()
    await expect.poll(async () => (await received(second)).records.received, WAIT).toBeGreaterThan(0)
    await second.end('SIGTERM')
    const before = (await received(first)).records.received
    await expect.poll(async () => (await received(first)).records.received, WAIT).toBeGreaterThan(before)
    isProducing = false
    await producing
    await expect.poll(() => broker.lag('shared-readers', 'shared'), WAIT).toBe(0)
    await second.start()
    const both = async () => sorted([...(await numbers(first)), ...(await numbers(second))])
    await expect.poll(async () => (await both()).length, WAIT).toBeGreaterThanOrEqual(sent)
    expect(await both()).toEqual(upTo(sent))
  })

  test('messages in each compression of the producer of Kafka', async () => {
    await broker.topic('compressed', 1)
    const codecs = ['gzip', 'snappy', 'lz4', 'zstd']
    for (const [i, codec] of codecs.entries()) broker.produceCompressed('compressed', i * 1000, (i + 1) * 1000, codec)
    const caracal = await reader('compressed')
    await caracal.start()
    await expect.poll(async () => sorted(await numbers(caracal)), WAIT).toEqual(upTo(codecs.length * 1000))
  })

  test.each([
    { mechanism: 'plain', listener: 'sasl' },
    { mechanism: 'scram-sha-256', listener: 'sasl' },
    { mechanism: 'scram-sha-512', listener: 'tls' },
  ] as const)('a login with $mechanism on the $listener listener', async ({ mechanism, listener }) => {
    const topic = `login-${mechanism}`
    await broker.topic(topic, 1)
    await broker.produce(topic, 0, 10)
    const caracal = await reader(topic, {
      brokers: [`127.0.0.1:${broker.ports[listener]}`],
      sasl: { mechanism, username: LOGIN.username, password: { file: 'password' } },
      ...(listener === 'tls' && { tls: { ca: { file: broker.ca } } }),
    })
    await caracal.start()
    await expect.poll(async () => sorted(await numbers(caracal)), WAIT).toEqual(upTo(10))
  })

  test('a wrong password is shown as the problem that it is, until it is right', async () => {
    await broker.topic('refused', 1)
    await broker.produce('refused', 0, 10)
    const sasl = { mechanism: 'scram-sha-256', username: LOGIN.username, password: { file: 'password' } }
    const caracal = await reader('refused', { brokers: [`127.0.0.1:${broker.ports.sasl}`], sasl })
    writeFileSync(join(folderOf(caracal), 'password'), 'wrong')
    await caracal.start()
    await expect.poll(async () => (await received(caracal)).notices.join(), WAIT).toMatch(/SCRAM.*authentication failed/i)
    expect((await received(caracal)).notices.join()).not.toContain(LOGIN.password)
    writeFileSync(join(folderOf(caracal), 'password'), LOGIN.password)
    await expect.poll(async () => sorted(await numbers(caracal)), WAIT).toEqual(upTo(10))
  })
})

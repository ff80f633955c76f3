import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { pause } from '../../util/pause.ts'
import { type Body, outcomeOf, prepare, SITES, type Started, send, startPipeline } from '../makers/makers.fixture.ts'
import { MakersHere } from './makers-here.ts'

/** The same bodies through a pipeline that makes its batches itself, and through one with a maker of its own and two workers. */
const folder = mkdtempSync(join(tmpdir(), 'caracal-workers-'))
const KEY = 'the key of this state'
/** Everything is in one process here, which is busy. */
const BEAT_MS = 400

/** A worker as in a process of its own, behind a connection that can be cut or stopped. */
class Worker {
  readonly makers: MakersHere
  readonly #server: Server
  readonly #front: ReturnType<typeof createTcpServer>
  readonly #sockets = new Set<Socket>()
  #isStopped = false

  private constructor(makers: MakersHere) {
    this.makers = makers
    this.#server = createServer().on('upgrade', (request, socket, head) => void makers.upgrade(request, socket, head))
    this.#front = createTcpServer((socket) => this.#pass(socket))
  }

  static async start(name: string, key = KEY): Promise<Worker> {
    const dataDir = join(folder, name)
    mkdirSync(dataDir)
    const makers = new MakersHere({ threads: 2, dataDir, key: async () => key, tell: () => {}, beatMs: BEAT_MS })
    const worker = new Worker(makers)
    for (const server of [worker.#server, worker.#front])
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return worker
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#front.address() as AddressInfo).port}`
  }

  /** As when the process is killed. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  /** As when the process is stopped: connections stay, and nothing is heard. */
  set stopped(is: boolean) {
    this.#isStopped = is
    for (const socket of this.#sockets) is ? socket.pause() : socket.resume()
  }

  async stop(): Promise<void> {
    await this.makers.stop()
    this.cut()
    await new Promise((resolve) => this.#front.close(resolve))
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #pass(socket: Socket): void {
    const inner = connect((this.#server.address() as AddressInfo).port, '127.0.0.1')
    for (const [from, to] of [
      [socket, inner],
      [inner, socket],
    ] as const) {
      this.#sockets.add(from)
      from.on('data', (bytes) => to.write(bytes))
      from.on('error', () => {})
      from.on('close', () => {
        this.#sockets.delete(from)
        to.destroy()
      })
      if (this.#isStopped) from.pause()
    }
  }
}

let workers: readonly Worker[] = []
let both: readonly Started[] = []
const isRecorded = true

beforeAll(async () => {
  workers = [await Worker.start('w1'), await Worker.start('w2')]
  const [alone, together] = prepare(folder, [1, 11])
  const look = async () => ({
    key: KEY,
    workers: isRecorded ? workers.map(({ url }, i) => ({ name: `w${i + 1}`, url })) : [],
  })
  both = [await startPipeline(alone!), await startPipeline({ ...together!, workers: 1 }, look)]
  while (workers.some(({ makers }) => makers.running < 2)) await pause(50, new AbortController().signal)
}, 120_000)

afterAll(async () => {
  for (const { pipeline, close } of both) {
    await pipeline.call('stop')
    await close()
  }
  for (const worker of workers) await worker.stop()
  rmSync(folder, { recursive: true, force: true })
}, 60_000)

let sentMs = Date.now() - 600_000
const login = fc.record({
  user: fc.constantFrom('ann', 'bob', 'eve'),
  ok: fc.boolean(),
  ip: fc.constantFrom('10.0.0.1', '10.0.0.2', '10.0.0.3', ''),
})

function bodies(count: number, seed: number): Body[] {
  const made = fc.sample(
    fc.record({ source: fc.constantFrom(...SITES), logins: fc.array(login, { minLength: 1, maxLength: 200 }) }),
    {
      numRuns: count,
      seed,
    },
  )
  return made.map(({ source, logins }) => {
    sentMs += 1000
    return { source, text: logins.map((one, i) => JSON.stringify({ at: sentMs + i, ...one })).join('\n'), receivedMs: sentMs }
  })
}

/** Logs that only their header describes: a worker has to ask about them. */
function odd(type: string): Body {
  sentMs += 1000
  const text = `#separator \\x09\n#path\tcustom_odd\n#fields\tts\tvalue\n#types\ttime\t${type}\n${sentMs / 1000}\t1\n`
  return { source: 'sensor', text, receivedMs: sentMs }
}

async function bothGive() {
  const [one, more] = await Promise.all(both.map(outcomeOf))
  expect(more).toEqual(one)
  return one!
}

/** Sends until every worker has been given something. */
async function useAll(): Promise<void> {
  const before = workers.map(({ makers }) => makers.batches)
  for (let seed = 100; workers.some(({ makers }, i) => makers.batches === before[i]); seed++) {
    const sent = bodies(10, seed)
    for (const each of both) await send(each, sent)
    await bothGive()
  }
}

test('workers produce the same results as one thread: rows and their ids, matches, alerts, counts, the rules’ cache', async () => {
  await useAll()
  const sent = [...bodies(60, 1), odd('count'), odd('string'), ...bodies(10, 2)]
  await Promise.all(both.map((each) => send(each, sent)))
  const { alerts, cache, lakeRows } = await bothGive()
  const alerting = new Set(alerts.map((row) => (JSON.parse(row) as { rule_id: string }).rule_id))
  expect([...alerting].sort()).toEqual(['Asked', 'Broken', 'Guessed', 'Known', 'Often', 'Spray'])
  expect(cache.length).toBeGreaterThan(3)
  expect(Object.keys(lakeRows)).toContain('logs.zeek_customodd')
}, 240_000)

test('workers that are cut off in the middle lose and repeat nothing, and are used again', async () => {
  for (let round = 0; round < 2; round++) {
    await useAll()
    const sent = bodies(30, 10 + round)
    await send(both[0]!, sent)
    const sending = send(both[1]!, sent)
    workers[round % 2]!.cut()
    await sending
    if (round === 1) for (const worker of workers) worker.cut()
    await bothGive()
  }
  await useAll()
}, 240_000)

test('a worker that is stopped in the middle holds up nothing for long, and what it says later counts for nothing', async () => {
  for (const worker of workers) {
    await useAll()
    const sent = bodies(30, 20)
    await send(both[0]!, sent)
    const sending = send(both[1]!, sent)
    worker.stopped = true
    await sending
    // Waits until everything is judged, while the worker is still stopped.
    await bothGive()
    worker.stopped = false
  }
}, 240_000)

test('a table that changes is the same everywhere', async () => {
  await useAll()
  writeFileSync(join(folder, 'content/hosts.csv'), 'ip,bad\n10.0.0.3,yes\n')
  for (const { put } of both) await put()
  const sent = bodies(30, 30)
  await Promise.all(both.map((each) => send(each, sent)))
  const { lakeRows } = await bothGive()
  const known = lakeRows['signals.correlation_signals']!.filter((row) => row.includes('"Known"'))
  expect(known.some((row) => row.includes('10.0.0.3'))).toBe(true)
}, 120_000)

test('a worker of another installation is not used, and said to be so', async () => {
  const stranger = await Worker.start('w3', 'another key')
  const before = workers
  try {
    workers = [...workers, stranger]
    await expect
      .poll(() => both[1]!.events.problems.current.map(({ what, key, message }) => [what, key, message]), { timeout: 30_000 })
      .toContainEqual(['WorkerDown', 'w3', expect.stringContaining('does not have the key of this state')])
    expect(stranger.makers.running).toBe(0)
  } finally {
    workers = before
  }
  await expect.poll(() => both[1]!.events.problems.current, { timeout: 30_000 }).toEqual([])
  await stranger.stop()
}, 90_000)

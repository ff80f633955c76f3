import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { packageRoot } from '../../src/util/entry.ts'
import { msgpackOf } from '../../src/util/msgpack/write.ts'
import { Caracal, freePort } from '../support/caracal.ts'
import { seeded } from '../support/random.ts'
import { line } from './senders.ts'

/** SIGKILLs at random moments while records arrive at sockets: by Fluentd's forward protocol, and by syslog over TCP. */
const KILLS = Number(process.env['CRASH_KILLS'] ?? 3)
const SEED = Number(process.env['CRASH_SEED'] ?? 20_260_515)
const SYSLOG_FIRST = 10_000_000
const CHUNK_RECORDS = 50

const folder = mkdtempSync(join(tmpdir(), 'caracal-crash-sockets-'))
let running: Caracal | undefined
afterAll(async () => {
  await running?.end('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

/** What the first of these events carries. An error is followed by `close`. */
function first(socket: Socket, ...events: string[]): Promise<unknown> {
  return new Promise((resolve) => {
    const done = (carried: unknown) => {
      for (const event of events) socket.off(event, done)
      resolve(carried)
    }
    if (socket.destroyed) return resolve(undefined)
    for (const event of events) socket.on(event, done)
  })
}

async function opened(port: number): Promise<Socket | undefined> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  await first(socket, 'connect', 'close')
  return socket.destroyed ? undefined : socket
}

/** Sends chunks until it is over, each once: what was acknowledged, and what may or may not have been taken. */
async function forward(port: number, isOver: () => boolean) {
  const sure: number[] = []
  const unsure: number[][] = []
  let seq = 0
  while (!isOver()) {
    const socket = await opened(port)
    while (socket && !socket.destroyed && !isOver()) {
      const seqs = Array.from({ length: CHUNK_RECORDS }, () => seq++)
      const entries = seqs.map((n) => [1_700_000_000, JSON.parse(line(n, 'forward'))])
      socket.write(msgpackOf(['crash', entries, { chunk: `c${seq}` }]))
      const answer = await first(socket, 'data', 'close')
      if (Buffer.isBuffer(answer)) sure.push(...seqs)
      else unsure.push(seqs)
    }
    socket?.destroy()
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return { sure, unsure }
}

/** Sends lines until it is over. Nothing is acknowledged, so nothing is sent again: the numbers by connection, in order. */
async function syslog(port: number, isOver: () => boolean): Promise<number[][]> {
  const connections: number[][] = []
  let seq = SYSLOG_FIRST
  while (!isOver()) {
    const socket = await opened(port)
    const sent: number[] = []
    while (socket && !socket.destroyed && !isOver()) {
      sent.push(seq)
      if (!socket.write(line(seq++, 'syslog'))) await first(socket, 'drain', 'close')
      if (seq % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 2))
    }
    if (sent.length > 0) connections.push(sent)
    if (socket && !socket.destroyed) await new Promise<void>((resolve) => socket.end(() => resolve()))
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return connections
}

async function stored(caracal: Caracal): Promise<Map<number, number>> {
  const rows: unknown[][] = []
  // In parts, because a response contains at most 10,000 rows. They are of different moments while events are still being stored.
  for (let part = 0; part < 40; part++)
    rows.push(...(await caracal.query(`SELECT seq, count() FROM logs.custom_crash WHERE seq % 40 = ${part} GROUP BY seq`)))
  return new Map(rows.map(([seq, count]) => [Number(seq), Number(count)]))
}

interface Counted {
  readonly id: string
  readonly records: { readonly received: number; readonly stored: number; readonly in_flight: number }
}

async function received(caracal: Caracal): Promise<ReadonlyMap<string, Counted['records']>> {
  const { results } = (await (await caracal.fetch('/api/v1/sources')).json()) as { results: Counted[] }
  return new Map(results.map(({ id, records }) => [id, records]))
}

test(`sockets: what was acknowledged is stored once, and what was spooled is never lost or doubled, over ${KILLS} kills`, {
  timeout: 1_800_000,
}, async () => {
  const [api, fluentPort, syslogPort] = [await freePort(), await freePort(), await freePort()]
  const random = seeded(SEED)
  cpSync(join(packageRoot(), 'test/crash/content'), join(folder, 'content'), { recursive: true })
  writeFileSync(join(folder, 'content/tables/crash_hosts.csv'), 'ip,note\n203.0.113.5,first\n')
  const sources = [
    { type: 'fluent_forward', id: 'fluent', listen: `127.0.0.1:${fluentPort}`, log_types: ['Custom.Crash'] },
    { type: 'syslog', id: 'net', listen: `127.0.0.1:${syslogPort}`, transports: ['tcp'], log_types: ['Custom.Crash'] },
  ]
  writeFileSync(join(folder, 'caracal.yml'), JSON.stringify({ listen: `127.0.0.1:${api}`, sources, flush_ms: 300 }))
  const caracal = new Caracal({ port: api, dataDir: join(folder, 'data'), cwd: folder, args: ['--no-demo'] })
  running = caracal
  await caracal.start()
  let isOver = false
  const forwarding = forward(fluentPort, () => isOver)
  const logging = syslog(syslogPort, () => isOver)
  let spooled = 0
  for (let kill = 0; kill < KILLS; kill++) {
    await new Promise((resolve) => setTimeout(resolve, 300 + random() * 1500))
    spooled = (await received(caracal)).get('net')!.received
    expect(await caracal.end('SIGKILL')).toBe('SIGKILL')
    await caracal.start()
  }
  await new Promise((resolve) => setTimeout(resolve, 500))
  isOver = true
  const [{ sure, unsure }, connections] = await Promise.all([forwarding, logging])
  const last = connections.at(-1)!.at(-1)!
  const isStored = (found: ReadonlyMap<number, number>) => found.has(last) && sure.every((seq) => found.has(seq))
  // The table exists only once something has been stored.
  while (!isStored(await stored(caracal).catch(() => new Map<number, number>())));
  const found = await stored(caracal)

  expect([...found].filter(([, count]) => count !== 1)).toEqual([])
  for (const chunk of unsure) expect([0, chunk.length]).toContain(chunk.filter((seq) => found.has(seq)).length)
  // Of each connection, what the kernel had and the spool did not is missing at its end, and nowhere else.
  for (const sent of connections) {
    const count = sent.filter((seq) => found.has(seq)).length
    expect(sent.slice(0, count).every((seq) => found.has(seq))).toBe(true)
  }
  const net = [...found.keys()].filter((seq) => seq >= SYSLOG_FIRST).length
  expect(net).toBeGreaterThanOrEqual(spooled)
  const known = new Set([...sure, ...unsure.flat(), ...connections.flat()])
  expect([...found.keys()].filter((seq) => !known.has(seq))).toEqual([])
  const counts = await received(caracal)
  for (const id of ['fluent', 'net']) expect(counts.get(id)!.received).toBe(counts.get(id)!.stored)
  expect(sure.length).toBeGreaterThan(0)
  expect(counts.get('net')!.stored).toBe(net)
})

import { mkdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, onTestFailed, test } from 'vitest'
import { address, connLine, writeRuleForEach } from '../../bench/lib.mjs'
import { content, TABLES } from '../../bench/path-content.mjs'
import { until } from '../support/until.ts'
import { alertsOf } from './alerts.ts'
import { type Cost, costOf, costText, sum } from './cost.ts'
import { post } from './post.ts'
import { processed } from './same.ts'
import { Servers, whyNoServers } from './servers.ts'
import { SIZE, SIZE_NAME } from './size.ts'
import { type Shape, World } from './world.ts'

const SOURCES = ['first', 'second']
const BODY = 500
/** A connection to this port is an alert. */
const PROBE_PORT = 4444

/** What the bench of the whole path has: connections, five tables, twenty Python rules that seldom match. Prints figures; no figure fails it. */
describe.skipIf(whyNoServers)(`connections${whyNoServers ? ` (${whyNoServers})` : ''}`, { shuffle: false }, () => {
  let servers: Servers
  let alone: Cost

  beforeAll(async () => {
    servers = await Servers.start()
  })
  afterAll(() => servers?.stop())

  test('through one process', async () => {
    const world = await World.start(shape({ one: undefined }))
    try {
      alone = await measure(world, 'one')
      console.log(`${SIZE_NAME}: one process: ${costText(alone, SIZE.connections)}; ${await latencies(world, 'one', alone)}`)
    } finally {
      await world.stop()
    }
  })

  test.each(SIZE.measuredWorkers)('through %i workers', async (workers) => {
    await servers.empty()
    const names = Array.from({ length: workers }, (_, i) => `worker-${i + 1}`)
    const roles = { one: undefined, ...Object.fromEntries(names.map((name) => [name, 'worker'])), edge: 'ingest' }
    const world = await World.start(shape(roles, servers.config))
    onTestFailed(() => console.log(world.outputs.join('\n')))
    try {
      const cost = await measure(world, 'edge')
      const ofAll = sum(Object.values(alone.nodes)) / sum(Object.values(cost.nodes))
      console.log(
        `${SIZE_NAME}: ${workers} workers: ${costText(cost, SIZE.connections)}; a second of CPU on all nodes together does ${ofAll.toFixed(2)} of what one of the single process does; ${await latencies(world, 'edge', cost)}`,
      )
    } finally {
      await world.stop()
    }
  })
})

function shape(roles: Shape['roles'], servers: object = {}): Shape {
  return {
    roles,
    content: (folder) => {
      mkdirSync(folder)
      content(folder)
      writeRuleForEach(folder)
    },
    config: () => ({ sources: SOURCES.map((id) => ({ type: 'http', id, log_types: ['Zeek.Conn'] })), ...servers }),
  }
}

/** One in a hundred is in one of the tables. */
function body(first: number, count: number): string[] {
  return Array.from({ length: count }, (_, n) => {
    const i = first + n
    const table = i % 500
    return connLine(i, table < TABLES.length ? address(table * 1_000_000 + (i % TABLES[table]!)) : undefined)
  })
}

/** What it costs to store connections that arrive as fast as they are taken. */
async function measure(world: World, to: string): Promise<Cost> {
  // The first ones are slower: what is compiled when it is used is compiled, tables are read.
  await sendAll(world, to, SIZE.connections / 10)
  return costOf(world, () => sendAll(world, to, SIZE.connections))
}

async function sendAll(world: World, to: string, count: number): Promise<void> {
  const before = await processed(world, SOURCES)
  let next = 0
  const send = async (source: string) => {
    while (next < count) {
      next += BODY
      await post(world, to, source, body(next, BODY).join('\n'))
    }
  }
  await Promise.all(SOURCES.map(send))
  await until(async () => (await processed(world, SOURCES)) === before + count || undefined)
}

/** From receipt to the committed alert, while connections arrive at half the rate of before. */
async function latencies(world: World, to: string, { seconds }: Cost): Promise<string> {
  const perSecond = SIZE.connections / seconds / 2 / BODY
  const number = Math.ceil(perSecond * SIZE.halfLoadSeconds)
  const started = performance.now()
  const sent: Promise<void>[] = []
  for (let i = 0; i < number; i++) {
    await sleep(Math.max(0, started + (i * 1000) / perSecond - performance.now()))
    const lines = body(i * BODY, BODY)
    lines[0] = lines[0]!.replace(/"id\.resp_p":\d+/, `"id.resp_p":${PROBE_PORT}`)
    sent.push(post(world, to, SOURCES[i % SOURCES.length]!, lines.join('\n')))
  }
  await Promise.all(sent)
  const { caracal } = await world.active()
  const count = async () => (await alertsOf(caracal, 'Bench.Each')).length
  await expect.poll(count, { timeout: 300_000, interval: 500 }).toBe(number)
  const sorted = (await alertsOf(caracal, 'Bench.Each')).map(({ latency_ms }) => latency_ms).sort((a, b) => a - b)
  const at = (share: number) => `${Math.round(sorted[Math.floor((sorted.length - 1) * share)]!)} ms`
  const rate = (BODY * perSecond).toFixed(0)
  return `at half load (${rate} events/s in posts of ${BODY}) from receipt to alert p50 ${at(0.5)}, p99 ${at(0.99)}`
}

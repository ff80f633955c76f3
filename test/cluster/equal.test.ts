import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, onTestFailed, test } from 'vitest'
import { cpuSeconds } from '../../scripts/lib/cpu.mjs'
import { until } from '../support/until.ts'
import { alertsOf } from './alerts.ts'
import { BODY_LOGINS, bodies, logins, PROBES, SITES, sequencesOf } from './logins.ts'
import { outcomeOf, processed } from './same.ts'
import { Servers, whyNoServers } from './servers.ts'
import { type Run, SIZE, SIZE_NAME } from './size.ts'
import { World } from './world.ts'

const COUNT = SIZE.logins / BODY_LOGINS / SITES.length
/** Small, as they are when logs arrive as they are written. */
const PROBE_LOGINS = 20

type Outcome = Awaited<ReturnType<typeof outcomeOf>>

/** The same logins through one process with everything in its folder, and through clusters of several workers. */
describe.skipIf(whyNoServers)(`the same input${whyNoServers ? ` (${whyNoServers})` : ''}`, { shuffle: false }, () => {
  let servers: Servers
  /** Of one process. */
  let expected: Outcome
  let alone: Cost

  beforeAll(async () => {
    servers = await Servers.start()
  })
  afterAll(() => servers?.stop())

  test('one process has an outcome', async () => {
    const world = await World.start(logins({ one: undefined }))
    try {
      alone = await process(world, 'one', async () => {})
      const latency = await latencies(world, 'one', alone)
      expected = await settled(world)
      const { Returned, Gone } = sequencesOf(COUNT)
      expect(expected.rows).toHaveLength(SITES.length)
      expect(expected.alerts.filter((text) => text.startsWith('["Returned"'))).toHaveLength(Returned)
      expect(expected.alerts.filter((text) => text.startsWith('["Gone"'))).toHaveLength(Gone)
      console.log(`${SIZE_NAME}: one process: ${textOf(alone)}; ${latency}`)
    } finally {
      await world.stop()
    }
  })

  test.each(SIZE.runs)(
    '$workers workers have the same; nodes killed and stopped: $isDisturbed',
    async ({ workers, isDisturbed }: Run) => {
      await servers.empty()
      const names = Array.from({ length: workers }, (_, i) => `worker-${i + 1}`)
      const judging = Object.fromEntries(names.map((name) => [name, 'worker']))
      const world = await World.start(
        logins({ one: undefined, ...(isDisturbed && { two: undefined }), ...judging, edge: 'ingest' }, servers.config),
      )
      onTestFailed(() => console.log(world.outputs.join('\n')))
      try {
        const cost = await process(world, 'edge', isDisturbed ? () => disturb(world) : async () => {})
        const what = `${SIZE_NAME}: ${workers} workers${isDisturbed ? ', killed and stopped' : ''}`
        const latency = isDisturbed ? '' : await latencies(world, 'edge', cost)
        await expect.poll(() => outcomeOf(world), { timeout: 300_000, interval: 500 }).toEqual(expected)
        if (isDisturbed) return console.log(`${what}: ${cost.seconds.toFixed(1)} s, the same outcome`)
        const perCore = alone.nodes['one']! / sum(names.map((name) => cost.nodes[name]!))
        console.log(
          `${what}: ${textOf(cost)}; a second of a worker's CPU does ${perCore.toFixed(2)} of what a second of one process does; ${latency}`,
        )
      } finally {
        await world.stop()
      }
    },
  )

  /** Sends everything to a node; resolves when all of it is processed. */
  async function process(world: World, to: string, meanwhile: () => Promise<void>): Promise<Cost> {
    const before = cpuOf(world)
    const started = performance.now()
    const sending = Promise.all(SITES.map((site) => send(world, to, site)))
    await Promise.all([sending, meanwhile()])
    await until(async () => (await processed(world)) === SIZE.logins || undefined)
    const seconds = (performance.now() - started) / 1000
    const after = cpuOf(world)
    const nodes = Object.fromEntries(Object.entries(after.nodes).map(([name, cpu]) => [name, cpu - before.nodes[name]!]))
    return { seconds, nodes, servers: after.servers - before.servers }
  }
})

interface Cost {
  readonly seconds: number
  /** CPU seconds of each node. */
  readonly nodes: Readonly<Record<string, number>>
  /** CPU seconds of all servers together. */
  readonly servers: number
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, n) => total + n, 0)

function cpuOf(world: World): Omit<Cost, 'seconds'> {
  const pids = [...world.nodes.values()].map(({ name, caracal }) => [name, caracal.pid!] as const)
  const nodes = Object.fromEntries(pids.map(([name, pid]) => [name, cpuSeconds(pid)]))
  return { nodes, servers: cpuSeconds(globalThis.process.pid) - sum(Object.values(nodes)) - ownCpu() }
}

function ownCpu(): number {
  const { user, system } = globalThis.process.cpuUsage()
  return (user + system) / 1e6
}

function textOf({ seconds, nodes, servers }: Cost): string {
  const each = (cpu: number) => `${((cpu * 1e6) / SIZE.logins).toFixed(0)} µs`
  const parts = [...Object.entries(nodes), ...(servers > 1 ? [['servers', servers] as const] : [])]
  const costs = parts.map(([name, cpu]) => `${name} ${each(cpu)}`)
  return `${SIZE.logins} events in ${seconds.toFixed(1)} s, CPU of an event: ${costs.join(', ')}`
}

async function send(world: World, to: string, site: string): Promise<void> {
  for (const body of bodies(site, COUNT)) await post(world, to, site, body)
}

async function post(world: World, to: string, site: string, body: string): Promise<void> {
  const url = `http://127.0.0.1:${world.port(to)}/ingest/${site}`
  const headers = { authorization: `Bearer ${world.token}` }
  for (;;) {
    const answer = await fetch(url, { method: 'POST', headers, body })
    if (answer.ok) return
    // The spool has enough.
    if (answer.status !== 429) throw new Error(`${url} answered ${answer.status}: ${await answer.text()}`)
    await sleep(100)
  }
}

/** The outcome when all sequences are over and nothing changes any more. */
async function settled(world: World): Promise<Outcome> {
  const { Returned, Gone } = sequencesOf(COUNT)
  for (let last = ''; ; ) {
    const outcome = await outcomeOf(world)
    const text = JSON.stringify(outcome)
    const sequences = outcome.alerts.filter((alert) => /^\["(?:Returned|Gone)"/.test(alert)).length
    if (text === last && sequences === Returned + Gone) return outcome
    last = text
    await sleep(2000)
  }
}

/** Every node but the one that receives is killed once, and one of the workers is stopped for a while. */
async function disturb(world: World): Promise<void> {
  const worker = world.nodes.get('worker-1')!
  await until(async () => (await processed(world)) > SIZE.logins / 10 || undefined)
  await worker.kill()
  await worker.again()
  const active = await world.active()
  await active.kill()
  await active.again()
  await until(async () => (await processed(world)) > SIZE.logins / 3 || undefined)
  worker.signal('SIGSTOP')
  await sleep(SIZE.stopSeconds * 500)
  worker.signal('SIGCONT')
  const other = await world.active()
  await other.kill()
  await other.again()
}

/** From receipt to the committed alert, while logins arrive at half the rate of before. */
async function latencies(world: World, to: string, { seconds }: Cost): Promise<string> {
  const perSecond = SIZE.logins / seconds / 2 / PROBE_LOGINS
  const number = Math.ceil(perSecond * SIZE.halfLoadSeconds)
  const started = performance.now()
  const sent: Promise<void>[] = []
  for (let i = 0; i < number; i++) {
    await sleep(Math.max(0, started + (i * 1000) / perSecond - performance.now()))
    const login = { at: Date.now(), ok: true, ip: '10.0.0.2' }
    const others = Array.from({ length: PROBE_LOGINS - 1 }, () => ({ ...login, user: 'zed' }))
    const body = [{ ...login, user: `probe-${i}` }, ...others].map((one) => JSON.stringify(one)).join('\n')
    sent.push(post(world, to, PROBES, body))
  }
  await Promise.all(sent)
  const all = await until(async () => {
    const found = await alertsOf((await world.active()).caracal, 'Probe')
    return found.length === number ? found : undefined
  })
  const sorted = all.map(({ latency_ms }) => latency_ms).sort((a, b) => a - b)
  const at = (share: number) => `${Math.round(sorted[Math.min(number - 1, Math.floor(number * share))]!)} ms`
  const rate = (PROBE_LOGINS * perSecond).toFixed(0)
  return `at half load (${rate} events/s in posts of ${PROBE_LOGINS}) from receipt to alert p50 ${at(0.5)}, p99 ${at(0.99)}`
}

import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, onTestFailed, test } from 'vitest'
import { until } from '../support/until.ts'
import { BODY_LOGINS, bodies, logins, SITES, sequencesOf } from './logins.ts'
import { post } from './post.ts'
import { outcomeOf, processed } from './same.ts'
import { Servers, whyNoServers } from './servers.ts'
import { type Run, SIZE, SIZE_NAME } from './size.ts'
import { World } from './world.ts'

const COUNT = SIZE.logins / BODY_LOGINS / SITES.length

type Outcome = Awaited<ReturnType<typeof outcomeOf>>

/** The same logins through one process with everything in its folder, and through clusters of several workers. */
describe.skipIf(whyNoServers)(`the same input${whyNoServers ? ` (${whyNoServers})` : ''}`, { shuffle: false }, () => {
  let servers: Servers
  /** Of one process. */
  let expected: Outcome

  beforeAll(async () => {
    servers = await Servers.start()
  })
  afterAll(() => servers?.stop())

  test('one process has an outcome', async () => {
    const world = await World.start(logins({ one: undefined }))
    try {
      const seconds = await process(world, 'one', async () => {})
      expected = await settled(world)
      const { Returned, Gone } = sequencesOf(COUNT)
      expect(expected.rows).toHaveLength(SITES.length)
      expect(expected.alerts.filter((text) => text.startsWith('["Returned"'))).toHaveLength(Returned)
      expect(expected.alerts.filter((text) => text.startsWith('["Gone"'))).toHaveLength(Gone)
      console.log(`${SIZE_NAME}: ${SIZE.logins} logins through one process in ${seconds} s, ${expected.alerts.length} alerts`)
    } finally {
      await world.stop()
    }
  })

  test.each(SIZE.runs)(
    '$workers workers have the same; nodes killed and stopped: $isDisturbed',
    async ({ workers, isDisturbed }: Run) => {
      await servers.empty()
      const judging = Object.fromEntries(Array.from({ length: workers }, (_, i) => [`worker-${i + 1}`, 'worker']))
      const roles = { one: undefined, ...(isDisturbed && { two: 'api,keeper' }), ...judging, edge: 'ingest' }
      const world = await World.start(logins(roles, servers.config))
      onTestFailed(() => console.log(world.outputs.join('\n')))
      try {
        const seconds = await process(world, 'edge', isDisturbed ? () => disturb(world) : async () => {})
        await expect.poll(() => outcomeOf(world), { timeout: 300_000, interval: 500 }).toEqual(expected)
        console.log(`${SIZE_NAME}: ${workers} workers${isDisturbed ? ', killed and stopped' : ''}: the same after ${seconds} s`)
      } finally {
        await world.stop()
      }
    },
  )
})

/** Sends everything to a node; resolves with the seconds that it took when all of it is processed. */
async function process(world: World, to: string, meanwhile: () => Promise<void>): Promise<string> {
  const started = performance.now()
  const send = async (site: string) => {
    for (const body of bodies(site, COUNT)) await post(world, to, site, body)
  }
  await Promise.all([...SITES.map(send), meanwhile()])
  await until(async () => (await processed(world, SITES)) === SIZE.logins || undefined)
  return ((performance.now() - started) / 1000).toFixed(1)
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
  await until(async () => (await processed(world, SITES)) > SIZE.logins / 10 || undefined)
  await worker.kill()
  await worker.again()
  const active = await world.active()
  await active.kill()
  await active.again()
  await until(async () => (await processed(world, SITES)) > SIZE.logins / 3 || undefined)
  worker.signal('SIGSTOP')
  await sleep(SIZE.stopSeconds * 500)
  worker.signal('SIGCONT')
  const other = await world.active()
  await other.kill()
  await other.again()
}

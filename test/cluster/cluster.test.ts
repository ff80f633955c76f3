import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, onTestFailed, test } from 'vitest'
import { checkWrittenRows } from '../crash/written-rows.ts'
import { seeded } from '../support/random.ts'
import { until } from '../support/until.ts'
import { Faults } from './faults.ts'
import { Load } from './load.ts'
import { numbered } from './numbered.ts'
import { checkAlerts, checkCounts, checkRows, everythingIn } from './outcome.ts'
import { Servers, whyNoServers } from './servers.ts'
import { SEED, SIZE, SIZE_NAME } from './size.ts'
import { World } from './world.ts'

/** Why a node may end by itself: it was replaced, or it was started while the state was away. */
const EXPECTED_ENDS =
  /Another node has become the active one|has used the state's database while this one had lost|caracal: the state's database does not answer/

/** The whole program on real servers, all parts of which are killed and stopped while records arrive: see README.md. In order. */
describe.skipIf(whyNoServers)(`a cluster${whyNoServers ? ` (${whyNoServers})` : ''}`, { shuffle: false }, () => {
  const load = new Load(SIZE.perSecond, 4)
  const random = seeded(SEED)
  const since = (ms: number) => ((performance.now() - ms) / 1000).toFixed(1)
  let servers: Servers
  let world: World

  /** Sends to both nodes that receive, to the one that is active, and to the file, until it is over. */
  function send(isOver: () => boolean): Promise<unknown> {
    const both = [world.port('one'), world.port('two')]
    return Promise.all([
      load.post(0, 'edge-1', () => world.port('edge-1'), world.token, isOver),
      load.post(1, 'edge-2', () => world.port('edge-2'), world.token, isOver),
      load.post(2, 'active', (attempt) => both[attempt % 2]!, world.token, isOver),
      load.write(3, world.logs, isOver),
    ])
  }
  const health = async () => {
    const { caracal } = await world.active()
    return (await (await caracal.fetch('/api/v1/health')).json()) as {
      status: string
      system_problems: { what: string; message: string }[]
    }
  }
  /** Resolves when no body is refused any more: the broker may have been killed just before. */
  async function calm(): Promise<void> {
    for (let before = -1; before !== load.unsure.size; ) {
      before = load.unsure.size
      const { records } = load
      await until(() => load.records >= records + 1000 || undefined)
    }
  }
  /** What must be true when nothing waits; returns the number of alerts. */
  async function check(): Promise<number> {
    const setting = { world, servers, load }
    await checkRows(setting)
    await checkCounts(setting)
    await checkWrittenRows((await world.active()).caracal)
    await expect.poll(async () => (await health()).status, { timeout: 180_000, interval: 1000 }).toMatch(/^(?:ok|degraded)$/)
    return checkAlerts(setting)
  }

  beforeAll(async () => {
    servers = await Servers.start()
    world = await World.start(numbered(servers))
  })
  afterAll(async () => {
    await world?.stop()
    await servers?.stop()
  })

  test('nothing is lost or doubled while everything is killed and stopped', async () => {
    const { broker, postgres, shards } = servers.victims
    const any = <T>(ofKind: readonly T[]) => ofKind[Math.floor(random() * ofKind.length)]!
    const node = (name: string) => world.nodes.get(name)!
    const kinds = [
      () => world.active(),
      () => world.standby(),
      async () => any([node('worker-1'), node('worker-2'), node('worker-3')]),
      async () => any([node('edge-1'), node('edge-2')]),
      async () => any([node('api-1'), node('api-2')]),
      async () => broker,
      async () => postgres,
      async () => any(shards),
    ]
    const faults = new Faults(kinds, random, () => load.records / SIZE.events)
    onTestFailed(() => console.log([...faults.log, ...world.outputs].join('\n')))
    const started = performance.now()
    let isOver = false
    const sending = send(() => isOver)
    await Promise.all([faults.kill(SIZE.kills), faults.stop(SIZE.stops, SIZE.stopSeconds)])
    await until(() => load.records >= SIZE.events || undefined)
    isOver = true
    await sending
    const sent = performance.now()
    await everythingIn({ world, servers, load })
    const last = since(sent)
    const alerts = await check()
    const ends = [...world.nodes.values()].flatMap(({ endings }) => endings)
    const { kills, stops } = faults.done
    console.log(
      `${SIZE_NAME}, seed ${SEED}: ${load.records} events acknowledged or written, ${load.unsure.size} bodies without an answer, ${alerts} alerts, ` +
        `${kills} kills, ${stops} stops, ${ends.length} nodes ended by themselves, ${since(started)} s; the last record was stored ${last} s after it was sent`,
    )
    const problems = ends.filter((text) => !EXPECTED_ENDS.test(text))
    expect(problems).toEqual([])
  })

  test('ClickHouse is away for a while under load: records are taken and judged, also by the next active node, and stored when it is back', async () => {
    onTestFailed(() => console.log(world.outputs.join('\n')))
    let isOver = false
    const sending = send(() => isOver)
    await calm()
    const [before, unsure] = [load.records, load.unsure.size]
    const { shards } = servers.victims
    const alerts = async () => Number((await servers.ask('SELECT count(*) AS n FROM alerts WHERE opened = 1'))[0]!['n'])
    const alertsBefore = await alerts()
    for (const shard of shards) await shard.kill()
    const away = performance.now()
    await sleep(SIZE.awaySeconds * 1000)
    const down = await until(async () => (await health()).system_problems.find(({ what }) => what === 'LakeDown'))
    expect(down.message).toMatch(/does not answer/)
    await until(async () => (await alerts()) > alertsBefore || undefined)
    // What the node that is killed now was about to answer has no answer.
    expect(load.unsure.size).toBe(unsure)
    const killed = await world.active()
    await killed.kill()
    const next = await world.active()
    const alertsThen = await alerts()
    await until(async () => (await alerts()) > alertsThen || undefined)
    expect(next.name).not.toBe(killed.name)
    await killed.again()
    await Promise.all(shards.map((shard) => shard.again()))
    const back = performance.now()
    const seconds = (back - away) / 1000
    isOver = true
    await sending
    await everythingIn({ world, servers, load })
    const took = (performance.now() - back) / 1000
    await check()
    console.log(
      `ClickHouse away: ${load.records - before} events in ${seconds.toFixed(1)} s, stored ${took.toFixed(1)} s after it was back: ${(seconds / took).toFixed(1)} seconds of input per second of catching up`,
    )
  })
})

import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFailed, test } from 'vitest'
import { openSqlite } from '../../src/state/sqlite.ts'
import { seeded } from '../support/random.ts'
import { until } from '../support/until.ts'
import { type Commit, commitsOf, reachOf, recordCommits } from './commits.ts'
import { type Ask, decidedIn, differences, settled } from './decided.ts'
import { Faults } from './faults.ts'
import { refill } from './refill.ts'
import { FILE_SOURCE, fileIn, HTTP_SOURCES, roaming, Senders, SOURCES } from './roaming.ts'
import { Servers, whyNoServers } from './servers.ts'
import { SEED, SIZE, SIZE_NAME } from './size.ts'
import { type Spooled, spooledOf } from './spooled.ts'
import { World } from './world.ts'

const ROLES = {
  ...{ one: undefined, two: undefined, 'worker-1': 'worker', 'worker-2': 'worker' },
  ...{ 'edge-1': 'ingest', 'edge-2': 'ingest' },
}
const { records, perSecond, kills, stops } = SIZE.serial

/** A cluster decides in which order it judges what arrives at the same time; one process that judges in that order decides the same. */
describe.skipIf(whyNoServers)(`the order of commits${whyNoServers ? ` (${whyNoServers})` : ''}`, { shuffle: false }, () => {
  /** With the file that all of them read. */
  const folder = mkdtempSync(join(tmpdir(), 'caracal-cluster-serial-'))
  let servers: Servers
  let commits: readonly Commit[]
  const bodies = new Map<string, readonly Spooled[]>()
  let expected: Awaited<ReturnType<typeof decidedIn>>

  beforeAll(async () => {
    servers = await Servers.start()
  })
  afterAll(async () => {
    await servers?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  test('a cluster commits every body once while everything is killed and stopped', async () => {
    const world = await World.start(roaming(folder, ROLES, servers.config))
    const random = seeded(SEED)
    const senders = new Senders(2 * HTTP_SOURCES.length + 1, perSecond)
    const faults = new Faults(kindsOf(world, servers, random), random, () => senders.records / records)
    onTestFailed(() => console.log([...faults.log, ...world.outputs].join('\n')))
    try {
      await recordCommits(servers)
      const started = performance.now()
      let isOver = false
      const sending = send(world, senders, folder, () => isOver)
      await Promise.all([faults.kill(kills), faults.stop(stops, SIZE.stopSeconds)])
      await until(() => senders.records >= records || undefined)
      isOver = true
      await sending
      await expect.poll(() => left(servers, folder), { timeout: 900_000, interval: 250 }).toEqual([])
      const ask: Ask = (sql) => servers.ask(sql)
      await settled(world, ask)
      commits = await commitsOf(servers, SOURCES)
      for (const source of HTTP_SOURCES) {
        bodies.set(source, await spooledOf(servers, source))
        expect(bodies.get(source)!.map(({ id }) => id)).toEqual(
          Array.from({ length: reachOf(commits, source) as number }, (_, i) => i + 1),
        )
        const found = new Set(bodies.get(source)!.map(({ body }) => body.toString()))
        expect(senders.taken.get(source)!.filter((body) => !found.has(body))).toEqual([])
      }
      expected = await decidedIn(world, ask)
      const sessions = new Set(commits.map(({ session }) => session)).size
      console.log(
        `${SIZE_NAME}, seed ${SEED}: ${senders.records} logins in ${commits.length} batches, committed by ${sessions} sessions one after the other; ` +
          `${faults.done.kills} kills, ${faults.done.stops} stops, ${((performance.now() - started) / 1000).toFixed(1)} s; ${figures(expected)}`,
      )
    } finally {
      await world.stop()
    }
  })

  test('one process with the same extents in the recorded order decides the same', async () => {
    expect(differences(await decidedBy(commits), expected)).toEqual({})
  })

  test('in another order it decides otherwise about the same records', async () => {
    const other = await decidedBy(SOURCES.flatMap((source) => commits.filter(({ sourceId }) => sourceId === source)))
    expect(other['counters']).toEqual(expected['counters'])
    const kinds = Object.keys(expected).filter((kind) => kind !== 'counters')
    expect(Object.keys(differences(other, expected))).toEqual(kinds)
    console.log(`by source: ${figures(other)}`)
  })

  /** What one process with everything in its folder decides about these batches. */
  async function decidedBy(batches: readonly Commit[]): Promise<typeof expected> {
    const world = await World.start({
      ...roaming(folder, { one: undefined }),
      fill: (dataDir) => refill(dataDir, batches, bodies),
    })
    onTestFailed(() => console.log(world.outputs.join('\n')))
    const state = openSqlite(join(world.nodes.get('one')!.caracal.dataDir, 'state.db'), { readonly: true })
    const ask: Ask = async (sql) => state.prepare(sql).all([]) as Record<string, unknown>[]
    try {
      await settled(world, ask)
      return await decidedIn(world, ask)
    } finally {
      state.close()
      await world.stop()
    }
  }
})

function kindsOf(world: World, servers: Servers, random: () => number) {
  const { broker, postgres, shards } = servers.victims
  const any = <T>(ofKind: readonly T[]) => ofKind[Math.floor(random() * ofKind.length)]!
  const node = (name: string) => world.nodes.get(name)!
  return [
    () => world.active(),
    () => world.standby(),
    async () => any([node('worker-1'), node('worker-2')]),
    async () => any([node('edge-1'), node('edge-2')]),
    async () => broker,
    async () => postgres,
    async () => any(shards),
  ]
}

/** Each source has two senders: one at an ingest node; the other at the other one, or at the active node. */
function send(world: World, senders: Senders, folder: string, isOver: () => boolean): Promise<unknown> {
  const able = [world.port('one'), world.port('two')]
  const ports = [() => world.port('edge-1'), (attempt: number) => able[attempt % 2]!, () => world.port('edge-2')]
  const feeds = HTTP_SOURCES.flatMap((source, i) => [0, 1].map((j) => ({ source, port: ports[(i + j) % ports.length]! })))
  const posting = feeds.map((feed, i) => senders.post(i, feed, world.token, isOver))
  return Promise.all([...posting, senders.write(feeds.length, folder, isOver)])
}

/** Sources of which not everything is committed, with how far they are. */
async function left(servers: Servers, folder: string): Promise<unknown[]> {
  const commits = await commitsOf(servers, SOURCES)
  const admin = servers.broker.client.admin()
  await admin.connect()
  try {
    const ends = new Map([[FILE_SOURCE, statSync(fileIn(folder)).size]])
    for (const source of HTTP_SOURCES) {
      const [end] = await admin.fetchTopicOffsets(`${servers.config.spool.topic_prefix}.${source}`)
      ends.set(source, Number(end!.high))
    }
    return [...ends].map(([source, end]) => [source, reachOf(commits, source), end]).filter(([, reach, end]) => reach !== end)
  } finally {
    await admin.disconnect()
  }
}

/** The number of what was decided, by its kind; of alerts, of those that were opened. */
function figures(decided: Awaited<ReturnType<typeof decidedIn>>): string {
  return Object.entries(decided)
    .map(([kind, all]) => `${all.length} ${kind}`)
    .join(', ')
}

import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { chdb } from '../../src/stages/store/chdb.ts'
import { clickhouse } from '../../src/stages/store/clickhouse/clickhouse.ts'
import type { Lake } from '../../src/stages/store/lake.ts'
import { ClickhouseCluster } from '../support/clickhouse-cluster.ts'
import { ClickhouseServer, whyNoServer } from '../support/clickhouse-server.ts'
import { failedBy, testSuite } from './behaviours.ts'
import { type AnyLake, lakeSuite } from './lakes.ts'

testSuite({ ...lakeSuite, registry: lakeSuite.registry.filter(({ type }) => type !== clickhouse.type) })

describe.skipIf(whyNoServer)(`lake clickhouse${whyNoServer ? ` (${whyNoServer})` : ''}`, () => {
  let server: ClickhouseServer | undefined
  beforeEach(async () => {
    server ??= await ClickhouseServer.start()
    await server.reset()
  })
  afterAll(() => server?.stop())

  test.each(lakeSuite.behaviours)('$name', ({ check }) => {
    const { type, ...example } = server!.lake
    return check({ ...clickhouse, example } as unknown as AnyLake)
  })
})

describe.skipIf(whyNoServer)(`lake clickhouse on a cluster${whyNoServer ? ` (${whyNoServer})` : ''}`, () => {
  let cluster: ClickhouseCluster | undefined
  beforeEach(async () => {
    cluster ??= await ClickhouseCluster.start()
    await cluster.reset()
  })
  afterAll(() => cluster?.stop())

  // Again, since a server of this kind (clickhouse-local that listens) sometimes ends with a fatal error of its own while a query over several
  // servers is cancelled just as it begins.
  test.each(lakeSuite.behaviours)('$name', { retry: 2 }, ({ check }) => {
    const { type, ...example } = cluster!.lake
    return check({ ...clickhouse, example } as unknown as AnyLake)
  })
})

/** A lake with a fault. */
function faulty(change: (inner: Lake) => Partial<Lake>): AnyLake {
  const whole = chdb as unknown as AnyLake
  return {
    ...whole,
    async create(config, deps) {
      const inner = await whole.create(config, deps)
      const own: Lake = {
        ensure: (...args) => inner.ensure(...args),
        store: (...args) => inner.store(...args),
        storeLookup: (...args) => inner.storeLookup(...args),
        showLookups: (...args) => inner.showLookups(...args),
        query: (...args) => inner.query(...args),
        toParquet: (...args) => inner.toParquet(...args),
        removeSource: (...args) => inner.removeSource(...args),
        partitions: () => inner.partitions(),
        logTypesIn: (...args) => inner.logTypesIn(...args),
        retire: (...args) => inner.retire(...args),
        archiveDays: (...args) => inner.archiveDays(...args),
        exportDay: (...args) => inner.exportDay(...args),
        importFile: (...args) => inner.importFile(...args),
        find: (...args) => inner.find(...args),
        erase: (...args) => inner.erase(...args),
        scrub: () => inner.scrub(),
        move: (ask) => inner.move(ask),
        snapshot: () => inner.snapshot(),
        dropSnapshot: () => inner.dropSnapshot(),
        ready: () => inner.ready(),
        close: () => inner.close(),
      }
      return { ...own, ...change(own) }
    },
  }
}

let insert = 0

describe('the suite fails a lake that', () => {
  test.each<[string, (inner: Lake) => Partial<Lake>, string]>([
    [
      'takes a token for another one each time',
      ({ store }) => ({ store: (table, file, token) => store(table, file, `${token} ${++insert}`) }),
      'stores the rows of a token once, however often and in whatever order it is asked',
    ],
    [
      'takes every token for the same',
      ({ store }) => ({ store: (table, file) => store(table, file, 'token') }),
      'stores the rows of a token once, however often and in whatever order it is asked',
    ],
    [
      'ignores the limit of rows',
      ({ query }) => ({ query: (sql, { maxRows, ...rest } = {}) => query(sql, rest) }),
      'answers queries with values for placeholders, cut at the limit, and says so',
    ],
    [
      'says that nothing was cut',
      ({ query }) => ({ query: async (...args) => ({ ...(await query(...args)), truncated: false }) }),
      'answers queries with values for placeholders, cut at the limit, and says so',
    ],
    [
      'leaves a removed source where it is',
      () => ({ removeSource: async () => {} }),
      'removes a source with its events, matches and dead letters, and nothing of another one',
    ],
    [
      'ignores the time limit and the signal',
      ({ query }) => ({
        query: (sql, { timeoutMs, signal, ...rest } = {}) => query(sql, { ...rest, timeoutMs: 3000 }),
      }),
      'ends a query whose time is up or whose caller gives up, and goes on',
    ],
    [
      'refuses with errors of its own',
      ({ ensure }) => ({
        ensure: (...args) =>
          ensure(...args).catch(() => {
            throw new Error('no')
          }),
      }),
      'refuses for good what it can never keep, and says why',
    ],
  ])('%s', async (_, change, name) => {
    const behaviours = lakeSuite.behaviours.filter((one) => one.name === name)
    expect(await failedBy(behaviours, () => faulty(change))).toEqual([name])
  })
})

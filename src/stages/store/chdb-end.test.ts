import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ManualClock } from '../../../test/support/manual-clock.ts'
import type { TableSpec } from '../../model/column.ts'
import type { SystemProblem } from '../../model/system-problem.ts'
import { RetryLater } from '../../util/errors.ts'
import { type ChdbLake, createChdbLake } from './chdb.ts'
import { insertInto } from './insert.fixture.ts'
import { LakeEnded, QueryBarred } from './lake.ts'
import { GRACE_MS } from './query-limit.ts'

/** Queries that the engine does not stop: it checks between blocks, and these are a single block, or still being planned. */
const UNSTOPPABLE = {
  'a function that takes long over one value': 'SELECT arrayLevenshteinDistance(range(300000), range(300000))',
  'a table doubled 24 times': `WITH t0 AS (SELECT 1 AS a)${Array.from(
    { length: 24 },
    (_, i) => `, t${i + 1} AS (SELECT * FROM t${i} UNION ALL SELECT * FROM t${i})`,
  ).join('')} SELECT count() FROM t24`,
  'a long array sorted': 'SELECT length(arraySort(x -> rand(x), range(50000000)))',
}
const LONG = UNSTOPPABLE['a function that takes long over one value']
const ENDLESS = 'SELECT count() FROM numbers(1000000000000) WHERE cityHash64(number) = 1'

const table: TableSpec = {
  database: 'logs',
  table: 't',
  timeColumn: 'p_event_time',
  columns: [
    { name: 'p_event_time', kind: 'timestamp', required: true },
    { name: 'n', kind: 'int', required: true },
  ],
}
const row = (n: number) => [['2026-01-01T00:00:00Z', n]]

let dataDir: string
let clock: ManualClock
let lake: ChdbLake
let problems: readonly SystemProblem[] = []

async function open(readers = 2): Promise<void> {
  clock = new ManualClock()
  lake = await createChdbLake({ dataDir, readers, clock, onProblems: (all) => (problems = all) })
}

function failure(promise: Promise<unknown>): Promise<Error | undefined> {
  return promise.then(
    () => undefined,
    (error: Error) => error,
  )
}

/** Resolves once all earlier requests have begun, as far as there were readers: requests are processed in order. */
async function begun(): Promise<void> {
  await lake.query('SELECT 1')
}

/** Runs a query that the engine does not stop, to its end. */
async function endOf(sql: string): Promise<Error | undefined> {
  const end = failure(lake.query(sql, { timeoutMs: 1000 }))
  await begun()
  await clock.advance(1000 + GRACE_MS)
  return await end
}

/** What the lake answers once it is available again. */
async function answered(): Promise<readonly string[]> {
  return (await lake.query('SELECT 1')).rows
}

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'lake-'))
  problems = []
  await open()
})
afterEach(async () => {
  await lake.close()
  rmSync(dataDir, { recursive: true, force: true })
})

test.each(Object.entries(UNSTOPPABLE))('%s ends with its time limit, and the lake answers again', async (_, sql) => {
  const pid = lake.pid
  const error = await endOf(sql)
  expect(error).toBeInstanceOf(LakeEnded)
  expect(error?.message).toContain('time limit of 1000 ms')
  expect(await answered()).toEqual(['[1]'])
  expect(lake.pid).not.toBe(pid)
  expect(problems).toMatchObject([{ what: 'LakeReplaced', message: expect.stringContaining('could not stop a query') }])
})

test('two at once end at their time limit', async () => {
  await lake.close()
  await open(3)
  const first = failure(lake.query(LONG, { timeoutMs: 1000 }))
  const errors = [await endOf(`${LONG} + 1`), await first]
  for (const error of errors) expect(error?.message).toContain('ended after its time limit of 1000 ms')
  expect(await answered()).toEqual(['[1]'])
})

test('a query is ended the same way if its caller goes away', async () => {
  const caller = new AbortController()
  const abandoned = failure(lake.query(LONG, { signal: caller.signal }))
  await begun()
  caller.abort()
  await clock.advance(GRACE_MS)
  expect(await abandoned).toBeInstanceOf(LakeEnded)
  expect(await answered()).toEqual(['[1]'])
})

test('other running queries may be retried and are not blamed', async () => {
  await lake.close()
  await open(3)
  for (const text of [LONG, `${LONG} + 1`]) {
    const innocent = failure(lake.query(ENDLESS))
    expect(await endOf(text)).toBeInstanceOf(LakeEnded)
    const error = await innocent
    expect(error).toBeInstanceOf(RetryLater)
    expect((error as RetryLater).afterMs).toBeGreaterThan(0)
    await answered()
  }
  const end = failure(lake.query(ENDLESS, { timeoutMs: 1000 }))
  await begun()
  await clock.advance(1000)
  expect((await end)?.message).toBe('the query was ended after its time limit of 1000 ms')
})

test('a query that never got a reader may be retried', async () => {
  const caller = new AbortController()
  const busy = [ENDLESS, ENDLESS].map((sql) => failure(lake.query(sql, { signal: caller.signal })))
  const end = failure(lake.query('SELECT 1', { timeoutMs: 1000 }))
  await clock.advance(1000)
  const error = await end
  expect(error).toBeInstanceOf(RetryLater)
  expect(error?.message).toContain('did not begin within its time limit of 1000 ms')
  caller.abort()
  await Promise.all(busy)
  expect(await answered()).toEqual(['[1]'])
})

test('waiting for rows to be stored counts against the time limit', async () => {
  const end = failure(lake.query('SELECT 1', { timeoutMs: 1000, after: new Promise(() => {}) }))
  await clock.advance(1000)
  const error = await end
  expect(error).toBeInstanceOf(RetryLater)
  expect(error?.message).toContain('it waited for rows still being stored')
  expect((await lake.query('SELECT 1', { after: Promise.resolve() })).rows).toEqual(['[1]'])
})

test('no rows are lost or duplicated when the process ends during inserts', async () => {
  await lake.ensure(table)
  let isOver = false
  const inserted: number[] = []
  let again = 0
  const inserting = (async () => {
    for (let n = 0; !isOver; n++) {
      // Like the flusher, repeats the same call until it succeeds.
      while (!isOver) {
        const error = await failure(insertInto(lake, table, row(n), `token ${n}`))
        if (!error) break
        expect(error).toBeInstanceOf(RetryLater)
        again++
        // The event loop must run for the lake to become available again.
        await setTimeout(1)
      }
      inserted.push(n)
    }
  })()
  try {
    for (let i = 0; i < 3; i++) {
      expect(await endOf(`${LONG} + ${i}`)).toBeInstanceOf(LakeEnded)
      await answered()
    }
  } finally {
    isOver = true
    await inserting
  }
  const last = inserted.length - 1
  await insertInto(lake, table, row(last), `token ${last}`)
  const { rows } = await lake.query('SELECT n FROM logs.t ORDER BY n', { maxRows: 1_000_000 })
  expect(rows).toEqual(inserted.map((n) => `[${n}]`))
  expect(again).toBeGreaterThan(0)
})

test('a query text that ended the process twice is refused, others are not', async () => {
  for (let i = 0; i < 2; i++) {
    expect(await endOf(LONG)).toBeInstanceOf(LakeEnded)
    await answered()
  }
  expect(await failure(lake.query(LONG))).toBeInstanceOf(QueryBarred)
  expect((await lake.query('SELECT 2')).rows).toEqual(['[2]'])
})

test('a query during which the process crashed twice is refused', async () => {
  for (let i = 0; i < 2; i++) {
    const end = failure(lake.query(ENDLESS))
    await begun()
    process.kill(lake.pid!, 'SIGKILL')
    expect(await end).toBeInstanceOf(RetryLater)
    await answered()
  }
  expect(await failure(lake.query(ENDLESS))).toBeInstanceOf(QueryBarred)
  expect(problems).toMatchObject([{ what: 'LakeReplaced', message: expect.stringContaining('2 times') }])
})

test('a process that hangs is replaced, and requests to it may be retried', async () => {
  await lake.ensure(table)
  process.kill(lake.pid!, 'SIGSTOP')
  // The rows are written to a file first, so the clock advances only once the request has been sent.
  let insert: Promise<Error | undefined> = Promise.resolve(undefined)
  await new Promise<void>((asked) => {
    const store: ChdbLake['store'] = (...request) => {
      const answer = lake.store(...request)
      asked()
      return answer
    }
    insert = failure(insertInto({ ensure: (spec) => lake.ensure(spec), store }, table, row(1), 'one'))
  })
  await clock.advance(60_000)
  expect(await insert).toBeInstanceOf(RetryLater)
  await answered()
  await insertInto(lake, table, row(1), 'one')
  expect((await lake.query('SELECT n FROM logs.t')).rows).toEqual(['[1]'])
  expect(problems).toMatchObject([{ what: 'LakeReplaced', message: expect.stringContaining('not responded for 30 seconds') }])
})

test('close ends a query that the engine cannot stop, and a process that hangs', async () => {
  const query = failure(lake.query(LONG))
  await begun()
  const closed = lake.close()
  await clock.advance(10_000)
  await closed
  expect(await query).toBeInstanceOf(RetryLater)
  await open()
  process.kill(lake.pid!, 'SIGSTOP')
  const closedAgain = lake.close()
  await clock.advance(10_000)
  await closedAgain
  await open()
  expect(await answered()).toEqual(['[1]'])
})

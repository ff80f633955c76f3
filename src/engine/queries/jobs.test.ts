import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { QueryJob } from '../../model/query-job.ts'
import { type ChdbLake, createChdbLake } from '../../stages/store/chdb.ts'
import { wordPattern } from '../../util/word-pattern.ts'
import { asker } from './ask.ts'
import { type JobLimits, type OwnJobs, QueryJobs } from './jobs.ts'

const ENDLESS = 'SELECT count() FROM numbers(1000000000000) WHERE cityHash64(number) = 1'
const ANA = { kind: 'token', name: 'ana' }
const MAX_WAIT_MS = 60_000
const forever = new AbortController().signal

const lakeFolder = mkdtempSync(join(tmpdir(), 'caracal-jobs-lake-'))
let lake: ChdbLake
let folder: string
let nowMs: number
let jobs: QueryJobs

async function open(limits: Partial<JobLimits> = {}): Promise<void> {
  const world = () => ({ saved: new Map(), tables: [] })
  jobs = new QueryJobs({
    folder,
    lake,
    query: asker({ lake, flush: async () => {}, world, now: () => nowMs }),
    limits: { resultHours: 24, historyDays: 30, maxResultBytes: 1e8, atOnce: 2, ...limits },
    now: () => nowMs,
    log: { warn: () => {} },
  })
  await jobs.start()
}

async function started(own: OwnJobs, sql: string): Promise<string> {
  const begun = await own.start({ sql })
  if (begun.kind !== 'started') throw new Error(begun.why)
  return begun.job.id
}

async function ended(own: OwnJobs, sql: string): Promise<QueryJob> {
  const id = await started(own, sql)
  await own.ended(id, MAX_WAIT_MS, forever)
  return own.get(id)!
}

/** Waits until the engine runs it, and returns how far it is then. */
async function running(own: OwnJobs, id: string) {
  return expect.poll(() => own.progress(id), { timeout: MAX_WAIT_MS }).toMatchObject({ rowsTotal: expect.any(Number) })
}

const linesOf = async (own: OwnJobs, id: string) => {
  const lines: string[] = []
  for await (const line of own.lines(id)) lines.push(line)
  return lines
}

beforeAll(async () => {
  lake = await createChdbLake({ dataDir: lakeFolder, fsync: false })
})
afterAll(async () => {
  await jobs.stop()
  await lake.close()
  rmSync(lakeFolder, { recursive: true, force: true })
})
beforeEach(async () => {
  await jobs?.stop()
  folder = join(mkdtempSync(join(tmpdir(), 'caracal-jobs-')), 'queries')
  nowMs = Date.parse('2024-04-19T12:00:00Z')
  await open()
})

test('a result is read in pages, whole, and again after a restart', async () => {
  const own = jobs.of(ANA)
  const job = await ended(own, "SELECT number, concat('x\\n', toString(number)) AS t FROM numbers(25)")
  expect(job).toMatchObject({ state: 'done', rows: 25, truncated: false, rowsRead: 25 })
  expect(job.columns!.map(({ name }) => name)).toEqual(['number', 't'])
  const expected = Array.from({ length: 25 }, (_, n) => `[${n}, "x\\n${n}"]`)
  const pages: string[][] = []
  for (let at: number | undefined = 0; at !== undefined; ) {
    const page = await own.rows(job.id, at, 10)
    pages.push([...page.rows])
    at = page.next
  }
  expect(pages.map(({ length }) => length)).toEqual([10, 10, 5])
  expect(pages.flat()).toEqual(expected)
  await expect(own.rows(job.id, 3, 10)).rejects.toThrow('no row begins at 3')
  await expect(own.rows(job.id, 1e9, 10)).rejects.toThrow('no row begins')
  await jobs.stop()
  await open()
  expect(jobs.of(ANA).list()).toEqual([job])
  expect(await linesOf(jobs.of(ANA), job.id)).toEqual(expected)
})

test('a result as Parquet has the same values', async () => {
  const own = jobs.of(ANA)
  const sql = `SELECT number AS n, toString(number) AS t, toDateTime64('2024-04-19 10:00:00.5', 3, 'UTC') AS at, [number, 1] AS l,
    if(number = 1, NULL, 'x') AS maybe, 18446744073709551615 AS large FROM numbers(3)`
  const { id } = await ended(own, sql)
  const file = await own.parquet(id)
  const rows = await parquetReadObjects({ file: await asyncBufferFromFile(file) })
  const at = new Date('2024-04-19T10:00:00.500Z')
  const row = (n: bigint) => ({
    n,
    t: String(n),
    at,
    l: [n, 1n],
    maybe: n === 1n ? undefined : 'x',
    large: 18446744073709551615n,
  })
  expect(rows.map((one) => ({ ...one, maybe: one['maybe'] ?? undefined }))).toEqual([row(0n), row(1n), row(2n)])
})

test('a query that fails says why', async () => {
  expect(await ended(jobs.of(ANA), 'SELECT nope')).toMatchObject({ state: 'failed', error: expect.stringContaining('nope') })
  expect(await ended(jobs.of(ANA), "SELECT * FROM file('/etc/passwd')")).toMatchObject({ state: 'failed' })
})

describe('a query that is cancelled', () => {
  test('is over in the engine too, and one that waits never begins', async () => {
    await open({ atOnce: 1 })
    const own = jobs.of(ANA)
    const [first, second] = [await started(own, ENDLESS), await started(own, ENDLESS)]
    await running(own, first)
    expect(own.get(second)!.state).toBe('waiting')
    expect(await own.cancel(second)).toMatchObject({ state: 'cancelled' })
    expect(own.get(second)!.startedMs).toBeUndefined()
    expect(await own.cancel(first)).toMatchObject({ state: 'cancelled' })
    // The only reader that was busy answers again.
    expect((await ended(own, 'SELECT 1')).state).toBe('done')
    expect(own.get(first)!.error).toBeUndefined()
  })

  test('leaves no statement in the list of those that run', async () => {
    const own = jobs.of(ANA)
    let progress: (() => Promise<unknown>) | undefined
    const stop = new AbortController()
    const asked = lake.query(ENDLESS, { signal: stop.signal, onBegin: (one) => (progress = one) })
    asked.catch(() => {})
    await expect.poll(() => progress?.(), { timeout: MAX_WAIT_MS }).toBeDefined()
    const id = await started(own, ENDLESS)
    await running(own, id)
    stop.abort()
    await own.cancel(id)
    await expect(asked).rejects.toThrow('cancelled')
    await expect.poll(() => progress!(), { timeout: MAX_WAIT_MS }).toBeUndefined()
  })
})

describe('others', () => {
  test.each([
    ['another token', { kind: 'token', name: 'bob' }],
    ['a person of the same name', { kind: 'person', name: 'ana' }],
    ['a person who was created again with the same name', { ...ANA, userId: 'u2' }],
    ['a token that was created again with the same name', { ...ANA, tokenId: 't2' }],
    ['a token of the same name that sees less', { ...ANA, logTypes: ['Zeek.*'] }],
  ])('%s sees nothing of a query', async (_, owner) => {
    const { id } = await ended(jobs.of(ANA), 'SELECT 1')
    const other = jobs.of(owner)
    expect([other.get(id), other.list(), await other.remove(id), await other.cancel(id)]).toEqual([
      undefined,
      [],
      false,
      undefined,
    ])
    for (const reach of [other.rows(id, 0, 1), linesOf(other, id).then(() => {}), other.parquet(id)].map((one) =>
      one.catch((e: Error) => e),
    ))
      expect(await reach).toBeInstanceOf(Error)
    expect(jobs.of(ANA).get(id)).toBeDefined()
  })

  test('a query of limited visibility is limited when it runs', async () => {
    const own = jobs.of({ ...ANA, logTypes: ['Zeek.*'] })
    expect(await ended(own, 'SELECT * FROM monitor.dead_letters')).toMatchObject({ state: 'failed' })
  })

  test('nobody can have more than a few queries at a time', async () => {
    const own = jobs.of(ANA)
    const ids = await Promise.all(Array.from({ length: 8 }, () => started(own, ENDLESS)))
    expect(await own.start({ sql: 'SELECT 1' })).toMatchObject({
      kind: 'busy',
      why: expect.stringContaining('8 of your queries'),
    })
    expect((await jobs.of({ kind: 'token', name: 'bob' }).start({ sql: 'SELECT 1' })).kind).toBe('started')
    await Promise.all(ids.map((id) => own.cancel(id)))
  })
})

describe('what is kept', () => {
  test('results and history end after their time', async () => {
    const own = jobs.of(ANA)
    const { id } = await ended(own, 'SELECT 1')
    nowMs += 25 * 3_600_000
    await jobs.stop()
    await open()
    expect(jobs.of(ANA).get(id)).toMatchObject({ state: 'done', isGone: true })
    await expect(jobs.of(ANA).rows(id, 0, 1)).rejects.toThrow('run the query again')
    nowMs += 31 * 86_400_000
    await jobs.stop()
    await open()
    expect([jobs.of(ANA).get(id), readdirSync(folder)]).toEqual([undefined, []])
  })

  test('the oldest result makes room, and one that is too large is refused', async () => {
    await open({ maxResultBytes: 3000 })
    const own = jobs.of(ANA)
    const sql = (n: number) => `SELECT repeat('x', 100) FROM numbers(${n})`
    const [first, second, third] = [await ended(own, sql(13)), await ended(own, sql(13)), await ended(own, sql(13))]
    expect([first, second, third].map(({ id }) => own.get(id)!.isGone)).toEqual([true, undefined, undefined])
    expect(await ended(own, sql(100))).toMatchObject({
      state: 'failed',
      error: expect.stringContaining('queries.max_result_bytes'),
    })
    expect(readdirSync(folder).filter((name) => name.endsWith('.rows'))).toHaveLength(2)
  })

  test('a query that was running when the program stopped has failed, and says so', async () => {
    const own = jobs.of(ANA)
    const id = await started(own, ENDLESS)
    await running(own, id)
    const unfinished = readFileSync(join(folder, `${id}.json`), 'utf8')
    await jobs.stop()
    expect(own.get(id)).toMatchObject({ state: 'failed', error: expect.stringContaining('Caracal was stopped') })
    // A kill leaves the file as it was.
    writeFileSync(join(folder, `${id}.json`), unfinished)
    writeFileSync(join(folder, 'ffffffffffffffffffffffff.json'), '{"id":')
    await open()
    expect(jobs.of(ANA).get(id)).toMatchObject({ state: 'failed', error: expect.stringContaining('run it again') })
    expect(readdirSync(folder)).toEqual([`${id}.json`])
  })

  test('a query that is deleted leaves nothing', async () => {
    const own = jobs.of(ANA)
    const { id } = await ended(own, "SELECT 'a person'")
    expect(await own.remove(id)).toBe(true)
    expect([own.get(id), readdirSync(folder)]).toEqual([undefined, []])
  })
})

test('a value that is erased is also forgotten with queries that were running', async () => {
  const own = jobs.of(ANA)
  const id = await started(own, "SELECT 'ana.lima', sleepEachRow(0.2) FROM numbers(3)")
  expect(await jobs.erase(wordPattern('ana.lima'), false, forever)).toBe(1)
  expect(own.get(id)).toBeUndefined()
  expect(readdirSync(folder)).toEqual([])
})

import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { retentionSchema } from '../../config/retention.ts'
import type { Column, TableSpec } from '../../model/column.ts'
import type { RetentionRun } from '../../model/retention.ts'
import type { SystemProblem } from '../../model/system-problem.ts'
import { Order } from '../../pipeline/order.ts'
import { type ChdbLake, createChdbLake } from '../../stages/store/chdb.ts'
import { insertInto } from '../../stages/store/insert.fixture.ts'
import { RetryLater } from '../../util/errors.ts'
import { Lifetime } from '../lifetime/lifetime.ts'
import { Archiver } from './archiver.ts'
import { FolderPlace } from './folder-place.ts'
import { ArchiveListing } from './listing.ts'
import type { ArchivePlace } from './place.ts'
import { Restores } from './restores.ts'

const top = mkdtempSync(join(tmpdir(), 'caracal-archive-'))
afterAll(() => rmSync(top, { recursive: true, force: true }))

const text = (name: string): Column => ({ name, kind: 'string', required: true })
const time = (name: string): Column => ({ name, kind: 'timestamp', required: true })
const COLUMNS = [
  ...['p_log_type', 'p_row_id', 'p_rule_id', 'p_alert_id'].map(text),
  ...['p_event_time', 'p_parse_time'].map(time),
  { name: 'p_schema_version', kind: 'int', required: true } as const,
]
const NOW = Date.parse('2026-03-20T12:00:00Z')
const DAYS = ['2026-03-03', '2026-03-03', '2026-03-05', '2026-03-10', '2026-03-18']
/** Those older than ten days, whose week is over: in three archived days of `logs.a` and `matches.a` each. */
const OLD = 3
const signal = new AbortController().signal
const log = pino({ level: 'silent' })

let folder: string
let lake: ChdbLake
let place: FolderPlace
let held: string[]
let problems: readonly SystemProblem[]
let runs: RetentionRun[]
let saved: string
let nowMs: number

beforeEach(async () => {
  ;[held, problems, runs, saved, nowMs] = [[], [], [], '', NOW]
  folder = mkdtempSync(join(top, 'data-'))
  place = new FolderPlace(join(folder, 'archive'))
  lake = await createChdbLake({ dataDir: folder, fsync: false })
  for (const database of ['logs', 'matches']) {
    const spec: TableSpec = { database, table: 'test_a', columns: COLUMNS, timeColumn: 'p_event_time' }
    await lake.ensure(spec)
    const rows = DAYS.map((day, i) => ['Test.A', `row ${i}`, 'R', `alert ${i}`, `${day}T09:00:00Z`, `${day}T10:00:0${i}Z`, 1])
    await insertInto(lake, spec, rows, `insert ${database}`)
  }
})
afterEach(() => lake.close())

async function retain(at: ArchivePlace, keeps?: Restores): Promise<void> {
  const lifetime = new Lifetime({
    ...{ lake, log, order: new Order(), held: async () => held, now: () => nowMs },
    retention: retentionSchema.parse({ lake_days: 10 }),
    archiver: new Archiver({ place: at, lake, workFolder: join(folder, 'work'), now: () => nowMs }),
    keeps: (partition) => keeps?.keeps(partition) ?? false,
    onProblems: (now) => (problems = now),
    onRun: (run) => runs.push(run),
  })
  await lifetime.run()
  await lifetime.stop()
}

async function restores(at: ArchivePlace = place): Promise<Restores> {
  const made = new Restores({
    ...{ place: at, listing: new ArchiveListing(at), lake, order: new Order(), log, now: () => nowMs },
    workFolder: join(folder, 'in'),
    load: async () => saved,
    save: async (all) => {
      saved = all
    },
    needRoom: async () => {},
  })
  await made.open()
  return made
}

const ASK = { logType: 'Test.A', from: '2026-03-01', to: '2026-03-08', keepDays: 7, by: 'ana' }

async function restored(made: Restores, ask = ASK) {
  const { id } = await made.begin(ask)
  await expect.poll(() => made.all.find((one) => one.id === id)!.state).not.toBe('running')
  return made.all.find((one) => one.id === id)!
}

const left = async (name: string) =>
  (await lake.query(`SELECT p_row_id FROM ${name}.test_a ORDER BY 1`)).rows.map((row) => (JSON.parse(row) as [string])[0])
const ids = (from: number, to = DAYS.length) => DAYS.slice(from, to).map((_, i) => `row ${i + from}`)
const listed = async () => (await new ArchiveListing(place).list({ limit: 100 }, signal)).days
const archivedRows = async () => (await listed()).map(({ manifest }) => [manifest.database, manifest.day, manifest.rows])
const ALL = ['logs', 'matches'].flatMap((database) => [
  [database, '2026-03-03', 2],
  [database, '2026-03-05', 1],
])

test('rows are archived by day before they are deleted, with a manifest that says what they are', async () => {
  await retain(place)
  expect(problems).toEqual([])
  expect(runs[0]!.deleted).toMatchObject([{ name: 'logs.test_a 2026-03-02', rows: OLD, archived: OLD }, { archived: OLD }])
  expect(await left('logs')).toEqual(ids(OLD))
  expect(await archivedRows()).toEqual(ALL)
  const { manifest, folder: key } = (await listed())[0]!
  expect(manifest).toMatchObject({
    ...{ log_type: 'Test.A', table: 'test_a', first_event_time: '2026-03-03T09:00:00.000000000Z', schema_versions: [1] },
    files: [{ name: '00000.parquet', rows: 2, bytes: statSync(join(place.name, key, '00000.parquet')).size }],
  })
  expect(manifest.columns).toContainEqual({ name: 'p_event_time', type: "DateTime64(9, 'UTC')" })
  // Nothing is left of the files on their way.
  expect(readdirSync(folder).sort()).toEqual(['archive', 'lake'])
})

test('restored rows can be queried, are kept for as long as was asked, and are then deleted without being archived twice', async () => {
  const before = (await lake.query('SELECT * FROM matches.test_a ORDER BY p_row_id')).rows
  await retain(place)
  const made = await restores()
  expect(await restored(made)).toMatchObject({ state: 'done', days: 4, daysDone: 4, rows: 6, restored: 6, present: 0 })
  expect((await lake.query('SELECT * FROM matches.test_a ORDER BY p_row_id')).rows).toEqual(before)
  // A second time, nothing is doubled.
  expect(await restored(made, { ...ASK, from: '2026-03-05' })).toMatchObject({ rows: 2, restored: 0, present: 2 })
  await retain(place, await restores())
  expect(await left('logs')).toEqual(ids(0))
  nowMs = NOW + 8 * 86_400_000
  await retain(place, await restores())
  expect(await left('logs')).toEqual(ids(4))
  expect((await archivedRows()).filter(([, day]) => day! < '2026-03-08')).toEqual(ALL)
})

test('what is on hold is neither archived nor deleted, and after its release both', async () => {
  held = ['alert 1']
  await retain(place)
  expect(await left('logs')).toEqual(['row 1', ...ids(OLD)])
  expect((await archivedRows()).map(([, , rows]) => rows)).toEqual([1, 1, 1, 1])
  held = []
  await retain(place)
  expect(await left('logs')).toEqual(ids(OLD))
  expect(await restored(await restores())).toMatchObject({ rows: 6, restored: 6 })
  expect(await left('logs')).toEqual(ids(0))
})

/** The place, which ends at its nth call: before or after it does what is asked. */
function ending(at: number, isAfter: boolean): { place: ArchivePlace; calls: () => number } {
  let calls = 0
  const step = () => {
    if (calls++ === at) throw new RetryLater('killed')
  }
  const dying: ArchivePlace = {
    name: place.name,
    async put(key, file) {
      if (!isAfter) step()
      await place.put(key, file)
      if (isAfter) step()
    },
    async *read(key) {
      step()
      yield* place.read(key)
    },
    async *list(root, options) {
      step()
      yield* place.list(root, options)
    },
  }
  return { place: dying, calls: () => calls }
}

test('wherever it ends, no row is lost, none is deleted that is not archived, and none is archived twice', async () => {
  const whole = ending(-1, false)
  const copy = join(folder, 'copy')
  await lake.close()
  cpSync(join(folder, 'lake'), copy, { recursive: true })
  lake = await createChdbLake({ dataDir: folder, fsync: false })
  await retain(whole.place)
  const calls = whole.calls()
  expect(calls).toBeGreaterThan(20)
  for (let at = 0; at < calls; at += 3) {
    await lake.close()
    rmSync(join(folder, 'lake'), { recursive: true })
    rmSync(place.name, { recursive: true, force: true })
    cpSync(copy, join(folder, 'lake'), { recursive: true })
    lake = await createChdbLake({ dataDir: folder, fsync: false })
    await retain(ending(at, at % 2 === 1).place)
    expect(problems).toMatchObject([{ what: 'LakeNotArchived', message: expect.stringContaining('killed') }])
    for (const database of ['logs', 'matches']) {
      const inArchive = (await archivedRows()).filter(([name]) => name === database).reduce((sum, [, , n]) => sum + Number(n), 0)
      const inLake = (await left(database)).length - (DAYS.length - OLD)
      // A partition goes as a whole, once all of its days are archived.
      expect([at, inLake, inLake === 0 ? inArchive : OLD]).toEqual([at, inLake === 0 ? 0 : OLD, OLD])
    }
    await retain(place)
    expect([at, problems, await left('logs'), await left('matches')]).toEqual([at, [], ids(OLD), ids(OLD)])
    expect([at, await archivedRows()]).toEqual([at, ALL])
  }
}, 240_000)

test('a place that stores less than it was sent keeps the rows in the lake', async () => {
  const cutting: ArchivePlace = {
    name: place.name,
    async put(key, file) {
      await place.put(key, file)
      if (key.endsWith('.parquet')) truncateSync(join(place.name, key), 100)
    },
    read: (key) => place.read(key),
    list: (root, options) => place.list(root, options),
  }
  await retain(cutting)
  expect(problems).toMatchObject([{ what: 'LakeNotArchived', message: expect.stringContaining('as it was written') }])
  expect(runs[0]!.failed).toHaveLength(2)
  expect(await left('logs')).toEqual(ids(0))
  await retain(place)
  expect(await left('logs')).toEqual(ids(OLD))
})

test('rows that change while they are archived stay', async () => {
  const archiver = new Archiver({
    place,
    lake: {
      archiveDays: (ask) => lake.archiveDays(ask),
      async exportDay(ask) {
        const sum = await lake.exportDay(ask)
        await lake.erase({ re2: 'row 2', value: 'row 2', held: [] })
        return sum
      },
    },
    workFolder: join(folder, 'work'),
    now: () => NOW,
  })
  const partition = { database: 'logs', table: 'test_a', id: '20260302', held: [] }
  const about = { logType: 'Test.A', bytes: 1, all: 3 }
  await expect(archiver.archive(partition, about, signal)).rejects.toThrow('changed while they were archived')
  expect(await lake.retire({ ...partition, expected: 3 })).toEqual({ rows: 0, kept: 2, isChanged: true })
})

describe('a restore', () => {
  test('refuses a damaged file, and says which', async () => {
    await retain(place)
    const { folder: key } = (await listed())[0]!
    const file = join(place.name, key, '00000.parquet')
    const bytes = readFileSync(file)
    bytes[200]! ^= 1
    writeFileSync(file, bytes)
    const failed = await restored(await restores())
    expect(failed).toMatchObject({
      state: 'failed',
      restored: 0,
      message: expect.stringContaining(`${key}00000.parquet is damaged`),
    })
    expect(await left('logs')).toEqual(ids(OLD))
  })

  test('that a crash interrupts is failed after the restart, and the same again restores the rest', async () => {
    await retain(place)
    let reads = 0
    const dying: ArchivePlace = {
      name: place.name,
      put: (key, file) => place.put(key, file),
      list: (root, options) => place.list(root, options),
      async *read(key) {
        if (key.endsWith('.parquet') && reads++ === 2) await new Promise(() => {})
        yield* place.read(key)
      },
    }
    const { id } = await (await restores(dying)).begin(ASK)
    await expect.poll(() => saved).toContain('"daysDone":2')
    const made = await restores()
    expect(made.all).toMatchObject([{ id, state: 'failed', restored: 3, message: expect.stringContaining('the same command') }])
    expect(await restored(made)).toMatchObject({ rows: 6, restored: 3, present: 3 })
    expect(await left('matches')).toEqual(ids(0))
  })

  test('of days that are not archived is refused, and of a table that no longer exists creates it', async () => {
    const made = await restores()
    await expect(made.begin(ASK)).rejects.toThrow('has nothing of Test.A')
    await retain(place)
    await lake.close()
    rmSync(join(folder, 'lake'), { recursive: true })
    lake = await createChdbLake({ dataDir: folder, fsync: false })
    expect(await restored(await restores())).toMatchObject({ state: 'done', restored: 6 })
    expect(await left('logs')).toEqual(ids(0, OLD))
  })
})

test('a list is in pages, and limited to a log type and days', async () => {
  await retain(place)
  const listing = new ArchiveListing(place)
  const first = await listing.list({ limit: 3 }, signal)
  const second = await listing.list({ limit: 3, after: first.last }, signal)
  expect([...first.days, ...second.days].map(({ manifest }) => [manifest.database, manifest.day, manifest.rows])).toEqual(ALL)
  expect(second.last).toBeUndefined()
  const some = await listing.list({ limit: 9, table: 'test_a', from: '2026-03-04', to: '2026-03-05' }, signal)
  expect(some.days.map(({ manifest }) => manifest.day)).toEqual(['2026-03-05', '2026-03-05'])
  expect((await listing.list({ limit: 9, table: 'test_b' }, signal)).days).toEqual([])
})

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { retentionSchema } from '../../config/retention.ts'
import type { Column, TableSpec } from '../../model/column.ts'
import type { SystemProblem } from '../../model/system-problem.ts'
import { Order } from '../../pipeline/order.ts'
import { type ChdbLake, createChdbLake } from '../../stages/store/chdb.ts'
import { insertInto } from '../../stages/store/insert.fixture.ts'
import { Lifetime } from './lifetime.ts'

const top = mkdtempSync(join(tmpdir(), 'caracal-lifetime-'))
afterAll(() => rmSync(top, { recursive: true, force: true }))

const columns: Column[] = ['p_log_type', 'p_row_id', 'p_alert_id', 'filler'].map((name) => ({
  name,
  kind: 'string',
  required: true,
}))
for (const name of ['p_event_time', 'p_parse_time']) columns.push({ name, kind: 'timestamp', required: true })
const table = (database: string, name: string): TableSpec => ({ database, table: name, columns, timeColumn: 'p_event_time' })

const NOW = Date.parse('2026-03-20T12:00:00Z')
const DAYS = ['2026-03-03', '2026-03-10', '2026-03-17', '2026-03-18', '2026-03-20']
let lake: ChdbLake
const log = pino({ level: 'silent' })
let held: string[] = []
let problems: readonly SystemProblem[] = []

beforeEach(async () => {
  held = []
  problems = []
  lake = await createChdbLake({ dataDir: mkdtempSync(join(top, 'data-')), fsync: false })
  let n = 0
  for (const [database, name] of [
    ['logs', 'a'],
    ['logs', 'b'],
    ['matches', 'a'],
  ] as const) {
    const spec = table(database, name)
    await lake.ensure(spec)
    // Random text does not compress, so the sizes are known: about 200 kB a day in logs.a.
    const filler = (day: string) => (name === 'a' && database === 'logs' ? noise(200_000, day) : '')
    const rows = DAYS.map((day) => [`Test.${name}`, day, `alert ${day}`, filler(day), `${day}T10:00:00Z`, `${day}T10:00:01Z`])
    await insertInto(lake, spec, rows, `insert ${n++}`)
  }
})
afterEach(() => lake.close())

/** Text that does not compress, the same each time. */
function noise(length: number, seed: string): string {
  let [state, text] = [Number(seed.replaceAll('-', '')), '']
  while (text.length < length) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    text += (state >>> 4).toString(36)
  }
  return text
}

async function run(retention: object): Promise<void> {
  const lifetime = new Lifetime({
    retention: retentionSchema.parse(retention),
    lake,
    held: async () => held,
    order: new Order(),
    log,
    onProblems: (now) => (problems = now),
    now: () => NOW,
  })
  await lifetime.run()
  await lifetime.stop()
}
const left = async (name: string) =>
  (await lake.query(`SELECT p_row_id FROM ${name} ORDER BY 1`)).rows.map((row) => (JSON.parse(row) as [string])[0])

test('deletes the weeks that are older than the retention of their log type, and nothing else', async () => {
  await run({ log_types: { 'Test.A': { days: 7 } } })
  expect(await left('logs.a')).toEqual(DAYS.slice(1))
  expect(await left('matches.a')).toEqual(DAYS.slice(1))
  expect(await left('logs.b')).toEqual(DAYS)
  expect(problems).toEqual([])
})

test('keeps what alerts on hold consist of, and deletes it after their release', async () => {
  held = ['alert 2026-03-03']
  await run({ lake_days: 7 })
  expect(await left('matches.a')).toEqual(DAYS)
  expect(await left('logs.a')).toEqual(DAYS)
  expect(await left('logs.b')).toEqual(DAYS.slice(1))
  held = []
  await run({ lake_days: 7 })
  for (const name of ['logs.a', 'logs.b', 'matches.a']) expect(await left(name)).toEqual(DAYS.slice(1))
})

test('deletes the oldest rows above the size limit, and reports which', async () => {
  const total = (await lake.partitions()).reduce((sum, { bytes }) => sum + bytes, 0)
  expect(total).toBeGreaterThan(800_000)
  const limit = { ...retentionSchema.parse({}), lake_max_bytes: total - 250_000 }
  await runWith(limit)
  expect(await left('logs.a')).toEqual(DAYS.slice(2))
  expect(await left('logs.b')).toEqual(DAYS.slice(1))
  expect(problems).toMatchObject([
    { what: 'LakeCapped', covers: ['logs.a 2026-03-02', 'logs.b 2026-03-02', 'matches.a 2026-03-02', 'logs.a 2026-03-09'] },
  ])
  await runWith(limit)
  expect(await left('logs.a')).toEqual(DAYS.slice(2))
})

test('deletes whole days of the current week, but not today, and says if that is not enough', async () => {
  await runWith({ ...retentionSchema.parse({}), lake_max_bytes: 1000 })
  for (const name of ['logs.a', 'logs.b', 'matches.a']) expect(await left(name)).toEqual(['2026-03-20'])
  expect(problems.map(({ what }) => what)).toEqual(['LakeTooLarge', 'LakeCapped'])
})

/** A limit that the configuration would refuse as too small. */
async function runWith(retention: ReturnType<typeof retentionSchema.parse>): Promise<void> {
  const deps = { lake, held: async () => held, order: new Order(), log, now: () => NOW }
  await new Lifetime({ ...deps, retention, onProblems: (now) => (problems = now) }).run()
}

test('a lake that does not answer is reported, and tried again', async () => {
  await lake.close()
  await run({ lake_days: 7 })
  expect(problems).toMatchObject([{ what: 'LakeNotPruned', message: expect.stringContaining('retried in an hour') }])
})

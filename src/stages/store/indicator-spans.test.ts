import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Column, TableSpec } from '../../model/column.ts'
import { INDICATOR_FIELDS } from '../../model/event.ts'
import { type ChdbLake, createChdbLake } from './chdb.ts'
import { INDEX, MAX_SPANS } from './indicators.ts'
import { insertInto } from './insert.fixture.ts'

const folder = mkdtempSync(join(tmpdir(), 'caracal-spans-'))
let lake: ChdbLake
beforeAll(async () => {
  lake = await createChdbLake({ dataDir: folder, fsync: false })
})
afterAll(async () => {
  await lake.close()
  rmSync(folder, { recursive: true, force: true })
})

const SPANS =
  "SELECT value, arraySort(arrayMap(span -> (bitShiftRight(span, 32), bitAnd(span, 4294967295)), groupUniqArrayArray(16)(spans))) FROM monitor.indicators WHERE kind = 'ip_addresses' GROUP BY value ORDER BY value"
const atSecond = (n: number) => `2024-04-19T10:00:${String(n).padStart(2, '0')}.5Z`
const START = Date.parse('2024-04-19T10:00:00Z') / 1000
const seen = (value: string, from: number, to: number) => [
  'ip_addresses',
  value,
  'Test.Log',
  's',
  2,
  atSecond(from),
  atSecond(to),
  atSecond(to),
]

test('a value of the index has one span for each insert that contains it, up to a maximum', async () => {
  await insertInto(lake, INDEX, [seen('192.0.2.1', 3, 4), seen('192.0.2.2', 7, 7)], 'first')
  await insertInto(lake, INDEX, [seen('192.0.2.1', 30, 31)], 'second')
  for (let n = 0; n < 20; n++) await insertInto(lake, INDEX, [seen('192.0.2.3', n, n)], `often ${n}`)
  const [one, two, often] = (await lake.query(SPANS)).rows.map((row) => JSON.parse(row) as [string, number[][]])
  expect(one).toEqual([
    '192.0.2.1',
    [
      [START + 3, START + 4],
      [START + 30, START + 31],
    ],
  ])
  expect(two).toEqual(['192.0.2.2', [[START + 7, START + 7]]])
  expect(often![1]).toHaveLength(MAX_SPANS)
})

test('rows of the same value in one insert are all counted, and the insert counts once', async () => {
  const rows = [seen('198.51.100.1', 1, 2), seen('198.51.100.2', 3, 3), seen('198.51.100.1', 4, 5)]
  await insertInto(lake, INDEX, rows, 'repeated')
  await insertInto(lake, INDEX, rows, 'repeated')
  const { rows: found } = await lake.query(
    "SELECT value, sum(count), length(groupUniqArrayArray(16)(spans)) FROM monitor.indicators WHERE value LIKE '198.51.100.%' GROUP BY value ORDER BY value",
  )
  expect(found.map((row) => JSON.parse(row))).toEqual([
    ['198.51.100.1', 4, 2],
    ['198.51.100.2', 2, 1],
  ])
})

test('reading single events of a large table reads hundreds of its rows, not thousands', async () => {
  const time = (name: string): Column => ({ name, kind: 'timestamp', required: true })
  const table: TableSpec = {
    database: 'logs',
    table: 'many',
    timeColumn: 'p_event_time',
    columns: [
      time('p_event_time'),
      time('p_parse_time'),
      ...INDICATOR_FIELDS.map((name): Column => ({ name, kind: 'strings', required: true })),
    ],
  }
  await lake.ensure(table)
  const instant = (n: number) => new Date(START * 1000 + n * 1000).toISOString()
  const rows = Array.from({ length: 20_000 }, (_, n) => [instant(n), instant(n), ...INDICATOR_FIELDS.map(() => [])])
  await insertInto(lake, table, rows, 'many')
  const { rows: found, rowsRead } = await lake.query(
    `SELECT count() FROM logs.many WHERE p_event_time = parseDateTime64BestEffort('${instant(12_345)}', 9, 'UTC')`,
    { counted: true },
  )
  expect(found).toEqual(['[1]'])
  expect(rowsRead).toBeGreaterThan(100)
  expect(rowsRead).toBeLessThanOrEqual(512)
})

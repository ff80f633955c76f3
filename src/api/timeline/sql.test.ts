import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { TableSpec } from '../../model/column.ts'
import type { IndicatorField } from '../../model/event.ts'
import { type ChdbLake, createChdbLake } from '../../stages/store/chdb.ts'
import { insertInto } from '../../stages/store/insert.fixture.ts'
import { countsSql, placesSql, rowsSql, type Statement } from './sql.ts'

/** How much of a table is read. A granule, the least that is read, has 256 rows. */
const ROWS = 40_000
const GRANULE = 256
const START_MS = Date.parse('2024-04-19T00:00:00Z')
const range = { sinceMs: START_MS, untilMs: START_MS + ROWS * 1000 }
/** The address is in these rows, one a second. */
const SEEN = [100, 101, 20_000, 39_000]
const sighted = [
  {
    logType: 'Any.Log',
    values: new Map<IndicatorField, string[]>([['p_any_ip_addresses', ['192.0.2.1']]]),
    spans: [
      [second(100), second(101)],
      [second(20_000), second(20_000)],
      [second(39_000), second(39_000)],
    ] as [number, number][],
  },
]
const folder = mkdtempSync(join(tmpdir(), 'caracal-timeline-sql-'))
let lake: ChdbLake

function second(n: number): number {
  return START_MS / 1000 + n
}

beforeAll(async () => {
  lake = await createChdbLake({ dataDir: folder, fsync: false })
  const spec: TableSpec = {
    database: 'logs',
    table: 'any_log',
    timeColumn: 'p_event_time',
    columns: [
      { name: 'p_event_time', kind: 'timestamp', required: true },
      { name: 'p_parse_time', kind: 'timestamp', required: true },
      { name: 'p_row_id', kind: 'string', required: true },
      { name: 'p_log_type', kind: 'string', required: true },
      { name: 'p_any_ip_addresses', kind: 'strings', required: true },
    ],
  }
  const rows = Array.from({ length: ROWS }, (_, n) => {
    const time = new Date(second(n) * 1000).toISOString()
    return [time, time, String(n), 'Any.Log', [SEEN.includes(n) ? '192.0.2.1' : '192.0.2.2']]
  })
  await lake.ensure(spec)
  await insertInto(lake, spec, rows, 'all')
})
afterAll(async () => {
  await lake.close()
  rmSync(folder, { recursive: true, force: true })
})

async function run({ sql, params }: Statement) {
  const { rows, rowsRead } = await lake.query(sql, { params, counted: true })
  return { rows: rows.map((row) => JSON.parse(row) as [string, string]), rowsRead: rowsRead! }
}

test('events are found, counted and read without reading more than a few granules for each time', async () => {
  const places = await run(placesSql(sighted, range, undefined, 10))
  expect(places.rows.map(([, rowId]) => Number(rowId))).toEqual([...SEEN].reverse())
  const counts = await run(countsSql(sighted, range, 'hour'))
  expect(counts.rows.map((row) => row.slice(1))).toEqual([
    ['2024-04-19T00:00:00Z', 2],
    ['2024-04-19T05:00:00Z', 1],
    ['2024-04-19T10:00:00Z', 1],
  ])
  const rows = await run(
    rowsSql(
      'Any.Log',
      places.rows.map(([time, rowId]) => ({ time, rowId })),
    ),
  )
  expect(rows.rows).toHaveLength(SEEN.length)
  for (const { rowsRead } of [places, counts, rows]) {
    expect(rowsRead).toBeGreaterThan(0)
    expect(rowsRead).toBeLessThanOrEqual(4 * SEEN.length * GRANULE)
  }
})

test('a page begins after the last event of the one before, also among events of the same time', async () => {
  const [first] = (await run(placesSql(sighted, range, undefined, 1))).rows
  const next = await run(placesSql(sighted, range, { time: first![0], rowId: first![1] }, 10))
  expect(next.rows.map(([, rowId]) => Number(rowId))).toEqual([20_000, 101, 100])
  const same = await run(placesSql(sighted, range, { time: first![0], rowId: '39001' }, 10))
  expect(same.rows.map(([, rowId]) => Number(rowId))).toEqual([39_000, 20_000, 101, 100])
})

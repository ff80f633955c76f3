import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Column, TableSpec } from '../../model/column.ts'
import { fittingBlocks } from '../../util/block/encode.ts'
import { Refused, RetryLater, StorageError } from '../../util/errors.ts'
import { type ChdbLake, createChdbLake } from './chdb.ts'
import { insertInto } from './insert.fixture.ts'
import { RowWriter } from './row-writer.ts'

const dataDir = mkdtempSync(join(tmpdir(), 'lake-'))
let lake: ChdbLake

beforeAll(async () => {
  lake = await createChdbLake({ dataDir, max_query_ms: 20_000, max_query_bytes: 128 * 1024 * 1024 })
})
afterAll(async () => {
  await lake.close()
  rmSync(dataDir, { recursive: true })
})

const standard: readonly Column[] = [
  { name: 'p_log_type', kind: 'string', required: true },
  { name: 'p_row_id', kind: 'string', required: true },
  { name: 'p_event_time', kind: 'timestamp', required: true },
  { name: 'p_parse_time', kind: 'timestamp', required: true },
]

function tableOf(table: string, columns: readonly Column[] = [], database = 'logs'): TableSpec {
  return { database, table, columns: [...standard, ...columns], timeColumn: 'p_event_time' }
}

function rowOf(id: string, values: readonly unknown[] = [], time: string | null = '2024-04-19T10:00:00.123456789Z'): unknown[] {
  return ['Test.Log', id, time, '2024-04-19T10:00:01Z', ...values]
}

const values = (rows: readonly string[]) => rows.map((row) => JSON.parse(row) as unknown[])

test('the same token inserts once, another inserts again', async () => {
  const table = tableOf('once')
  await lake.ensure(table)
  for (const token of ['a', 'a', 'b', 'a', "it's \\"]) await insertInto(lake, table, [rowOf('1'), rowOf('2')], token)
  expect((await lake.query('SELECT count() FROM logs.once')).rows).toEqual(['[6]'])
})

test('rows that do not fit are found and the others stored, even on a second run', async () => {
  const table = tableOf('poison', [
    { name: 'n', kind: 'int' },
    { name: 's', kind: 'string', required: true },
    { name: 'l', kind: 'strings' },
    { name: 't', kind: 'timestamp' },
  ])
  const good = [1, 'x', ['y'], null]
  const bad: unknown[][] = [
    ['1x', 'x', [], null],
    [1.5, 'x', [], null],
    [true, 'x', [], null],
    [2 ** 31, 'x', [], null],
    [1, null, [], null],
    [1, 5, [], null],
    [1, 'x', [5], null],
    [1, 'x', 'y', null],
    [1, 'x', [], 'yesterday'],
    [1, 'x', [], '2024-02-30T00:00:00Z'],
    [1, 'x', [], '2263-01-01T00:00:00Z'],
  ]
  const rows = bad.flatMap((row, i) => [rowOf(`good ${i}`, good), rowOf(`bad ${i}`, row)])
  rows.push(rowOf('far', good, '9999-01-01T00:00:00Z'), rowOf('lone', [1, '\ud800', [], null]), [])
  const { blocks, unfit } = fittingBlocks(table.columns, rows)
  expect(unfit.map(({ row }) => row)).toEqual(rows.filter((row) => !String(row[1]).startsWith('good')))
  expect(unfit.every(({ message }) => message.length > 10)).toBe(true)
  await lake.ensure(table)
  const writer = new RowWriter(mkdtempSync(join(dataDir, 'poison-')), lake)
  for (let run = 0; run < 2; run++)
    expect(
      await writer.insert(
        table,
        blocks.map((block) => block.rows),
        'poison',
      ),
    ).toEqual([])
  const stored = await lake.query('SELECT p_row_id FROM logs.poison ORDER BY p_row_id')
  expect(values(stored.rows).flat()).toEqual(bad.map((_, i) => `good ${i}`).sort())
})

test('rows that only the lake refuses are found by bisecting, and the others are stored, also on a second run', async () => {
  // The column became unsigned after these rows were finished.
  const table = tableOf('halved', [{ name: 'n', kind: 'int' }])
  await lake.ensure(table)
  await lake.ensure(tableOf('halved', [{ name: 'n', kind: 'ubigint' }]))
  const rows = Array.from({ length: 40 }, (_, i) => rowOf(`${i}`, [i % 13 === 5 ? -i : i]))
  for (let run = 0; run < 2; run++) {
    const rejected = await insertInto(lake, table, rows, 'halved')
    expect(rejected.map(({ index }) => index)).toEqual([5, 18, 31])
    expect(rejected.every(({ message }) => message.length > 10)).toBe(true)
  }
  expect((await lake.query('SELECT count(), uniqExact(n), sum(n) FROM logs.halved')).rows).toEqual(['[37, 37, 726]'])
})

test('columns can be added later, in any order', async () => {
  await lake.ensure(tableOf('grows', [{ name: 'b', kind: 'int' }]))
  await insertInto(lake, tableOf('grows', [{ name: 'b', kind: 'int' }]), [rowOf('1', [1])], '1')
  const names = ['a-b', 'from', 'größe', 'x.y', 'se`lect', '__proto__', '@t']
  const wider = tableOf('grows', [...names.map((name): Column => ({ name, kind: 'string' })), { name: 'b', kind: 'int' }])
  await lake.ensure(wider)
  await insertInto(lake, wider, [rowOf('2', [...names, 2])], '2')
  const { columns, rows } = await lake.query(
    'SELECT * EXCEPT (p_log_type, p_event_time, p_parse_time) FROM logs.grows ORDER BY b',
  )
  expect(columns.map(({ name }) => name)).toEqual(['p_row_id', 'b', ...names])
  expect(values(rows)).toEqual([
    ['1', 1, ...names.map(() => null)],
    ['2', 2, ...names],
  ])
})

test.each([
  { spec: tableOf('all'), says: 'view over all tables' },
  { spec: tableOf('a`b'), says: 'letters, digits' },
  { spec: tableOf('x', [], 'system'), says: "no database 'system'" },
  { spec: tableOf('x', [{ name: 'a.b', kind: 'strings' }]), says: 'may not have a dot' },
  { spec: { ...tableOf('x'), timeColumn: 'p_row_id' }, says: 'must be a timestamp' },
  { spec: tableOf('x', [{ name: 'p_row_id', kind: 'string' }]), says: 'is there twice' },
])('a table that cannot be kept is refused: $says', async ({ spec, says }) => {
  const made = lake.ensure(spec as TableSpec)
  await expect(made).rejects.toBeInstanceOf(Refused)
  await expect(made).rejects.toThrow(says)
})

test('matches.all shows the common columns of all tables, including later ones', async () => {
  const extra: Column = { name: 'p_rule_id', kind: 'string', required: true }
  const shape = async () => (await lake.query('SELECT * FROM matches.all LIMIT 0')).columns.map(({ name }) => name)
  expect((await shape()).slice(0, 2)).toEqual(['p_log_type', 'p_row_id'])
  for (const name of ['one', 'two']) {
    const table = tableOf(name, [{ name, kind: 'string' }, extra], 'matches')
    await lake.ensure(table)
    await insertInto(lake, table, [rowOf(name, ['x', 'rule'])], 't')
  }
  expect(await shape()).toEqual([...standard.map(({ name }) => name), 'p_rule_id'])
  const { rows } = await lake.query('SELECT p_row_id, p_rule_id FROM matches.all ORDER BY p_row_id')
  expect(values(rows)).toEqual([
    ['one', 'rule'],
    ['two', 'rule'],
  ])
})

test('removing a source deletes its events, matches and dead letters, and nothing else', async () => {
  const source: Column = { name: 'p_source_id', kind: 'string', required: true }
  const letters = { ...tableOf('dead_letters', [{ ...source, name: 'source' }], 'monitor') }
  const rule: Column = { name: 'p_rule_id', kind: 'string', required: true }
  const tables = [tableOf('sourced', [source]), tableOf('sourced', [source, rule], 'matches'), letters, tableOf('sourceless')]
  const names = tables.map(({ database, table }) => `${database}.${table}`)
  for (const table of tables) {
    await lake.ensure(table)
    const more = table.columns.slice(standard.length + 1).map(() => 'rule')
    const row = (id: string, from: string) => rowOf(id, table.table === 'sourceless' ? [] : [from, ...more])
    expect(await insertInto(lake, table, [row('1', 'demo'), row('2', "it's"), row('3', 'demo')], 't')).toEqual([])
  }
  const counts = async () => {
    const { rows } = await lake.query(names.map((name, i) => `SELECT ${i} AS i, count() AS n FROM ${name}`).join(' UNION ALL '))
    return values(rows)
      .sort()
      .map(([, n]) => n)
  }
  await lake.removeSource('demo')
  expect(await counts()).toEqual([1, 1, 1, 3])
  await lake.removeSource("it's")
  await lake.removeSource('unknown')
  expect(await counts()).toEqual([0, 0, 0, 3])
})

test('times of all centuries fit into few partitions', async () => {
  const table = tableOf('centuries')
  const years = Array.from({ length: 500 }, (_, i) => 1750 + i)
  await lake.ensure(table)
  const rows = years.map((year) => rowOf(`${year}`, [], `${year}-03-04T05:06:07.5Z`))
  expect(await insertInto(lake, table, rows, 't')).toEqual([])
  const { rows: back } = await lake.query(`SELECT p_event_time, _partition_id FROM logs.centuries ORDER BY p_event_time`)
  expect(values(back).map(([time]) => time)).toEqual(years.map((year) => `${year}-03-04T05:06:07.5Z`))
  expect(new Set(values(back).map(([, partition]) => partition)).size).toBeLessThan(110)
})

test('answers are exact, truncated at the limit, and marked as such', async () => {
  const sql = `SELECT 9223372036854775807 AS a, -9223372036854775808 AS b, toUInt64(18446744073709551615) AS c, true AS d, 'a/b' AS e,
    NULL AS f, toDateTime64('2024-04-19 10:00:00.120', 9, 'UTC') AS g, 0.1 AS h, [toDateTime64(0, 3, 'UTC')] AS i`
  const { columns, rows, truncated } = await lake.query(sql)
  expect(columns.map(({ type }) => type).slice(0, 4)).toEqual(['UInt64', 'Int64', 'UInt64', 'Bool'])
  expect(rows).toEqual([
    '[9223372036854775807, -9223372036854775808, 18446744073709551615, true, "a/b", null, "2024-04-19T10:00:00.12Z", 0.1, ["1970-01-01T00:00:00Z"]]',
  ])
  expect(truncated).toBe(false)
  const cut = await lake.query('SELECT number FROM numbers(10) ORDER BY number DESC', { maxRows: 3 })
  expect([cut.rows, cut.truncated]).toEqual([['[9]', '[8]', '[7]'], true])
  expect(await lake.query('SELECT 1 WHERE 0')).toMatchObject({ rows: [], truncated: false })
})

test('placeholder values cannot become SQL', async () => {
  const a = `' OR 1=1 -- \\ \n \0 ü`
  const { rows } = await lake.query('SELECT {a:String}, {n:Int64} + 1', { params: { a, n: 41 } })
  expect(values(rows)).toEqual([[a, 42]])
})

const ENDLESS = 'SELECT count() FROM numbers(1000000000000) WHERE cityHash64(number) = 1'

test('a query ends at its time limit or when its caller cancels it, and the readers stay usable', async () => {
  await expect(lake.query(ENDLESS, { timeoutMs: 300 })).rejects.toThrow('time limit of 300 ms')
  const controller = new AbortController()
  const ends = ['a', 'b', 'c', 'd'].map(() => lake.query(ENDLESS, { signal: controller.signal }).catch((error: Error) => error))
  const quick = lake.query('SELECT 1')
  controller.abort()
  for (const end of await Promise.all(ends)) expect(end).toBeInstanceOf(Refused)
  expect((await quick).rows).toEqual(['[1]'])
})

test('a failed query’s partial output is not in the next answer', async () => {
  for (let i = 0; i < 8; i++) {
    const failing = lake.query("SELECT 'leak', throwIf(number = 300000) FROM numbers(400000)", { maxRows: 1_000_000 })
    await expect(failing).rejects.toThrow('throwIf')
    expect(await lake.query("SELECT 'mine'")).toMatchObject({ columns: [{ name: "'mine'" }], rows: ['["mine"]'] })
  }
})

test('inserts continue while every reader is busy', async () => {
  const table = tableOf('busy')
  await lake.ensure(table)
  const controller = new AbortController()
  const ends = ['a', 'b', 'c'].map(() => lake.query(ENDLESS, { signal: controller.signal }).catch(() => {}))
  expect(await insertInto(lake, table, [rowOf('1')], 't')).toEqual([])
  controller.abort()
  await Promise.all(ends)
})

test('queries are answered while rows are inserted', async () => {
  const table = tableOf('meanwhile')
  await lake.ensure(table)
  for (let i = 0; i < 100; i++) {
    const insert = insertInto(lake, table, [rowOf(`${i}`)], `${i}`)
    const { rows } = await lake.query(`SELECT ${i}`)
    expect(rows).toEqual([`[${i}]`])
    expect(await insert).toEqual([])
  }
  expect((await lake.query('SELECT count() FROM logs.meanwhile')).rows).toEqual(['[100]'])
})

test.each([
  {
    sql: 'SELECT length(groupArray(number)) FROM numbers(100000000)',
    says: /MEMORY_LIMIT|emory/,
  },
  { sql: "SELECT repeat('x', 1000000) FROM numbers(1000)", says: /TOO_MANY_ROWS_OR_BYTES|[Ll]imit/ },
  { sql: 'SELECT nothing FROM logs.once', says: /nothing/ },
  { sql: 'SELEC 1', says: /SELECT only/ },
  { sql: 'SELECT 1 FROM', says: /Syntax error/ },
  { sql: 'SELECT 1 FORMAT CSV', says: /Syntax error/ },
])('a query that cannot be answered says why: $sql', async ({ sql, says }) => {
  const small = lake.query(sql)
  await expect(small).rejects.toBeInstanceOf(Refused)
  await expect(small).rejects.toThrow(says)
})

test('a second process cannot open the same folder and says so', async () => {
  const second = createChdbLake({ dataDir })
  await expect(second).rejects.toBeInstanceOf(StorageError)
  await expect(second).rejects.toThrow('is open in another process')
})

test('after close every call says so, and the folder can be reopened with its data', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'lake-'))
  const first = await createChdbLake({ dataDir: dir })
  const table = tableOf('kept')
  await first.ensure(table)
  await insertInto(first, table, [rowOf('1')], 't')
  await first.close()
  await expect(first.query('SELECT 1')).rejects.toBeInstanceOf(RetryLater)
  const again = await createChdbLake({ dataDir: dir })
  await insertInto(again, table, [rowOf('1')], 't')
  expect((await again.query('SELECT count() FROM logs.kept')).rows).toEqual(['[1]'])
  await again.close()
  rmSync(dir, { recursive: true })
})

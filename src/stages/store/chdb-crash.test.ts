import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate, setTimeout } from 'node:timers/promises'
import { globSync } from 'tinyglobby'
import { expect, test } from 'vitest'
import type { TableSpec } from '../../model/column.ts'
import { entryFile } from '../../util/entry.ts'
import { Refused, RetryLater } from '../../util/errors.ts'
import { type ChdbLake, createChdbLake } from './chdb.ts'
import { insertInto } from './insert.fixture.ts'

const table: TableSpec = {
  database: 'logs',
  table: 't',
  timeColumn: 'p_event_time',
  columns: [
    { name: 'p_event_time', kind: 'timestamp', required: true },
    { name: 'n', kind: 'int', required: true },
    { name: 'text', kind: 'string' },
  ],
}
const PER_INSERT = 2000
/** The column of numbers became unsigned after the rows were finished. */
const unsigned: TableSpec = {
  ...table,
  columns: table.columns.map((column) => (column.name === 'n' ? { ...column, kind: 'ubigint' } : column)),
}
/** Every 701st row is negative, so that a kill can also happen during the search for bad rows. */
const isBad = (n: number) => n % 701 === 0

function rowsOf(insert: number): unknown[][] {
  const rows = Array.from({ length: PER_INSERT }, (_, i) => insert * PER_INSERT + i)
  return rows.map((n) => [`2024-0${(n % 3) + 1}-01T00:00:00Z`, isBad(n) ? -n - 1 : n, `row ${n}`])
}

/** Like the flusher, repeats the same call until it succeeds. */
async function insertAlways(lake: ChdbLake, insert: number, onRetry: () => void): Promise<number> {
  for (;;) {
    try {
      return (await insertInto(lake, table, rowsOf(insert), `flush ${insert}`)).length
    } catch (error) {
      expect(error).toBeInstanceOf(RetryLater)
      onRetry()
    }
  }
}

async function expectExact(lake: ChdbLake, inserts: number): Promise<void> {
  const { rows } = await lake.query('SELECT n, count() FROM logs.t GROUP BY n ORDER BY n', { maxRows: 100_000 })
  const wanted = Array.from({ length: inserts * PER_INSERT }, (_, n) => n).filter((n) => !isBad(n))
  expect(rows).toEqual(wanted.map((n) => `[${n}, 1]`))
}

test('killing the lake’s process in mid-insert neither loses nor duplicates rows', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'lake-'))
  const lake = await createChdbLake({ dataDir })
  await lake.ensure(table)
  await lake.ensure(unsigned)
  let retries = 0
  let rejected = 0
  for (let insert = 0; insert < 5; insert++) {
    const done = insertAlways(lake, insert, () => retries++)
    if (insert > 0 && insert < 4) {
      // Different moments of the insert: at its first part, during the bad rows, near its end.
      await setTimeout(insert * 25)
      process.kill(lake.pid!, 'SIGKILL')
    }
    rejected += await done
  }
  expect(retries).toBeGreaterThanOrEqual(3)
  await expectExact(lake, 5)
  expect(rejected).toBe(Array.from({ length: 5 * PER_INSERT }, (_, n) => n).filter(isBad).length)
  await lake.close()
  rmSync(dataDir, { recursive: true })
})

/** Total size of the table's token logs in bytes. */
function tokenBytes(dataDir: string): number {
  const logs = globSync('lake/store/*/*/deduplication_logs/*.txt', { cwd: dataDir, absolute: true })
  return logs.reduce((sum, log) => sum + statSync(log).size, 0)
}

/** Kills the lake's process once its token log has grown `times` times, unless `isOver` returns true first. */
async function killAsTokensGrow(dataDir: string, lake: ChdbLake, times: number, isOver: () => boolean): Promise<void> {
  let before = tokenBytes(dataDir)
  for (let grown = 0; grown < times && !isOver(); ) {
    const now = tokenBytes(dataDir)
    if (now > before) {
      grown++
      before = now
    } else await setImmediate()
  }
  if (!isOver()) process.kill(lake.pid!, 'SIGKILL')
}

test('kills while a token is logged, with only some partitions of the insert stored, neither lose nor duplicate rows', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'lake-'))
  const lake = await createChdbLake({ dataDir })
  await lake.ensure(table)
  const rowsFrom = (first: number) => Array.from({ length: 300 }, (_, i) => [`2024-0${(i % 3) + 1}-01T00:00:00Z`, first + i, 'x'])
  let retries = 0
  for (let insert = 0; insert < 9; insert++) {
    let isOver = false
    const kill = insert === 0 ? undefined : killAsTokensGrow(dataDir, lake, ((insert - 1) % 3) + 1, () => isOver)
    for (;;) {
      try {
        expect(await insertInto(lake, table, rowsFrom(insert * 300), `flush ${insert}`)).toEqual([])
        break
      } catch (error) {
        expect(error).toBeInstanceOf(RetryLater)
        retries++
      }
    }
    isOver = true
    await kill
  }
  expect(retries).toBeGreaterThanOrEqual(3)
  // The last kill may have happened just before the answer to the last insert.
  const ask = () => lake.query('SELECT count(), uniqExact(n), uniqExact(_partition_id) FROM logs.t')
  const { rows } = await ask().catch((error: unknown) => {
    expect(error).toBeInstanceOf(RetryLater)
    return ask()
  })
  expect(rows).toEqual(['[2700, 2700, 3]'])
  await lake.close()
  rmSync(dataDir, { recursive: true })
})

test('a kill between the engine’s logging of a token and the storing of its part loses nothing', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'lake-'))
  const row = (n: number) => [['2024-01-01T00:00:00Z', n, 'x']]
  const first = await createChdbLake({ dataDir })
  await first.ensure(table)
  await insertInto(first, table, row(1), 'one')
  await insertInto(first, table, row(2), 'two')
  await first.close()
  // What such a kill leaves: the token is in the log, but the part is not in place.
  const parts = globSync('lake/store/*/*/202*_2_2_0', { cwd: dataDir, onlyDirectories: true, absolute: true })
  expect(parts.length).toBe(1)
  rmSync(parts[0]!, { recursive: true })
  const second = await createChdbLake({ dataDir })
  await insertInto(second, table, row(2), 'two')
  await insertInto(second, table, row(1), 'one')
  expect((await second.query('SELECT n FROM logs.t ORDER BY n')).rows).toEqual(['[1]', '[2]'])
  await second.close()
  // After another start, all tokens are known.
  const third = await createChdbLake({ dataDir })
  for (const [n, token] of ['one', 'two'].entries()) await insertInto(third, table, row(n + 1), token)
  expect((await third.query('SELECT n FROM logs.t ORDER BY n')).rows).toEqual(['[1]', '[2]'])
  await third.close()
  rmSync(dataDir, { recursive: true })
})

test('a query running when the process dies fails or has to be retried, and the next one is answered', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'lake-'))
  const lake = await createChdbLake({ dataDir })
  const query = lake
    .query('SELECT count() FROM numbers(1000000000000) WHERE cityHash64(number) = 1')
    .catch((error: Error) => error)
  await lake.query('SELECT 1')
  process.kill(lake.pid!, 'SIGKILL')
  const error = await query
  expect(error instanceof RetryLater || error instanceof Refused).toBe(true)
  expect((error as Error).message).toContain('SIGKILL')
  expect((await lake.query('SELECT 1')).rows).toEqual(['[1]'])
  await lake.close()
  rmSync(dataDir, { recursive: true })
})

/** A separate parent process, running the compiled code, that inserts forever and prints each insert that was accepted. */
function startParent(dataDir: string): ChildProcess {
  const script = `
    import { createChdbLake } from ${JSON.stringify(entryFile('stages/store/chdb'))}
    import { RowWriter } from ${JSON.stringify(entryFile('stages/store/row-writer'))}
    import { blocksOf, valueEncoder } from ${JSON.stringify(entryFile('util/block/encode'))}
    const table = ${JSON.stringify(table)}
    const lake = await createChdbLake({ dataDir: ${JSON.stringify(dataDir)} })
    const writer = new RowWriter(${JSON.stringify(dataDir)}, lake)
    const write = valueEncoder(table.columns)
    await lake.ensure(table)
    for (let n = 0; ; n++) {
      await writer.insert(table, blocksOf([['2024-01-01T00:00:00Z', n, 'x']], write).map(({ rows }) => rows), 'p' + n)
      console.log('done ' + n)
    }`
  return spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
}

test('when the parent is killed its lake process exits too, and the next one finds all accepted rows', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'lake-'))
  const parent = startParent(dataDir)
  let printed = ''
  for await (const chunk of parent.stdout!) {
    printed += String(chunk)
    if (printed.includes('done 20\n')) break
  }
  parent.kill('SIGKILL')
  await once(parent, 'exit')
  // Only one process can open the folder, so the other one is gone.
  const lake = await createChdbLake({ dataDir })
  const { rows } = await lake.query('SELECT n FROM logs.t ORDER BY n')
  const taken = [...printed.matchAll(/done (\d+)\n/g)].map(([, n]) => `[${n}]`)
  expect(rows.slice(0, taken.length)).toEqual(taken)
  expect(new Set(rows).size).toBe(rows.length)
  await lake.close()
  rmSync(dataDir, { recursive: true })
})

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ClickhouseServer, PASSWORD, whyNoServer } from '../../../../test/support/clickhouse-server.ts'
import { openTestLake } from '../../../../test/support/server-lake.ts'
import { TestServer } from '../../../../test/support/servers.ts'
import { until } from '../../../../test/support/until.ts'
import type { TableSpec } from '../../../model/column.ts'
import type { SystemProblem } from '../../../model/system-problem.ts'
import { RetryLater } from '../../../util/errors.ts'
import { insertInto } from '../insert.fixture.ts'
import { accessSteps } from './access.ts'
import { release } from './owner.ts'

const TABLE: TableSpec = {
  database: 'logs',
  table: 't',
  timeColumn: 'p_event_time',
  columns: [
    { name: 'p_event_time', kind: 'timestamp', required: true },
    { name: 'p_row_id', kind: 'string', required: true },
  ],
}
const row = (id: string) => ['2026-03-02T10:00:00Z', id]

let server: ClickhouseServer
const folders: string[] = []
function folder(): string {
  folders.push(mkdtempSync(join(tmpdir(), 'caracal-server-lake-')))
  return folders.at(-1)!
}

describe.skipIf(whyNoServer)(`a lake on a server${whyNoServer ? ` (${whyNoServer})` : ''}`, () => {
  beforeAll(async () => {
    server = await ClickhouseServer.start()
  })
  afterAll(async () => {
    await server?.stop()
    for (const one of folders) rmSync(one, { recursive: true, force: true })
  })
  beforeEach(() => server.reset())

  test('says that the server is away, keeps callers trying, and goes on when it is back', async () => {
    const problems: (readonly SystemProblem[])[] = []
    const lake = await openTestLake(server, folder(), { onProblems: (all) => problems.push(all) })
    await lake.ensure(TABLE)
    await insertInto(lake, TABLE, [row('1')], 'one')
    await server.kill()
    await expect(insertInto(lake, TABLE, [row('2')], 'two')).rejects.toBeInstanceOf(RetryLater)
    const query = lake.query('SELECT 1')
    await expect(query).rejects.toBeInstanceOf(RetryLater)
    await expect(query).rejects.toThrow(`the ClickHouse server at ${server.url} does not answer: `)
    expect(problems.at(-1)).toMatchObject([
      { what: 'LakeDown', message: expect.stringContaining('They wait in the state, and nothing is lost') },
    ])
    await server.start()
    await insertInto(lake, TABLE, [row('2')], 'two')
    expect(problems.at(-1)).toEqual([])
    expect((await lake.query('SELECT p_row_id FROM logs.t ORDER BY 1')).rows).toEqual(['["1"]', '["2"]'])
    await lake.close()
  })

  test('a table that somebody drops on the server is made again', async () => {
    const lake = await openTestLake(server, folder())
    await lake.ensure(TABLE)
    await insertInto(lake, TABLE, [row('1')], 'one')
    await server.run('DROP TABLE logs.t SYNC')
    await expect(insertInto(lake, TABLE, [row('2')], 'two')).rejects.toBeInstanceOf(RetryLater)
    await lake.ensure(TABLE)
    await insertInto(lake, TABLE, [row('2')], 'two')
    expect((await lake.query('SELECT p_row_id FROM logs.t')).rows).toEqual(['["2"]'])
    await lake.close()
  })

  test('is written by one data folder only', async () => {
    const [first, second] = [folder(), folder()]
    await (await openTestLake(server, first)).close()
    await expect(openTestLake(server, second)).rejects.toThrow(/belongs to another data folder .*caracal lake init --take-over/)
    await (await openTestLake(server, first)).close()
    await release(server)
    await (await openTestLake(server, second)).close()
    await expect(openTestLake(server, first)).rejects.toThrow('belongs to another data folder')
  })

  test('is not opened with the wrong password, or if the reader has other settings than the configuration wants', async () => {
    const wrong = openTestLake(server, folder(), { secret: () => 'wrong' })
    await expect(wrong).rejects.toThrow(/does not let the user 'caracal' in: correct the user and its password/)
    const slow = openTestLake(server, folder(), { maxQueryMs: 10_000 })
    await expect(slow).rejects.toThrow(/max_execution_time is 30 and not 10\. Run `caracal lake init`/)
  })

  test('the statements of `caracal lake init` are what the server understands, and hide the password', async () => {
    const steps = accessSteps({ user: 'it`s', password: PASSWORD }, { maxQueryMs: 1, maxQueryBytes: 2, maxResultBytes: 3 })
    for (const { sql } of steps)
      for (const one of sql) {
        expect(one).not.toContain(PASSWORD)
        if (!one.startsWith('CREATE DATABASE')) await server.run(`EXPLAIN AST ${one}`)
      }
  })

  describe('people’s SQL, as the reader and without the guard,', () => {
    const other = new TestServer()
    beforeAll(() => other.listen())
    beforeEach(async () => {
      const lake = await openTestLake(server, folder())
      await lake.ensure(TABLE)
      await lake.close()
      await server.run('CREATE DATABASE IF NOT EXISTS payroll')
      await server.run('CREATE OR REPLACE TABLE payroll.people (name String) ENGINE = MergeTree ORDER BY name')
    })
    afterAll(() => other.close())

    const reader = (sql: string) => server.run(sql, 'caracal_reader')
    test.each([
      "INSERT INTO logs.t VALUES (now64(9), 'x')",
      'ALTER TABLE logs.t DELETE WHERE 1',
      'DELETE FROM logs.t WHERE 1',
      'TRUNCATE TABLE logs.t',
      'DROP TABLE logs.t',
      'CREATE TABLE logs.u (a Int8) ENGINE = Memory',
      'CREATE TEMPORARY TABLE u (a Int8)',
      'CREATE DATABASE mine',
      "CREATE USER me IDENTIFIED BY 'x'",
      'GRANT ALL ON *.* TO caracal_reader',
      'SELECT * FROM payroll.people',
      "SELECT * FROM merge('payroll', 'people')",
      "SELECT * FROM remote('127.0.0.1', 'payroll', 'people', 'caracal')",
      "SELECT * FROM file('/etc/passwd', 'LineAsString', 'a String')",
      "SELECT * FROM url('URL', 'LineAsString', 'a String')",
      "SELECT * FROM s3('URL', 'LineAsString', 'a String')",
      "SELECT * FROM executable('x', 'TSV', 'a String')",
      "INSERT INTO FUNCTION url('URL', 'LineAsString', 'a String') SELECT 'x'",
      'SELECT * FROM system.users',
      'SELECT * FROM system.processes',
      'SELECT * FROM system.grants',
      'SELECT * FROM system.settings_profiles',
      'SELECT * FROM system.mutations',
      'SYSTEM SHUTDOWN',
      'KILL QUERY WHERE 1',
      'SET max_threads = 1',
      'SELECT 1 SETTINGS readonly = 0',
      'SELECT 1 SETTINGS max_execution_time = 0',
    ])('cannot run %s', async (sql) => {
      await expect(reader(sql.replace('URL', other.url))).rejects.toThrow(/^Code: (?:497|164|36|636|62|48|487)\./)
    })

    test('reaches no server, and leaves everything as it was', async () => {
      expect(other.received).toEqual([])
      expect(await reader('SELECT name FROM system.databases ORDER BY name')).not.toContain('payroll')
      expect(await reader('SELECT DISTINCT database FROM system.parts')).not.toContain('payroll')
      expect(await reader('SELECT count() FROM logs.t')).toBe('[0]\n')
    })
  })

  test('a query that is cancelled ends on the server', async () => {
    const lake = await openTestLake(server, folder())
    const caller = new AbortController()
    await lake.ensure(TABLE)
    await insertInto(
      lake,
      TABLE,
      Array.from({ length: 1000 }, (_, i) => row(`${i}`)),
      'rows',
    )
    const running = async () =>
      Number(JSON.parse(await server.run("SELECT count() FROM system.processes WHERE startsWith(query, '/* caracal')"))[0])
    const slow =
      'SELECT count() FROM logs.t AS a, logs.t AS b, logs.t AS c, logs.t AS d WHERE cityHash64(a.p_row_id, b.p_row_id, c.p_row_id, d.p_row_id) = 1'
    const ended = lake.query(slow, { signal: caller.signal }).catch((error: unknown) => error)
    await until(async () => (await running()) === 1 || undefined)
    caller.abort()
    expect(String(await ended)).toContain('the query was cancelled')
    await until(async () => (await running()) === 0 || undefined)
    await lake.close()
  })
})

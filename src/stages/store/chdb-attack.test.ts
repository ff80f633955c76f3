import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Refused } from '../../util/errors.ts'
import { type ChdbLake, createChdbLake } from './chdb.ts'
import { insertInto } from './insert.fixture.ts'

/** The contents of a file that no query may read, and the response of a server that no query may reach. */
const SECRET = 'the host has been read'
const dataDir = mkdtempSync(join(tmpdir(), 'lake-'))
const secretFile = join(dataDir, 'secret.csv')
const outFile = join(dataDir, 'out.csv')
let lake: ChdbLake
let server: Server
let requests = 0

beforeAll(async () => {
  writeFileSync(secretFile, `${SECRET}\n`)
  server = createServer((_, response) => {
    requests++
    response.end(SECRET)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  lake = await createChdbLake({ dataDir, max_query_ms: 5000 })
  const columns = [
    { name: 'p_event_time', kind: 'timestamp', required: true },
    { name: 'a', kind: 'string' },
  ] as const
  const table = { database: 'logs', table: 't', columns, timeColumn: 'p_event_time' }
  await lake.ensure(table)
  await insertInto(lake, table, [['2024-04-19T10:00:00Z', 'kept']], 't')
})
afterAll(async () => {
  await lake.close()
  server.close()
  rmSync(dataDir, { recursive: true })
})

const F = '$FILE'
const U = '$URL'
const attacks: readonly string[] = [
  // Files, by function, table function, name and settings.
  `SELECT file('${F}')`,
  `SELECT file/**/('${F}')`,
  `SELECT \`file\`('${F}')`,
  `SELECT "file"('${F}')`,
  `WITH file('${F}') AS x SELECT x`,
  `SELECT arrayMap(file, ['${F}'])`,
  `SELECT arrayMap("file", ['${F}'])`,
  `SELECT arrayMap(x -> file(x), ['${F}'])`,
  `SELECT arrayFilter((x, y) -> 1, [1], arrayMap(file, ['${F}']))`,
  `SELECT * APPLY file FROM (SELECT '${F}')`,
  `SELECT * APPLY(file) FROM (SELECT '${F}')`,
  `SELECT * APPLY(x -> file(x)) FROM (SELECT '${F}')`,
  `SELECT COLUMNS('.*') APPLY toString APPLY \`file\` FROM (SELECT '${F}')`,
  `SELECT * REPLACE(file(x) AS x) FROM (SELECT '${F}' AS x)`,
  `SELECT * FROM file('${F}', 'LineAsString')`,
  `SELECT * FROM fileCluster('default', '${F}', 'LineAsString')`,
  `SELECT * FROM (SELECT * FROM file('${F}', 'LineAsString') SETTINGS readonly = 0)`,
  `SELECT * FROM filesystem('${F}')`,
  `SELECT * FROM '${F}'`,
  `SELECT * FROM \`${F}\``,
  `SELECT * FROM default.\`${F}\``,
  `SELECT * FROM "default"."${F}"`,
  `SELECT * FROM loop(file('${F}'))`,
  `SELECT * FROM view(SELECT * FROM file('${F}', 'LineAsString'))`,
  `SELECT * FROM eval('SELECT file(''${F}'')')`,
  `SELECT * FROM sqlite('${F}', 't')`,
  `SELECT * FROM icebergLocal('${F}')`,
  `SELECT * FROM deltaLakeLocal('${F}')`,
  `SELECT * FROM executable('cat ${F}', 'LineAsString', 'x String')`,
  `SELECT catboostEvaluate('${F}', 1)`,
  `SELECT * FROM dictionary('${F}')`,
  `SELECT filesystemAvailable()`,
  // Writing.
  `SELECT 1 INTO OUTFILE '$OUT'`,
  `SELECT 1 INTO/**/OUTFILE '$OUT' FORMAT CSV`,
  `SELECT 1) INTO OUTFILE '$OUT' --`,
  `(SELECT 1) INTO OUTFILE '$OUT'`,
  `INSERT INTO FUNCTION file('$OUT', 'CSV') SELECT 1`,
  `INSERT INTO logs.t VALUES ('2024-04-19 10:00:00', 'x')`,
  "INSERT INTO monitor.lookup_rows (p_table) VALUES ('x')",
  `DROP DATABASE lookups`,
  `SELECT 1; INSERT INTO logs.t VALUES ('2024-04-19 10:00:00', 'x')`,
  `SELECT 1 FORMAT CSV; DROP TABLE logs.t`,
  'DROP TABLE logs.t',
  'DROP DATABASE logs',
  'TRUNCATE TABLE logs.t',
  'RENAME TABLE logs.t TO logs.u',
  'CREATE TABLE logs.x (a Int8) ENGINE = Memory',
  'CREATE TEMPORARY TABLE x (a Int8)',
  `CREATE TABLE x (a String) ENGINE = File(CSV, '$OUT')`,
  `CREATE DICTIONARY d (a UInt64) PRIMARY KEY a SOURCE(FILE(PATH '${F}' FORMAT 'CSV')) LAYOUT(FLAT()) LIFETIME(0)`,
  'CREATE FUNCTION f AS x -> x',
  'ALTER TABLE logs.t DELETE WHERE 1 SETTINGS mutations_sync = 1',
  'DELETE FROM logs.t WHERE 1',
  'OPTIMIZE TABLE logs.t',
  "BACKUP TABLE logs.t TO File('$OUT')",
  'ATTACH DATABASE x',
  'DETACH TABLE logs.t',
  // Settings and server.
  'SET readonly = 0',
  'SET max_memory_usage = 0',
  'SELECT 1 SETTINGS readonly = 0',
  'SELECT 1 SETTINGS max_memory_usage = 0',
  'SELECT * FROM (SELECT 1 SETTINGS max_execution_time = 0)',
  'SELECT 1 /**/ settings/**/max_threads=1',
  'USE system',
  'SYSTEM SHUTDOWN',
  'KILL QUERY WHERE 1',
  'GRANT ALL ON *.* TO default',
  'CREATE USER x',
  'EXPLAIN SELECT 1',
  `EXECUTE AS default SELECT 1`,
  // Network.
  `SELECT * FROM url('${U}', 'LineAsString')`,
  `SELECT * FROM urlCluster('default', '${U}', 'LineAsString')`,
  `SELECT * FROM (SELECT * FROM url('${U}', 'LineAsString') SETTINGS readonly = 2)`,
  `SELECT * FROM s3('${U}/b/k', 'CSV')`,
  `SELECT * FROM gcs('${U}/b/k', 'CSV')`,
  `SELECT * FROM hdfs('hdfs://127.0.0.1:1/x', 'CSV')`,
  `SELECT * FROM azureBlobStorage('${U}', 'c', 'b')`,
  "SELECT * FROM remote('127.0.0.1', 'system', 'one')",
  "SELECT * FROM remoteSecure('127.0.0.1', 'system', 'one')",
  "SELECT * FROM cluster('default', 'system', 'one')",
  "SELECT * FROM mysql('127.0.0.1:1', 'd', 't', 'u', 'p')",
  "SELECT * FROM postgresql('127.0.0.1:1', 'd', 't', 'u', 'p')",
  "SELECT * FROM mongodb('127.0.0.1:1', 'd', 't', 'u', 'p', 'a Int8')",
  "SELECT * FROM redis('127.0.0.1:1', 'k', 'k String')",
  "SELECT * FROM jdbc('x', 'y')",
  "SELECT * FROM odbc('x', 'y', 'z')",
  "SELECT * FROM input('a String')",
  `SELECT aiGenerate('x', '${U}')`,
  // The host and the engine.
  'SELECT hostName()',
  'SELECT hostname()',
  'SELECT displayName()',
  'SELECT DISPLAYNAME()',
  'SELECT version()',
  'SELECT @@version',
  'SELECT @@global.version',
  'SELECT @@hostname',
  'SELECT currentUser',
  'SELECT current_user',
  'SELECT `session_user`',
  'SELECT arrayMap(x -> current_User, [1])',
  'SELECT serverTimezone()',
  'SELECT queryID()',
  'SELECT flameGraph([1])',
  "SELECT arrayReduce('flameGraph', [[toUInt64(1)]])",
  'SELECT fqdn()',
  'SELECT user()',
  'SELECT getOSKernelVersion()',
  'SELECT serverUUID()',
  "SELECT getServerSetting('path')",
  "SELECT getMacro('x')",
  'SELECT addressToLine(1)',
  'SELECT sleep(3)',
  'SELECT sleepEachRow(1) FROM numbers(3)',
  'SELECT * FROM system.processes',
  'SELECT * FROM `system`.`server_settings`',
  'SELECT * FROM system/**/./**/users',
  'SELECT 1 IN system.one',
  'SELECT * FROM internal.indicators_of_t',
  "SELECT * FROM merge('system', '.*')",
  "SELECT * FROM merge(REGEXP('.*'), '.*')",
  'SHOW TABLES FROM system',
  'DESCRIBE TABLE system.users',
  'FROM system.one SELECT 1',
]

test.each(attacks)('%s is refused', async (attack) => {
  const { port } = server.address() as AddressInfo
  const sql = attack.replaceAll(F, secretFile).replaceAll(U, `http://127.0.0.1:${port}`).replaceAll('$OUT', outFile)
  const answer = lake.query(sql)
  await expect(answer).rejects.toBeInstanceOf(Refused)
  await expect(answer).rejects.not.toThrow(SECRET)
  expect(existsSync(outFile)).toBe(false)
})

test('nothing leaked and everything is still there', async () => {
  expect(requests).toBe(0)
  expect((await lake.query('SELECT a FROM logs.t')).rows).toEqual(['["kept"]'])
  const tables = await lake.query(
    "SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema NOT IN ('system', 'information_schema', 'INFORMATION_SCHEMA') ORDER BY ALL",
  )
  const made = [
    '["logs", "all"]',
    '["logs", "t"]',
    '["matches", "all"]',
    '["monitor", "indicators"]',
    '["monitor", "lake_layout"]',
    '["monitor", "lookup_rows"]',
  ]
  expect(tables.rows).toEqual(made)
})

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { TableSpec } from '../../model/column.ts'
import { type ChdbLake, createChdbLake } from '../../stages/store/chdb.ts'
import { insertInto } from '../../stages/store/insert.fixture.ts'
import { Refused } from '../../util/errors.ts'
import { asker } from './ask.ts'
import { pantherSign } from './dialect.ts'

const NOW = Date.parse('2024-04-19T12:00:00Z')
const folder = mkdtempSync(join(tmpdir(), 'caracal-ask-'))
let lake: ChdbLake
let ask: ReturnType<typeof asker>

function table(name: string): TableSpec {
  return {
    database: 'logs',
    table: name,
    timeColumn: 'p_event_time',
    columns: [
      { name: 'p_event_time', kind: 'timestamp', required: true },
      { name: 'p_parse_time', kind: 'timestamp', required: true },
      { name: 'p_row_id', kind: 'string', required: true },
      { name: 'p_log_type', kind: 'string', required: true },
      { name: 'eventName', kind: 'string', required: false },
      { name: 'detail', kind: 'json', required: false },
      { name: 'ips', kind: 'strings', required: false },
    ],
  }
}

const TABLES = [
  table('aws_cloudtrail'),
  table('zeek_conn'),
  table('okta_systemlog'),
  table('all'),
  ...['auto', 'clickhouse', 'undefined'].map((name) => table(`quiet_${name}`)),
]

beforeAll(async () => {
  lake = await createChdbLake({ dataDir: folder, fsync: false })
  for (const [spec, logType] of [
    [TABLES[0]!, 'AWS.CloudTrail'],
    [TABLES[1]!, 'Zeek.Conn'],
  ] as const) {
    await lake.ensure(spec)
    const rows = [1, 30].map((hours) => {
      const time = new Date(NOW - hours * 3_600_000).toISOString()
      return [time, time, `${hours}`, logType, 'ConsoleLogin', '{"mfa":"no"}', ['192.0.2.1']]
    })
    await insertInto(lake, spec, rows, logType)
  }
  const saved = { name: 'secret', description: '', tags: [], sql: "{% macro x() export %}'hidden'{% endmacro %}", file: 'x.yml' }
  const world = { saved: new Map([['secret', { ...saved, dialect: 'any' as const, hasLookback: false }]]), tables: TABLES }
  ask = asker({ lake, flush: async () => {}, world: () => world, now: () => NOW })
})
afterAll(async () => {
  await lake.close()
  rmSync(folder, { recursive: true, force: true })
})

const auto = { dialect: 'auto' as const }
const limited = { dialect: 'auto' as const, logTypes: ['Zeek.*'] }

test('a query of content may read the view of all tables', async () => {
  const result = await ask('SELECT count() FROM logs.all', { dialect: 'clickhouse', checksOnly: true })
  expect(result.columns.map(({ name }) => name)).toEqual(['count()'])
  expect((await ask('SELECT count() FROM logs.all', { dialect: 'clickhouse' })).rows).toEqual(['[4]'])
})

test.each(['auto', 'clickhouse', undefined] as const)(
  'a log type that has sent nothing yet has no rows (%s)',
  async (dialect) => {
    const name = `logs.quiet_${dialect}`
    expect((await ask(`SELECT count() FROM ${name}`, { ...(dialect && { dialect }) })).rows).toEqual(['[0]'])
    // A name that no log type has stays an error.
    await expect(ask('SELECT count() FROM logs.nothing', { ...(dialect && { dialect }) })).rejects.toThrow(Refused)
  },
)

describe('what is translated', () => {
  test.each([
    ["SELECT count(*) FROM panther_logs.public.aws_cloudtrail WHERE p_occurs_since('1 day')", [[1]]],
    ["SELECT count(*) FROM aws_cloudtrail WHERE p_occurs_since('3 days')", [[2]]],
    ["SELECT detail:mfa::string FROM panther_logs.public.aws_cloudtrail WHERE EVENTNAME = 'ConsoleLogin' LIMIT 1", [['no']]],
    ['SELECT f.value::string FROM panther_logs.aws_cloudtrail, LATERAL FLATTEN(ips) f LIMIT 1', [['192.0.2.1']]],
    ["SELECT count(*) FROM panther_logs.public.okta_systemlog WHERE p_occurs_since('1 day')", [[0]]],
  ])('%s', async (sql, rows) => {
    const result = await ask(sql, auto)
    expect(result.rows.map((row) => JSON.parse(row) as unknown)).toEqual(rows)
    expect(result.translated?.sql).toContain('SELECT')
  })

  test.each([
    'SELECT count() FROM logs.aws_cloudtrail',
    'SELECT countIf(eventName = {name:String}) FROM panther_logs.public.aws_cloudtrail',
    "SELECT 'p_occurs_since(1)' AS p_occurs_since, count() FROM panther_views.public.all_logs",
    'SELECT p_log_type, groupArray(eventName) FROM panther_logs.aws_cloudtrail GROUP BY ALL',
  ])('not %s', async (sql) => {
    const params = sql.includes('{') ? { params: { name: 'x' } } : {}
    expect((await ask(sql, { ...auto, ...params })).translated).toBeUndefined()
  })

  test('anything, if the caller says so, and nothing if the caller says that', async () => {
    const sql = "SELECT DATEADD('day', -1, p_event_time) FROM aws_cloudtrail LIMIT 1"
    expect((await ask(sql, { dialect: 'snowflake' })).translated).toBeDefined()
    const macro = "SELECT count() FROM logs.aws_cloudtrail WHERE p_occurs_since('1 day')"
    await expect(ask(macro, { dialect: 'clickhouse' })).rejects.toThrow('p_occurs_since')
    await expect(ask(macro)).rejects.toThrow('p_occurs_since')
  })

  test('signs in strings, comments and names of columns are none', () => {
    const texts = ["SELECT 'panther_logs.public.x'", 'SELECT 1 -- p_occurs_since(1)', 'SELECT p_occurs_since FROM t', "SELECT '"]
    expect(texts.map(pantherSign)).toEqual([undefined, undefined, undefined, undefined])
  })
})

describe('errors', () => {
  test.each([
    [
      'SELECT count(*)\n  FROM aws_cloudtrail /* x */ WHERE WHERE p_occurs_since(1d)',
      /cannot be translated: .*line 2, column 43/,
    ],
    ["SELECT nope FROM panther_logs.public.aws_cloudtrail WHERE p_occurs_since('1 day')", /the column nope/],
    ['SELECT nope FROM panther_logs.public.aws_cloudtrail', /nope[\s\S]*In Snowflake's dialect: .*the column nope/],
    ['SELECT 1,\n  2 2 FROM logs.aws_cloudtrail', /Syntax error: failed at \(2\) \(line 2, column 5\)/],
    ["SELECT 1 FROM aws_cloudtrail WHERE p_occurs_since('1 day') AND x = {x:String}", /cannot be translated/],
  ])('%j says what and where', async (sql, message) => {
    await expect(ask(sql, auto)).rejects.toThrow(message)
    await expect(ask(sql, auto)).rejects.toBeInstanceOf(Refused)
  })
})

describe('what a caller may not see', () => {
  const since = "p_occurs_since('90 days')"
  test('rows of their log types are translated and seen', async () => {
    expect((await ask(`SELECT count(*) FROM panther_logs.public.zeek_conn WHERE ${since}`, limited)).rows).toEqual(['[2]'])
  })

  test.each([
    `SELECT * FROM panther_logs.public.aws_cloudtrail WHERE ${since}`,
    `SELECT * FROM aws_cloudtrail WHERE ${since}`,
    `SELECT * FROM "PANTHER_LOGS"."PUBLIC"."AWS_CLOUDTRAIL" WHERE ${since}`,
    `SELECT z.* FROM zeek_conn z JOIN aws_cloudtrail a ON a.p_event_time <> z.p_event_time WHERE p_occurs_since('9 days', z)`,
    `WITH aws_cloudtrail2 AS (SELECT * FROM logs.aws_cloudtrail) SELECT * FROM aws_cloudtrail2 WHERE ${since}`,
    `SELECT * FROM zeek_conn WHERE ${since} UNION ALL SELECT * FROM aws_cloudtrail`,
    `SELECT (SELECT max(eventName) FROM aws_cloudtrail) FROM zeek_conn WHERE ${since}`,
    `SELECT * FROM zeek_conn WHERE ${since} AND eventName IN (SELECT eventName FROM panther_logs.public.aws_cloudtrail)`,
    `SELECT * FROM panther_lookups.public.users WHERE ${since}`,
    `SELECT * FROM panther_monitor.public.dead_letters WHERE ${since}`,
    `SELECT * FROM system.tables WHERE ${since}`,
    `SELECT * FROM snowflake.account_usage.users WHERE ${since}`,
    `SELECT * FROM "logs.aws_cloudtrail" WHERE ${since}`,
    `SELECT * FROM "zeek_conn\`, logs.aws_cloudtrail" WHERE ${since}`,
    `SELECT file('/etc/passwd') FROM zeek_conn WHERE ${since}`,
    `SELECT * FROM TABLE(file('/etc/passwd')) WHERE ${since}`,
    `SELECT * FROM url('http://127.0.0.1/') WHERE ${since}`,
    `SELECT '\\') FROM logs.aws_cloudtrail --' FROM logs.aws_cloudtrail WHERE ${since}`,
    `SELECT 1 AS "a\`, (SELECT count() FROM logs.aws_cloudtrail) AS b" FROM aws_cloudtrail WHERE ${since}`,
    `SELECT * FROM zeek_conn WHERE ${since} SETTINGS readonly = 0`,
    `SELECT * FROM zeek_conn WHERE ${since}; DROP TABLE logs.zeek_conn`,
    `{% import 'secret' x %}SELECT {{ x() }} FROM zeek_conn`,
  ])('is not reached by %s', async (sql) => {
    const outcome = await ask(sql, limited).then(
      ({ rows }) => `rows ${rows}`,
      (error: unknown) => error as Refused,
    )
    expect(outcome).toBeInstanceOf(Refused)
    expect((outcome as Refused).message).not.toMatch(/hidden|no source names AWS/)
  })

  test('a table that may not be seen is described like one that does not exist', async () => {
    const message = (name: string) =>
      ask(`SELECT * FROM ${name} WHERE ${since}`, limited).then(
        () => '',
        (error: Refused) => error.message.replaceAll(name, 'T'),
      )
    expect(await message('aws_cloudtrail')).toBe(await message('aws_nothing'))
  })

  test('text from a query stays text in what it becomes', async () => {
    for (const text of ["' OR 1=1 --", "\\' OR 1=1 --", '{query_time:String}', '`', '*/ UNION SELECT 1 /*', '\\\\', '$$']) {
      const quoted = `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
      const { rows, translated } = await ask(`SELECT ${quoted} AS t FROM zeek_conn WHERE ${since} LIMIT 1`, limited)
      expect([translated !== undefined, rows]).toEqual([true, [JSON.stringify([text])]])
    }
  })
})

test("Panther's view over all logs is read", async () => {
  const sql = "SELECT count(*) AS n FROM panther_views.public.all_logs WHERE p_occurs_since('2 hours')"
  expect((await ask(sql, auto)).rows).toEqual(['[2]'])
})

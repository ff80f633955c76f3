import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type LakeHome, lakeKinds } from '../../../test/support/lakes.ts'
import type { Column, TableSpec } from '../../model/column.ts'
import { Refused } from '../../util/errors.ts'
import { insertInto } from './insert.fixture.ts'
import type { Lake } from './lake.ts'

/** A value that only rows of other log types have. */
const HIDDEN = 'hidden-from-the-web-team'

const COLUMNS: readonly Column[] = [
  { name: 'p_event_time', kind: 'timestamp', required: true },
  { name: 'p_log_type', kind: 'string' },
  { name: 'p_any_ip_addresses', kind: 'strings' },
  { name: 'p_source_label', kind: 'string' },
  // A small column: the engine likes to evaluate conditions on those first.
  { name: 'n', kind: 'int', required: true },
]
const spec = (database: string, table: string): TableSpec => ({ database, table, columns: COLUMNS, timeColumn: 'p_event_time' })

const ROWS: readonly [database: string, table: string, logType: string | null][] = [
  ['logs', 'nginx_access', 'Nginx.Access'],
  ['logs', 'zeek_conn', 'Zeek.Conn'],
  // Another log type with the same table.
  ['logs', 'nginx_access', 'Nginx_Access'],
  ['logs', 'nginxx', 'Nginxx'],
  ['matches', 'nginx_access', 'Nginx.Access'],
  ['matches', 'zeek_conn', 'Zeek.Conn'],
  ['signals', 'correlation_signals', 'Nginx.Access'],
  ['signals', 'correlation_signals', 'Zeek.Conn'],
  ['signals', 'correlation_signals', null],
  ['monitor', 'rule_errors', 'Nginx.Access'],
  ['monitor', 'rule_errors', 'Zeek.Conn'],
  ['monitor', 'dead_letters', 'Zeek.Conn'],
]

for (const kind of lakeKinds)
  describe.skipIf(kind.why)(kind.title, () => {
    let home: LakeHome
    let lake: Lake
    beforeAll(async () => {
      home = await kind.make()
      lake = await home.open()
      // All rows of a table in one part: the engine evaluates expressions on many rows at once.
      for (const name of new Set(ROWS.map(([database, table]) => `${database}.${table}`))) {
        const [database, table] = name.split('.') as [string, string]
        const rows = ROWS.filter((row) => row[0] === database && row[1] === table)
        await lake.ensure(spec(database, table))
        const values = rows.map(([, , type]) => [
          '2024-04-19T10:00:00Z',
          type,
          [],
          ...(type === 'Nginx.Access' ? ['1', 1] : [HIDDEN, 0]),
        ])
        await insertInto(lake, spec(database, table), values, name)
      }
    })
    afterAll(async () => {
      await lake.close()
      await home.remove()
    })

    const ask = async (sql: string, params = {}) => (await lake.query(sql, { logTypes: ['Nginx.*'], params })).rows

    const SHOWN: readonly string[] = [
      'SELECT p_source_label FROM logs.nginx_access',
      'SELECT p_source_label FROM "logs"."nginx_access" AS x',
      'SELECT p_source_label FROM `logs` . `nginx_access`',
      'SELECT p_source_label FROM logs/* */./**/nginx_access',
      'SELECT p_source_label FROM logs.all',
      'SELECT p_source_label FROM matches.all',
      'SELECT p_source_label FROM matches.nginx_access',
      'SELECT p_source_label FROM panther_logs.public.nginx_access',
      'SELECT p_source_label FROM panther_views.public.all_logs',
      'SELECT p_source_label FROM panther_rule_matches.public.nginx_access',
      'SELECT p_source_label FROM signals.correlation_signals',
      'SELECT p_source_label FROM panther_signals.public.correlation_signals',
      'SELECT p_source_label FROM monitor.rule_errors',
      'SELECT l.p_source_label FROM logs.all AS l JOIN matches.all AS m ON l.p_log_type = m.p_log_type',
      'WITH x AS (SELECT * FROM logs.all) SELECT p_source_label FROM x',
      'SELECT p_source_label FROM (SELECT * FROM logs.all UNION ALL SELECT * FROM logs.all WHERE 0)',
      'SELECT p_source_label FROM view(SELECT * FROM logs.all)',
      'SELECT p_source_label FROM logs.all WHERE p_source_label IN (SELECT p_source_label FROM logs.all) AND p_log_type = {t:String}',
      "SELECT p_source_label FROM logs.all WHERE 1 OR p_log_type = 'Zeek.Conn'",
      'SELECT x.p_source_label FROM logs.all AS x, (SELECT 1) AS y',
    ]
    test.each(SHOWN)('only rows of its log types are answers to %s', async (sql) => {
      const rows = await ask(sql, { t: 'Nginx.Access' })
      expect([...new Set(rows)]).toEqual(['["1"]'])
    })

    const CLOSED: readonly string[] = [
      'SELECT p_source_label FROM logs.zeek_conn',
      'SELECT p_source_label FROM LOGS.zeek_conn',
      'SELECT p_source_label FROM "logs".zeek_conn',
      'SELECT p_source_label FROM logs."zeek_conn"',
      'SELECT p_source_label FROM logs . zeek_conn',
      'SELECT p_source_label FROM logs.nginx_access, logs.zeek_conn',
      'SELECT p_source_label FROM logs.nginx_access UNION ALL SELECT p_source_label FROM logs.zeek_conn',
      'SELECT p_source_label FROM logs.nginx_access WHERE p_source_label NOT IN logs.zeek_conn',
      'SELECT (SELECT any(p_source_label) FROM logs.zeek_conn)',
      'SELECT p_source_label FROM panther_logs.public.zeek_conn',
      'SELECT p_source_label FROM panther_rule_matches.zeek_conn',
      'SELECT p_source_label FROM matches.zeek_conn',
      'SELECT p_source_label FROM monitor.dead_letters',
      'SELECT p_source_label FROM panther_monitor.public.dead_letters',
      'SELECT * FROM monitor.lookup_rows',
      'SELECT * FROM monitor.lake_layout',
      'SELECT * FROM lookups.anything',
      'SELECT * FROM lookups."Any.Thing"',
      'SELECT * FROM panther_lookups.public.anything',
      'SELECT * FROM information_schema.schemata',
      'SELECT * FROM INFORMATION_SCHEMA.KEY_COLUMN_USAGE',
      'SELECT * FROM system.tables',
      'SELECT p_source_label FROM logs.nginxx',
      'SELECT logs.all.p_source_label FROM logs.all',
      'SELECT x.logs.zeek_conn FROM logs.all AS x',
      'SELECT p_source_label FROM x.logs.zeek_conn',
      "SELECT p_source_label FROM merge('logs', '.*')",
      'SELECT p_source_label FROM `logs.zeek_conn`',
      'SELECT p_source_label FROM "logs.zeek_conn"',
      'SELECT p_source_label FROM zeek_conn',
      "SELECT p_source_label FROM 'logs.zeek_conn'",
      'SELECT p_source_label FROM (SELECT * FROM {t:Identifier})',
      'SELECT * FROM (DESCRIBE TABLE logs.zeek_conn)',
      'SELECT * FROM (SHOW TABLES FROM logs)',
      'WITH logs AS (SELECT 1 AS one) SELECT * FROM logs.zeek_conn',
      'FROM logs.zeek_conn SELECT p_source_label',
      'SELECT p_source_label FROM logs.nginx_access) UNION ALL (SELECT p_source_label FROM logs.zeek_conn',
    ]
    test.each(CLOSED)('it cannot ask %s', async (sql) => {
      await expect(ask(sql, { t: 'logs.zeek_conn' })).rejects.toBeInstanceOf(Refused)
    })

    const LEAKS: readonly string[] = [
      'SELECT 1 FROM $T WHERE toInt64(p_source_label) = 1',
      'SELECT toInt64(p_source_label) FROM $T',
      'SELECT 1 FROM $T WHERE throwIf(p_log_type = {t:String}) = 0',
      "SELECT 1 FROM $T WHERE p_source_label LIKE '%1%' AND toInt64(p_source_label) = 1",
      "SELECT 1 FROM $T WHERE p_event_time > '2000-01-01' AND toInt32(p_source_label) = 1",
      'SELECT 1 FROM $T AS x ARRAY JOIN [toInt64(x.p_source_label)] AS y WHERE y = 1',
      'SELECT 1 FROM $T AS x JOIN (SELECT 1 AS one) AS y ON toInt64(x.p_source_label) = y.one',
      'SELECT max(toInt64(p_source_label)) FROM $T GROUP BY p_log_type HAVING max(toInt64(p_source_label)) = 1',
    ]
    const SMALL: readonly string[] = [
      'SELECT 1 FROM $T WHERE intDiv(1, n) = 1',
      'SELECT 1 FROM $T WHERE n IN (SELECT n FROM $T WHERE intDiv(1, n) = 1)',
      'SELECT intDiv(1, n) FROM $T ORDER BY n LIMIT 1',
      'SELECT 1 FROM $T WHERE intDiv(1, n) = 1 AND p_event_time > {s:String}::DateTime64',
    ]
    test.each(
      [...LEAKS, ...SMALL].flatMap((sql) =>
        (SMALL.includes(sql) ? [] : ['logs.all', 'matches.all'])
          .concat('signals.correlation_signals', 'logs.nginx_access')
          .map((table) => sql.replaceAll('$T', table)),
      ),
    )('%s is evaluated for no row of other log types, whose values its error would show', async (sql) => {
      expect(await ask(sql, { t: 'Zeek.Conn', s: '2000-01-01 00:00:00' })).not.toEqual([])
    })

    test('the catalogue shows the tables that may be read', async () => {
      for (const name of ['information_schema.tables', 'INFORMATION_SCHEMA.TABLES', 'information_schema.columns'])
        expect(await ask(`SELECT DISTINCT concat(table_schema, '.', table_name) AS t FROM ${name} ORDER BY t`)).toEqual([
          ...['["logs.all"]', '["logs.nginx_access"]', '["matches.all"]', '["matches.nginx_access"]'],
          ...['["monitor.indicators"]', '["monitor.rule_errors"]', '["signals.correlation_signals"]'],
        ])
    })

    test.each(['information_schema.tables', 'INFORMATION_SCHEMA.TABLES', 'information_schema."tables"'])(
      '%s counts no rows, which may be of other log types',
      async (name) => {
        for (const column of ['table_rows', 'data_length', 'index_length', 'TABLE_ROWS', 'DATA_LENGTH', 'INDEX_LENGTH'])
          expect(await ask(`SELECT ${column} FROM ${name} WHERE ${column} IS NOT NULL`)).toEqual([])
        expect(await ask(`SELECT * FROM ${name}`)).toHaveLength(7)
      },
    )

    test.each([
      'SELECT * FROM zeek_con',
      'SELECT * FROM x.zeek_conn',
      'SELECT * FROM log.nginx_access',
      'SELECT * FROM logs.nginx_zeek_con',
      'SELECT * FROM correlation_signal',
    ])('the error of %s suggests no name of a table', async (sql) => {
      await expect(ask(sql)).rejects.toThrow(/^(?!.*(?:meant|zeek_conn\?|logs\.zeek_conn))/s)
      await expect(ask(sql)).rejects.toBeInstanceOf(Refused)
    })

    test('the error for a column or function that does not exist suggests what may be used', async () => {
      await expect(ask('SELECT p_source_labe FROM logs.all')).rejects.toThrow(/meant: \['p_source_label'/)
      await expect(ask('SELECT toInt65(1)')).rejects.toThrow(/meant: .*toInt64/)
    })

    test('a refusal says what may be read, and how a column is named', async () => {
      await expect(ask('SELECT p_source_label FROM logs.zeek_conn')).rejects.toThrow(
        /reads logs\.zeek_conn.*only see events of the log types Nginx\.\*/,
      )
      await expect(ask('SELECT logs.all.p_source_label FROM logs.all')).rejects.toThrow(/give the table an alias/)
    })

    test('patterns are exact, but for the star and case', async () => {
      const count = async (...logTypes: string[]) =>
        Number((await lake.query('SELECT count() FROM logs.all', { logTypes })).rows[0]!.slice(1, -1))
      expect([await count('Nginx.Access'), await count('nginx.*'), await count('Nginx_*'), await count('Nginx*')]).toEqual([
        1, 1, 1, 3,
      ])
      expect([await count('Zeek.*', 'Nginx.Access'), await count('*'), await count('None')]).toEqual([2, 4, 0])
    })
  })

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { JsonObject } from '../model/json.ts'
import type { ScheduledQuery } from '../model/query.ts'
import type { Rule } from '../model/rule.ts'
import { rowsToEvents } from '../stages/detect/scheduled/rows.ts'
import { createChdbLake } from '../stages/store/chdb.ts'
import { NOW_PARAM } from '../stages/store/dialect/translate.ts'
import { RowWriter } from '../stages/store/row-writer.ts'
import { blocksOf } from '../util/block/encode.ts'
import { compileContent, lakeTables, schemaOf } from './path.ts'
import { queryNotices, translateQuery } from './queries.ts'

/** Queries over log types without a schema file, in a real lake, on rows written by the real row writer. */
const NOW = '2024-04-19T12:00:00Z'
const RECEIVED = '2024-04-19T11:50:00Z'
const QUERY: ScheduledQuery = {
  name: 'Q',
  description: '',
  tags: [],
  sql: 'SELECT host FROM panther_logs.public.only_queried',
  dialect: 'any',
  hasLookback: false,
  file: '/content/q.yml',
  enabled: true,
  schedule: { rateMinutes: 5, timeoutMinutes: 1 },
  email: undefined,
}
const rule = (id: string, logTypes: readonly string[]) =>
  ({ id, logTypes, enabled: true, source: { language: 'python' } }) as Rule
const loaded = compileContent({
  rules: [rule('R', ['Cloud.Calls', 'Cloud.People', 'Cloud.Unread', 'no log type!'])],
  scheduledRules: [],
  policies: [],
  correlationRules: [],
  scheduledQueries: [QUERY],
  savedQueries: [],
  dashboards: [],
  schemas: [],
  tables: [],
  problems: [],
  notices: [],
} as unknown as Parameters<typeof compileContent>[0])
const tables = lakeTables(loaded, new Set(['Cloud.Calls', 'Cloud.People', 'Only.Queried', 'Not.Known']))
const world = { saved: new Map(), tables }

const events: Readonly<Record<string, readonly JsonObject[]>> = {
  'Cloud.Calls': [
    {
      eventName: 'Start',
      n: 9,
      by: { type: 'User', name: 'ann' },
      to: ['x', 'y'],
      errorCode: null,
      when: '2024-04-19T11:30:00Z',
    },
    { eventName: 'Start', n: 10, by: { type: 'User', name: 'ann' }, to: ['z'], errorCode: 'Denied', m: 8 },
    { eventName: 'Stop', n: 100, by: { type: 'Role', name: 'bob', Type: 'upper' }, ok: true, m: 200 },
    { EVENTNAME: 'Shout', eventname: 'whisper', by: { name: 'cid' }, "it's": '\\ "q"' },
  ],
  'Cloud.People': [
    { name: 'ann', team: 'red', n: 1 },
    { name: 'bob', team: 'blue', n: 2 },
  ],
  'Only.Queried': [{ host: 'h1' }],
}

const dataDir = mkdtempSync(join(tmpdir(), 'open-tables-'))
const lake = await createChdbLake({ dataDir })
const writer = new RowWriter(dataDir, lake)
for (const [type, list] of Object.entries(events)) {
  const schema = schemaOf(type, loaded)!
  const table = { database: 'logs', table: schema.table, columns: schema.columns, timeColumn: 'p_event_time' }
  await lake.ensure(table)
  const rows = list.map((raw, at) => {
    const meta = {
      rowId: `${type} ${at}`,
      parseTime: RECEIVED,
      receivedMs: Date.parse(RECEIVED),
      sourceId: 's',
      sourceLabel: 's',
    }
    const event = schema.normalise(raw, meta)
    if (event.kind !== 'ok') throw new Error(`a test event was not taken: ${JSON.stringify(event)}`)
    return event.value
  })
  const blocks = blocksOf(rows, (events, out) => schema.encode(events, out, {})).map((block) => block.rows)
  expect(await writer.insert(table, blocks, type)).toEqual([])
}
afterAll(async () => {
  await lake.close()
  rmSync(dataDir, { recursive: true })
})

async function answer(sql: string) {
  const translation = await translateQuery({ ...QUERY, sql }, world)
  if (translation.kind !== 'ok') throw new Error(translation.what.join('; '))
  const { rows } = await lake.query(translation.sql, { params: { [NOW_PARAM]: NOW } })
  return { rows, columns: translation.columns }
}

/** The rows as a scheduled rule sees them, without the standard fields. */
async function judged(sql: string): Promise<JsonObject[]> {
  const { rows, columns } = await answer(sql)
  return rowsToEvents({ query: 'Q', dueMs: Date.parse(NOW), columns, rows }).map(
    (event) => Object.fromEntries(Object.entries(event).filter(([name]) => !name.startsWith('p_'))) as JsonObject,
  )
}

const calls = 'panther_logs.public.cloud_calls'
const cases: readonly { readonly name: string; readonly sql: string; readonly gives: readonly object[] }[] = [
  {
    name: 'fields are columns, paths go on from them, and values keep their types',
    sql: `SELECT eventName, by:type, by:name::string AS who, n, ok, "to" FROM ${calls} WHERE eventName ILIKE 'st_p' AND n >= 100 AND ok`,
    gives: [{ eventName: 'Stop', 'by:type': 'Role', who: 'bob', n: 100, ok: true, to: null }],
  },
  {
    name: 'the case of a field counts as little as that of a column, and the spelling as written comes first',
    sql: `SELECT eventname AS a, EventName AS b, EVENTNAME AS c, BY:name AS d FROM ${calls} ORDER BY d DESC LIMIT 2`,
    gives: [
      { a: 'whisper', b: 'Shout', c: 'Shout', d: 'cid' },
      { a: 'Stop', b: 'Stop', c: 'Stop', d: 'bob' },
    ],
  },
  {
    name: 'the case of a path counts',
    sql: `SELECT by:Type AS a, by:type AS b FROM ${calls} WHERE eventName = 'Stop'`,
    gives: [{ a: 'upper', b: 'Role' }],
  },
  {
    name: 'a field that is null is NULL, as one that is not there',
    sql: `SELECT count(*) AS n, count(errorCode) AS m, count_if(nowhere IS NULL) AS k FROM ${calls} WHERE errorCode IS NULL`,
    gives: [{ n: 3, m: 0, k: 3 }],
  },
  {
    name: 'groups by fields and aliases and counts distinct ones',
    sql: `SELECT by:name AS who, count(DISTINCT eventName) AS names, array_agg(DISTINCT eventName) AS list, max(n) AS most FROM ${calls}
      WHERE p_occurs_since('1 hour') AND errorCode IS DISTINCT FROM 'x' GROUP BY who HAVING names >= 1 AND who != 'cid' ORDER BY most DESC, who`,
    gives: [
      { who: 'bob', names: 1, list: ['Stop'], most: 100 },
      { who: 'ann', names: 1, list: ['Start'], most: 10 },
    ],
  },
  {
    name: 'orders and compares numbers as numbers',
    sql: `SELECT n, m, n > m AS more FROM ${calls} WHERE n IS NOT NULL ORDER BY n`,
    gives: [
      { n: 9, m: null, more: null },
      { n: 10, m: 8, more: true },
      { n: 100, m: 200, more: false },
    ],
  },
  {
    name: 'NULLs come first downwards',
    sql: `SELECT n FROM ${calls} ORDER BY n DESC LIMIT 2`,
    gives: [{ n: null }, { n: 100 }],
  },
  {
    name: 'an alias comes before a field that may not be there, unless the name was read before the alias was given',
    sql: `SELECT by:name AS eventName, upper(by:type) AS by FROM ${calls} WHERE eventName = 'bob' AND by:name = 'bob'`,
    gives: [{ eventName: 'bob', by: 'ROLE' }],
  },
  {
    name: 'lists are asked for members and unfolded',
    sql: `SELECT f.value::string AS v FROM ${calls} c, LATERAL FLATTEN(input => c.to) f WHERE array_contains('y'::variant, to) ORDER BY v`,
    gives: [{ v: 'x' }, { v: 'y' }],
  },
  {
    name: 'times in fields are compared with times',
    sql: `SELECT eventName FROM ${calls} WHERE when > dateadd('hour', -1, current_timestamp())`,
    gives: [{ eventName: 'Start' }],
  },
  {
    name: 'a star gives all fields beside what the query names itself, also through a query in WITH',
    sql: `WITH c AS (SELECT *, upper(eventName) AS eventName, n + 1 AS next FROM ${calls} WHERE errorCode = 'Denied')
      SELECT * FROM c WHERE by:name = 'ann' AND eventName = 'START' QUALIFY count(*) OVER (PARTITION BY m) = 1`,
    gives: [{ eventName: 'START', next: 11, n: 10, by: { type: 'User', name: 'ann' }, to: ['z'], errorCode: 'Denied', m: 8 }],
  },
  {
    name: 'a star leaves out excluded fields in any case',
    sql: `SELECT * EXCLUDE (by, EVENTNAME) FROM ${calls} WHERE eventName = 'Shout'`,
    gives: [{ "it's": '\\ "q"' }],
  },
  {
    name: 'a field with a quote in its name is read by it',
    sql: `SELECT "it's" AS x FROM ${calls} WHERE "it's" IS NOT NULL`,
    gives: [{ x: '\\ "q"' }],
  },
  {
    name: 'two such tables are joined, and of a field in both the first counts',
    sql: `SELECT * EXCLUDE (by, to) FROM ${calls} c JOIN panther_logs.public.cloud_people p ON c.by:name = p.name WHERE team = 'blue'`,
    gives: [{ eventName: 'Stop', n: 100, ok: true, m: 200, name: 'bob', team: 'blue' }],
  },
  {
    name: 'a name says once from which of two tables it is',
    sql: `SELECT p.n, count(*) AS many FROM ${calls} c JOIN panther_logs.public.cloud_people p ON c.by:name = p.name GROUP BY n ORDER BY n`,
    gives: [
      { n: 1, many: 2 },
      { n: 2, many: 1 },
    ],
  },
  {
    name: 'an outer join gives NULL where there is no partner',
    sql: `SELECT DISTINCT c.by:name AS who, p.team FROM ${calls} c LEFT JOIN cloud_people p ON c.by:name = p.name ORDER BY who`,
    gives: [
      { who: 'ann', team: 'red' },
      { who: 'bob', team: 'blue' },
      { who: 'cid', team: null },
    ],
  },
  {
    name: 'rows of two such tables under each other are ordered by a field',
    sql: `SELECT * FROM ${calls} WHERE n = 9 UNION ALL SELECT * FROM cloud_people ORDER BY n`,
    gives: [{ name: 'ann', team: 'red', n: 1 }, { name: 'bob', team: 'blue', n: 2 }, { ...events['Cloud.Calls']![0]! }],
  },
  {
    name: 'a query within asks for its own fields',
    sql: `SELECT name FROM cloud_people WHERE name NOT IN (SELECT by:name FROM ${calls} WHERE eventName = 'Stop')`,
    gives: [{ name: 'ann' }],
  },
  {
    name: 'a log type that only a query is about has its table when a source names it',
    sql: QUERY.sql,
    gives: [{ host: 'h1' }],
  },
]

test.each(cases)('$name', async ({ sql, gives }) => {
  expect(await judged(sql)).toEqual(gives)
})

test('matches of such a log type have a table with the same fields', async () => {
  for (const spec of tables) if (spec.table === 'cloud_calls') await lake.ensure(spec)
  expect(await judged('SELECT eventName, p_rule_id FROM panther_rule_matches.public.cloud_calls')).toEqual([])
})

test.each([
  { sql: `SELECT eventName FROM ${calls}`, says: [] },
  {
    sql: 'SELECT a, b:c FROM panther_logs.public.cloud_unread',
    says: [
      "/content/q.yml: scheduled_query 'Q' cannot run: the table logs.cloud_unread: no schema makes it, and no source names the log type Cloud.Unread; add it to log_types of the source of its events",
    ],
  },
  {
    sql: 'WITH u AS (SELECT * FROM panther_logs.public.cloud_unread) SELECT soundex(a) FROM u',
    says: [expect.stringMatching(/cannot run: the function SOUNDEX; the table logs.cloud_unread: [^;]*; add it[^;]*$/)],
  },
  {
    sql: 'SELECT a FROM panther_logs.public.not_known',
    says: [
      "/content/q.yml: scheduled_query 'Q' cannot run: the table logs.not_known: no schema makes it, and no source names its log type",
    ],
  },
  {
    sql: `SELECT p_any_things FROM ${calls}`,
    says: [
      "/content/q.yml: scheduled_query 'Q' cannot run: the column p_any_things: the table logs.cloud_calls has none of that name",
    ],
  },
])('$sql reports $says', async ({ sql, says }) => {
  expect(await queryNotices({ scheduledQueries: [{ ...QUERY, sql }], tables: [] }, world)).toEqual(says)
})

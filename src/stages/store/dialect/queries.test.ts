import { afterAll, expect, test } from 'vitest'
import { openTestLake } from './lake.fixture.ts'

const at = (time: string) => `2024-04-19T${time}Z`
const user = (name: string, more: object = {}) => JSON.stringify({ name, type: 'IAM', ...more })

const lake = await openTestLake([
  {
    name: 'calls',
    columns: [
      { name: 'Action', kind: 'string' },
      { name: 'who', kind: 'json' },
      { name: 'bytes', kind: 'bigint' },
      { name: 'parts', kind: 'json' },
      { name: 'ips', kind: 'strings' },
    ],
    rows: [
      [at('11:10:00'), 'get', user('ann'), 10, '[{"k":"a"},{"k":"b"}]', ['1.1.1.1']],
      [at('11:20:00'), 'put', user('ann'), 20, '[]', ['1.1.1.1', '2.2.2.2']],
      [at('11:30:00'), 'get', user('bob'), null, '{"x":{"k":"c"}}', []],
      [at('11:40:00'), 'get', user('cid', { type: null }), 40, null, ['3.3.3.3']],
      [at('10:00:00'), 'old', user('ann'), 99, null, []],
    ],
  },
  {
    name: 'people',
    columns: [
      { name: 'name', kind: 'string' },
      { name: 'team', kind: 'string' },
      { name: 'level', kind: 'int' },
    ],
    rows: [
      [at('11:00:00'), 'ann', 'red', 1],
      [at('11:00:00'), 'bob', 'blue', 2],
      [at('11:00:00'), 'eve', 'blue', 3],
    ],
  },
])
afterAll(() => lake.close())

const cases: readonly { readonly name: string; readonly sql: string; readonly gives: unknown[][] }[] = [
  {
    name: 'groups by a path and by an alias, which HAVING and ORDER BY may use',
    sql: `SELECT who:name::string AS person, COUNT(*) AS calls, SUM(bytes) AS total FROM panther_logs.public.calls
      WHERE p_occurs_since('1 hour') GROUP BY person HAVING calls >= 1 ORDER BY calls DESC, person`,
    gives: [
      ['ann', 2, 30],
      ['bob', 1, null],
      ['cid', 1, 40],
    ],
  },
  {
    name: 'groups by position',
    sql: 'SELECT action, count(1) n FROM calls GROUP BY 1 ORDER BY n DESC, 1 LIMIT 1',
    gives: [['get', 3]],
  },
  {
    name: 'a sum of no rows is NULL and a count is 0',
    sql: "SELECT sum(bytes), count(*), max(bytes), min(p_event_time) FROM calls WHERE action = 'none'",
    gives: [[null, 0, null, null]],
  },
  {
    name: 'filters by window',
    sql: `SELECT action, who:name::string AS n FROM calls QUALIFY ROW_NUMBER() OVER (PARTITION BY who:name ORDER BY p_event_time DESC) = 1 ORDER BY n`,
    gives: [
      ['put', 'ann'],
      ['get', 'bob'],
      ['get', 'cid'],
    ],
  },
  {
    name: 'counts distinct values in a window',
    sql: 'SELECT DISTINCT who:name::string AS n FROM calls QUALIFY COUNT(DISTINCT action) OVER (PARTITION BY who:name) > 2',
    gives: [['ann']],
  },
  {
    name: 'an outer join gives NULL where there is no partner, also for numbers',
    sql: `SELECT c.who:name::string AS n, p.level, p.level IS NULL AS alone FROM calls c LEFT JOIN people p ON c.who:name = p.name
      WHERE c.action != 'old' AND p_occurs_since('1 hour', c) ORDER BY c.p_event_time`,
    gives: [
      ['ann', 1, false],
      ['ann', 1, false],
      ['bob', 2, false],
      ['cid', null, true],
    ],
  },
  {
    name: 'a full join gives NULL on both sides',
    sql: `WITH a AS (SELECT 1 AS x UNION ALL SELECT 2), b AS (SELECT 2 AS x UNION ALL SELECT 3)
      SELECT a.x AS l, b.x AS r FROM a FULL OUTER JOIN b ON a.x = b.x ORDER BY COALESCE(l, r)`,
    gives: [
      [1, null],
      [2, 2],
      [null, 3],
    ],
  },
  {
    name: 'flattens a JSON array, leaving out what is empty',
    sql: 'SELECT f.index, f.value:k::string AS k FROM calls, LATERAL FLATTEN(input => parts) f ORDER BY k',
    gives: [
      [0, 'a'],
      [1, 'b'],
      [null, 'c'],
    ],
  },
  {
    name: 'flattens with outer, keeping what is empty',
    sql: 'SELECT action, f.value:k::string AS k FROM calls, TABLE(FLATTEN(input => parts, outer => true)) f ORDER BY p_event_time, k',
    gives: [
      ['old', null],
      ['get', 'a'],
      ['get', 'b'],
      ['put', null],
      ['get', 'c'],
      ['get', null],
    ],
  },
  {
    name: 'flattens a list column',
    sql: 'SELECT DISTINCT ip.value::string AS ip FROM calls CROSS JOIN LATERAL FLATTEN(input => ips) AS ip ORDER BY 1',
    gives: [['1.1.1.1'], ['2.2.2.2'], ['3.3.3.3']],
  },
  {
    name: 'flattens what was flattened',
    sql: `SELECT b.value::int AS n FROM (SELECT PARSE_JSON('[{"l":[1,2]},{"l":[3]}]') AS doc), LATERAL FLATTEN(doc) a, LATERAL FLATTEN(a.value:l) b ORDER BY n`,
    gives: [[1], [2], [3]],
  },
  {
    name: 'gathers into lists',
    sql: `SELECT ARRAY_AGG(DISTINCT action) WITHIN GROUP (ORDER BY action) AS a, LISTAGG(action, '+') WITHIN GROUP (ORDER BY p_event_time) AS b,
      ARRAY_SIZE(a) AS n FROM calls WHERE who:name = 'ann'`,
    gives: [[['get', 'old', 'put'], 'old+get+put', 3]],
  },
  {
    name: 'gathers into objects, without pairs that lack a key or a value',
    sql: `SELECT OBJECT_AGG(name, n)::string AS a, OBJECT_AGG(name, n):ann::int AS b, OBJECT_AGG(type, name)::string AS c,
        OBJECT_AGG(name, docs)::string AS d
      FROM (SELECT who:name::string AS name, SUM(bytes) AS n, MAX(NULLIF(who:type::string, 'IAM')) AS type, ANY_VALUE(parts[0]) AS docs
        FROM calls WHERE action != 'old' GROUP BY name)`,
    gives: [['{"ann":30,"cid":40}', 30, '{}', '{"ann":{"k":"a"}}']],
  },
  {
    name: 'subtracts one query from another, once each',
    sql: 'SELECT who:name::string AS n FROM calls MINUS SELECT name FROM people',
    gives: [['cid']],
  },
  {
    name: 'asks for rows that another query has or lacks',
    sql: `SELECT name FROM people p WHERE NOT EXISTS (SELECT 1 FROM calls c WHERE c.who:name = p.name)
      OR name IN (SELECT who:name FROM calls WHERE bytes = 20) ORDER BY name`,
    gives: [['ann'], ['eve']],
  },
  {
    name: 'NULLs come last upwards and first downwards',
    sql: 'SELECT bytes FROM calls ORDER BY bytes DESC LIMIT 2',
    gives: [[null], [99]],
  },
  {
    name: 'a column comes before an alias of the same name, except in ORDER BY',
    sql: "SELECT action AS who, upper(action) AS action FROM calls WHERE action = 'put' ORDER BY action",
    gives: [['put', 'PUT']],
  },
  {
    name: 'a star leaves out what the query names itself, and what is excluded',
    sql: "SELECT level + 1 AS level, * EXCLUDE (p_log_type, p_row_id, p_parse_time, p_event_time) FROM people WHERE team = 'red'",
    gives: [[2, 'ann', 'red']],
  },
  {
    name: 'makes rows from nothing',
    sql: "SELECT DATEADD('day', -SEQ4(), CURRENT_TIMESTAMP()) AS t FROM TABLE(GENERATOR(ROWCOUNT => 2)) ORDER BY t",
    gives: [[at('12:00:00').replace('19T', '18T')], [at('12:00:00')]],
  },
  {
    name: 'reads the full name of a table before a column',
    sql: "SELECT panther_logs.public.people.team FROM panther_logs.public.people WHERE panther_logs.public.people.name = 'eve'",
    gives: [['blue']],
  },
]

test.each(cases)('$name', async ({ sql, gives }) => {
  expect(await lake.ask(sql)).toEqual(gives)
})

test('a superfluous comma before a clause is accepted', async () => {
  expect(await lake.ask("SELECT name, FROM people p JOIN calls c ON p.name = c.who:name, WHERE name = 'bob'")).toEqual([['bob']])
})

test('the answer says which columns contain JSON', async () => {
  const translation = await lake.translate(
    'SELECT who, who:name, who:name::string AS s, array_agg(who) AS l, count(*) FROM calls GROUP BY 1, 2, 3',
  )
  expect(translation).toMatchObject({
    kind: 'ok',
    tables: ['logs.calls'],
    columns: [
      { name: 'who', shape: 'json' },
      { name: 'who:name', shape: 'json' },
      { name: 's', shape: 'text' },
      { name: 'l', shape: 'list of json' },
      { name: 'count', shape: 'number' },
    ],
  })
})

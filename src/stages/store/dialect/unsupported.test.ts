import { expect, test } from 'vitest'
import type { Catalog } from './context.ts'
import { translate } from './translate.ts'

const catalog: Catalog = (database, table) =>
  database === 'logs' && table === 'calls'
    ? {
        columns: [
          { name: 'p_event_time', kind: 'timestamp' },
          { name: 'who', kind: 'json' },
          { name: 'n', kind: 'int' },
        ],
      }
    : undefined

const cases: readonly { readonly sql: string; readonly says: readonly string[] }[] = [
  { sql: 'SELECT soundex(n) FROM calls', says: ['the function SOUNDEX'] },
  { sql: 'SELECT soundex(n), h3(n) FROM calls', says: ['the function SOUNDEX', 'the function H3'] },
  {
    sql: 'SELECT n FROM calls MATCH_RECOGNIZE(ORDER BY n PATTERN(a b+) DEFINE a AS n > 1, b AS n > 2)',
    says: ['MATCH_RECOGNIZE'],
  },
  { sql: 'SELECT n FROM logs.later', says: ['the table logs.later: no schema makes it, and no source names its log type'] },
  {
    sql: 'SELECT n FROM panther_lookups.public.list',
    says: ['the table lookups.list: no enabled lookup table has that name'],
  },
  {
    sql: 'SELECT n FROM other.things.here',
    says: ['the table other.things.here: the lake has logs, matches, signals, monitor and lookups'],
  },
  { sql: 'SELECT nope FROM calls', says: ['the column nope: the table logs.calls has none of that name'] },
  { sql: 'SELECT x.n FROM calls', says: ['the name x.n: there is no relation x'] },
  { sql: 'SELECT n:path FROM calls', says: ['`calls`.`n`:path: the value is no nested one but of the kind number'] },
  { sql: 'DELETE FROM calls', says: ['the statement Delete: a query is one SELECT'] },
  { sql: 'SELECT n FROM calls; SELECT 1', says: ['2 statements: a query is one SELECT'] },
  { sql: '-- nothing', says: ['no statement: the text is empty, too long, or holds macros for other queries only'] },
  { sql: "SELECT dateadd(fortnight, 1, '2024-01-01')", says: ['DATEADD with the unit fortnight'] },
  { sql: "SELECT n FROM calls WHERE p_occurs_since('soon')", says: ['p_occurs_since(soon): not a span of time'] },
  { sql: 'SELECT n FROM calls PIVOT(sum(n) FOR n IN (1, 2))', says: ['Pivot in FROM'] },
  { sql: 'SELECT row_number() FROM calls', says: ['ROW_NUMBER without OVER'] },
  { sql: 'WITH RECURSIVE r AS (SELECT 1 AS x) SELECT x FROM r', says: ['WITH RECURSIVE'] },
  { sql: 'SELECT iff(1) FROM calls', says: ['IFF with 1 arguments'] },
  { sql: 'SELECT constructor(1), toString(2) FROM calls', says: ['the function CONSTRUCTOR', 'the function TOSTRING'] },
]

test.each(cases)('$sql is reported as not supported', async ({ sql, says }) => {
  expect(await translate(sql, { from: 'snowflake', catalog })).toMatchObject({ kind: 'unsupported', what: says })
})

test('text that is not SQL is refused with its position', async () => {
  const translation = await translate('SELECT 1 FROM', { from: 'snowflake', catalog })
  expect(translation).toMatchObject({
    kind: 'unsupported',
    what: [expect.stringMatching(/^the text cannot be read: .*EOF|Expected/)],
  })
})

test('missing tables and columns are listed separately, with how they are used', async () => {
  const translation = await translate('SELECT who:a, deep:b:c, flat FROM calls', { from: 'snowflake', catalog })
  expect(translation).toMatchObject({
    missing: [
      { database: 'logs', table: 'calls', column: 'deep', nested: true },
      { database: 'logs', table: 'calls', column: 'flat', nested: false },
    ],
  })
})

const deep = (depth: number) => `SELECT ${'('.repeat(depth)}1${')'.repeat(depth)}`

test.each([
  ['brackets that nest a hundred thousand deep', deep(100_000)],
  ['brackets that nest a thousand deep', deep(1000)],
  ['a text of a megabyte', `SELECT '${'x'.repeat(1_000_000)}'`],
  ['many thousand conditions', `SELECT n FROM calls WHERE ${Array.from({ length: 9000 }, (_, i) => `n = ${i}`).join(' OR ')}`],
  ['an open string', "SELECT 'x"],
  ['an open comment', 'SELECT 1 /* x'],
  ['binary', 'SELECT \u0000\u0001\ud800'],
])('%s is answered, and the next query is not harmed', async (_, sql) => {
  const translation = await translate(sql, { from: 'snowflake', catalog })
  expect(translation.kind).toMatch(/^(ok|unsupported)$/)
  expect(await translate('SELECT n FROM calls', { from: 'snowflake', catalog })).toMatchObject({ kind: 'ok' })
})

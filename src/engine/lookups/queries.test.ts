import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { TableSpec } from '../../model/column.ts'
import type { ScheduledQuery } from '../../model/query.ts'
import { type ChdbLake, createChdbLake } from '../../stages/store/chdb.ts'
import { NOW_PARAM } from '../../stages/store/dialect/translate.ts'
import type { LookupColumn } from '../../stages/store/lookups.ts'
import { stringifyJson } from '../../util/json.ts'
import { translateQuery } from '../queries.ts'
import { lookupSpecs, namesOfLookups } from './names.ts'

/** Queries of existing content that read lookup tables, in Snowflake's SQL. */

const dataDir = mkdtempSync(join(tmpdir(), 'lookup-queries-'))
const LOGINS: TableSpec = {
  database: 'logs',
  table: 'custom_login',
  columns: [
    { name: 'p_event_time', kind: 'timestamp', required: true },
    { name: 'user', kind: 'string' },
  ],
  timeColumn: 'p_event_time',
}
const tables = [
  LOGINS,
  ...lookupSpecs(
    [{ LookupName: 'Threat.Reports' }, { LookupName: 'off', Enabled: false }].map((document) => ({
      name: document.LookupName,
      file: '/x.yml',
      root: '/',
      document,
    })),
  ),
]
let lake: ChdbLake

beforeAll(async () => {
  lake = await createChdbLake({ dataDir, fsync: false })
  await lake.ensure(LOGINS)
  const rows = [
    { user: 'ann', Report: 'r1', families: ['f'], score: 7, actor: { name: 'x' } },
    { user: 'bob', Report: 'r1', families: [], score: 2 },
  ]
  const file = join(dataDir, 'rows.jsonl')
  const store = (version: string, sinceMs: number, own: readonly (typeof rows)[number][]) => {
    writeFileSync(file, own.map((row) => `${JSON.stringify([row.user, stringifyJson(row)])}\n`).join(''))
    return lake.storeLookup({ table: 'Threat.Reports', version, sinceMs, file, about: '{}' })
  }
  await store('v1', Date.parse('2024-01-01T00:00:00Z'), rows.slice(0, 1))
  await store('v2', Date.parse('2024-03-01T00:00:00Z'), rows)
  const columns: LookupColumn[] = [{ name: 'user', kind: 'text' }]
  await lake.showLookups([...namesOfLookups(['Threat.Reports'])].map(([name, each]) => ({ name, ...each, columns })))
}, 60_000)
afterAll(async () => {
  await lake.close()
  rmSync(dataDir, { recursive: true, force: true })
})

const translated = (sql: string) => translateQuery({ sql } as ScheduledQuery, { saved: new Map(), tables })

async function ask(sql: string): Promise<unknown[]> {
  const translation = await translated(sql)
  if (translation.kind !== 'ok') throw new Error(translation.what.join('; '))
  const { rows } = await lake.query(translation.sql, { params: { [NOW_PARAM]: '2024-04-19T12:00:00Z' } })
  return rows.map((row) => JSON.parse(row) as unknown)
}

test.each<[what: string, sql: string, answer: unknown[]]>([
  [
    'groups rows, however long ago they came',
    `SELECT report, COUNT(*) AS n, SUM(score) AS score, ARRAY_AGG(DISTINCT user) WITHIN GROUP (ORDER BY user) AS users
      FROM panther_lookups.public.threat_reports WHERE p_occurs_since('1 day') GROUP BY report`,
    [['"r1"', 2, 9, ['"ann"', '"bob"']]],
  ],
  [
    'reads lists and nested members, in any spelling of the name',
    `SELECT user::string, actor:name::string, ARRAY_SIZE(families) FROM PANTHER_LOOKUPS.PUBLIC."Threat.Reports"
      WHERE families IS NOT NULL AND ARRAY_SIZE(families) > 0`,
    [['ann', 'x', 1]],
  ],
  [
    'joins rows of which there may be none',
    `WITH logins AS (SELECT 'ann' AS name UNION ALL SELECT 'eve')
      SELECT l.name, COALESCE(r.score, 0) AS score FROM logins l
      LEFT JOIN panther_lookups.public.threat_reports r ON l.name = r.user ORDER BY l.name`,
    [
      ['ann', 7],
      ['eve', 0],
    ],
  ],
  [
    'asks what was in force',
    `SELECT user::string FROM lookups.threat_reports_history
      WHERE p_valid_from <= '2024-02-01'::timestamp AND (p_valid_to IS NULL OR p_valid_to > '2024-02-01'::timestamp)`,
    [['ann']],
  ],
])('a query that %s', { timeout: 60_000 }, async (_, sql, answer) => {
  expect(await ask(sql)).toEqual(answer)
})

test('a query of a table that is not there is refused with its name', async () => {
  for (const name of ['off', 'other'])
    expect(await translated(`SELECT 1 FROM panther_lookups.public.${name}`)).toMatchObject({
      kind: 'unsupported',
      what: [`the table lookups.${name}: no enabled lookup table has that name`],
    })
})

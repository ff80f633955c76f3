import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { AlertFilter } from '../model/alert-filter.ts'
import { alertsOfFilter } from './alert-list.ts'
import { openState, type StateDb } from './db.ts'

let folder: string
let db: StateDb

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'caracal-alert-indexes-'))
  db = await openState(folder)
})

afterEach(async () => {
  await db.destroy()
  rmSync(folder, { recursive: true, force: true })
})

async function planOf(query: { compile(): { sql: string; parameters: readonly unknown[] } }): Promise<string[]> {
  const { sql: text, parameters } = query.compile()
  const parts = text.split('?').flatMap((part, at) => (at === 0 ? [sql.raw(part)] : [sql`${parameters[at - 1]}`, sql.raw(part)]))
  const { rows } = await sql<{ detail: string }>`EXPLAIN QUERY PLAN ${sql.join(parts, sql``)}`.execute(db)
  return rows.map(({ detail }) => detail)
}

const FILTERS: readonly AlertFilter[] = [
  {},
  { severities: ['HIGH', 'LOW'], statuses: ['OPEN'] },
  { ruleId: 'A.Rule' },
  { owner: null },
  { quality: 'USEFUL' },
  { sinceMs: 1, untilMs: 2 },
  { muted: 'no', merged: 'no' },
]

test.each(FILTERS)('counts of alerts (%o) read no alert, only an index', async (filter) => {
  const facets = ['severity', 'status', 'rule_id', 'owner'] as const
  const count = alertsOfFilter(db, filter)
    .select(facets)
    .select(({ fn }) => fn.countAll().as('count'))
    .groupBy(facets)
  const plan = await planOf(count)
  expect(plan[0]).toContain('USING COVERING INDEX')
})

test.each(FILTERS)('a list of alerts (%o) is read in the order of an index that has what is filtered', async (filter) => {
  const list = alertsOfFilter(db, filter).selectAll().orderBy('created_ms', 'desc').orderBy('alert_id', 'desc').limit(50)
  const plan = await planOf(list)
  expect(plan).toEqual([expect.stringContaining('USING INDEX alerts_listed')])
})

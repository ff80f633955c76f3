import { expect, test } from 'vitest'
import type { ScheduledQuery } from '../model/query.ts'
import { queryNotices } from './queries.ts'

const QUERY: ScheduledQuery = {
  name: 'Q',
  description: '',
  tags: [],
  sql: 'SELECT user FROM panther_logs.public.custom_login',
  dialect: 'any',
  hasLookback: false,
  file: '/content/q.yml',
  enabled: true,
  schedule: { rateMinutes: 5, timeoutMinutes: 1 },
  email: undefined,
}
const TABLES = [
  { database: 'logs', table: 'custom_login', columns: [{ name: 'user', kind: 'string' }], timeColumn: 'p_event_time' },
] as const

test.each([
  { query: QUERY, says: [] },
  {
    query: { ...QUERY, enabled: false, sql: 'SELECT door FROM panther_logs.public.custom_login' },
    says: [expect.stringMatching(/^\/content\/q\.yml: scheduled_query 'Q' cannot run: .*door/)],
  },
  { query: { ...QUERY, sql: 'SELECT 1; SELECT 2' }, says: [expect.stringContaining('2 statements: a query is one SELECT')] },
  { query: { ...QUERY, sql: "{% import 'gone' f %}{{ f() }}" }, says: [expect.stringContaining('no saved query of that name')] },
  {
    query: { ...QUERY, schedule: { cron: '0 0 30 2 *', timeoutMinutes: 1 } },
    says: [expect.stringContaining("'0 0 30 2 *' describes a time that never occurs")],
  },
])('why a scheduled query cannot run is reported under its name: $says', async ({ query, says }) => {
  expect(await queryNotices({ scheduledQueries: [query], tables: [] }, { saved: new Map(), tables: TABLES })).toEqual(says)
})

test('so is why a query that fills a table cannot run', async () => {
  const table = {
    name: 'seen',
    file: '/content/seen.yml',
    root: '/content',
    document: { Query: 'SELECT door FROM custom_login' },
  }
  const says = await queryNotices({ scheduledQueries: [], tables: [table] }, { saved: new Map(), tables: TABLES })
  expect(says).toEqual([expect.stringMatching(/^\/content\/seen\.yml: lookup_table 'seen' cannot run: .*door/)])
})

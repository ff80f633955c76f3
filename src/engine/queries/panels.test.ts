import { expect, test } from 'vitest'
import type { Panel } from '../../model/dashboard.ts'
import { panelQuery } from './panels.ts'
import type { ContentSearch } from './searches.ts'

const span = { sinceMs: Date.UTC(2024, 3, 19), untilMs: Date.UTC(2024, 3, 20) }
const SQL = 'SELECT count() FROM logs.shop_login WHERE p_event_time >= toDateTime64({since:String}, 9)'

function panel(query: Panel['query']): Panel {
  return { title: 'Logins', kind: 'number', size: 'small', columns: [], query }
}
const saved = (dialect: string) => [{ name: 'Logins', sql: SQL, dialect } as ContentSearch]
const params = { since: '2024-04-19T00:00:00.000Z', until: '2024-04-20T00:00:00.000Z' }

test("a panel's own query and a saved one get the time that the dashboard shows", () => {
  expect(panelQuery(panel({ sql: SQL }), [], span)).toEqual({ sql: SQL, dialect: 'clickhouse', params })
  expect(panelQuery(panel({ search: 'Logins' }), saved('clickhouse'), span)).toEqual({ sql: SQL, dialect: 'clickhouse', params })
})

test("a query in Panther's dialect has no placeholders, and an unknown one does not run", () => {
  expect(panelQuery(panel({ search: 'Logins' }), saved('snowflake'), span)).toEqual({ sql: SQL, dialect: 'snowflake' })
  expect(panelQuery(panel({ search: 'Others' }), saved('clickhouse'), span)).toBeUndefined()
})

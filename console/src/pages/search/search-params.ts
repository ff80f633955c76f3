import type { EventFilter } from './events/event-filter.ts'
import { readFilters } from './events/event-filter.ts'
import { readRange, type TimeRange } from './time-range.ts'

export const TABS = ['events', 'sql', 'indicator', 'saved', 'history'] as const
export type Tab = (typeof TABS)[number]

/** A search, as it is in the page's URL. */
export interface SearchParams extends TimeRange {
  /** Default: what the rest is about. */
  tab?: Tab
  /** Everything that any log says about this. */
  indicator?: string
  /** Not given if it is too long for a URL: then `job` has it. */
  sql?: string
  /** The saved search that it is, or was made from. */
  saved?: string
  /** Absent: by its look. */
  dialect?: 'snowflake'
  /** A query that has run already, whose result is shown. */
  job?: string
  /** Rows of a result at most. */
  most?: number
  /** The column that rows are sorted by; `-name`: from high to low. */
  sort?: string
  /** Log types that are searched. */
  types?: string[]
  where?: EventFilter[]
  /** Occurs in some field. */
  text?: string
  /** Columns that are shown. */
  columns?: string[]
  view?: 'json'
}

const MOST_CHARS = { indicator: 2048, sql: 100_000, sort: 301, text: 2048, saved: 1000 } as const

/** Reads it; what is not understood is left out. */
export function readSearch(given: Record<string, unknown>): SearchParams {
  const search: SearchParams = readRange(given)
  for (const name of ['indicator', 'sql', 'sort', 'text', 'saved'] as const) {
    const value = given[name]
    if (typeof value === 'string' || typeof value === 'number') search[name] = String(value).slice(0, MOST_CHARS[name])
  }
  const { tab, job, most, types, columns, view, dialect } = given
  if (dialect === 'snowflake') search.dialect = dialect
  if (TABS.includes(tab as Tab)) search.tab = tab as Tab
  if (typeof job === 'string' && /^[0-9a-f]{1,24}$/.test(job)) search.job = job
  if (typeof most === 'number' && MOST_ROWS.includes(most)) search.most = most
  if (Array.isArray(types)) search.types = textsOf(types, 100)
  if (Array.isArray(columns)) search.columns = textsOf(columns, 500)
  const where = readFilters(given['where'])
  if (where.length > 0) search.where = where
  if (view === 'json') search.view = view
  return search
}

/** How many rows a query may be asked for. */
export const MOST_ROWS: readonly number[] = [10_000, 100_000, 1_000_000]

export function tabOf({ tab, indicator, sql, job }: SearchParams): Tab {
  if (tab) return tab
  if (indicator !== undefined) return 'indicator'
  return sql === undefined && job === undefined ? 'events' : 'sql'
}

function textsOf(values: readonly unknown[], most: number): string[] {
  return values.filter((value) => typeof value === 'string').slice(0, most)
}

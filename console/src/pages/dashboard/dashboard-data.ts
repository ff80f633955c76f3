import { useQuery } from '@tanstack/react-query'
import { type Answer, ApiProblem, call } from '../../api/client.ts'
import { isOver, takesRange } from '../search/sql/query-run.ts'
import type { PanelData } from './panel-data.ts'
import { inTurn } from './turns.ts'

export type Dashboard = Answer<'GET /api/v1/dashboards/{name}'>
export type Panel = Dashboard['panels'][number]

export interface Times {
  /** RFC 3339. */
  readonly since: string
  readonly until: string
}

/** Rows that a panel reads. */
const MOST_ROWS = 2000
const PAGE = 500
const WAIT_MS = 5000

export interface PanelResult extends PanelData {
  /** The query that found it. */
  readonly id: string
  readonly sql: string
}

export function useDashboard(name: string) {
  return useQuery({
    queryKey: ['dashboards', 'one', name],
    queryFn: ({ signal }) => call('GET /api/v1/dashboards/{name}', { path: { name }, signal }),
    retry: (failures, error) => failures < 3 && !(error instanceof ApiProblem && error.status === 404),
  })
}

/** Which panel of a saved dashboard it is. */
export interface PanelPlace {
  readonly name: string
  readonly at: number
}

/** What a panel's query finds. `round` counts how often the page was refreshed. A panel without a place is not saved yet. */
export function usePanel({ search, sql, columns }: Panel, times: Times, round: number, place?: PanelPlace) {
  return useQuery({
    queryKey: ['panel', search, sql, columns, times, round, place],
    queryFn: ({ signal }) => inTurn(() => result(() => start(search, sql, times, place), signal), signal),
    select: (found) => withColumns(found, columns),
    // The last result stays until there is a newer one.
    placeholderData: (before, query) => (query?.queryKey[1] === search && query?.queryKey[2] === sql ? before : undefined),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
    retry: (failures, error) => failures < 5 && error instanceof ApiProblem && error.status === 429,
    refetchOnWindowFocus: false,
  })
}

async function result(begin: () => Promise<{ readonly id: string }>, signal: AbortSignal): Promise<PanelResult> {
  const { id } = await begin()
  let job = await call('GET /api/v1/queries/{id}', { path: { id }, query: { wait_ms: WAIT_MS }, signal })
  while (!isOver(job)) job = await call('GET /api/v1/queries/{id}', { path: { id }, query: { wait_ms: WAIT_MS }, signal })
  if (job.state !== 'done') throw new Error(job.error ?? `The query was ${job.state}.`)
  const rows: (readonly unknown[])[] = []
  for (let cursor: string | undefined = '0'; cursor !== undefined && rows.length < MOST_ROWS; ) {
    const page: Answer<'GET /api/v1/queries/{id}/rows'> = await call('GET /api/v1/queries/{id}/rows', {
      path: { id },
      query: { limit: PAGE, cursor },
      signal,
    })
    rows.push(...page.rows)
    cursor = page.next ?? undefined
  }
  return { id, sql: job.sql, columns: job.columns ?? [], rows }
}

function start(search: string | null, sql: string | null, times: Times, place?: PanelPlace): Promise<{ readonly id: string }> {
  if (place) {
    const body = { panel: place.at, since: times.since, until: times.until, max_rows: MOST_ROWS }
    return call('POST /api/v1/dashboards/{name}/run', { path: { name: place.name }, body })
  }
  if (search !== null)
    return call('POST /api/v1/searches/{name}/run', { path: { name: search }, body: { max_rows: MOST_ROWS, ...times } })
  const text = sql ?? ''
  const params = takesRange(text) ? { since: times.since, until: times.until } : undefined
  return call('POST /api/v1/queries', { body: { sql: text, max_rows: MOST_ROWS, ...(params && { params }) } })
}

/** Only the columns that a panel names, in its order. */
export function withColumns<T extends PanelData>(found: T, names: readonly string[]): T {
  const places = names.map((name) => found.columns.findIndex((column) => column.name === name)).filter((place) => place >= 0)
  if (places.length === 0) return found
  return { ...found, columns: places.map((i) => found.columns[i]!), rows: found.rows.map((row) => places.map((i) => row[i])) }
}

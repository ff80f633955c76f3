import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type Answer, ApiProblem, call } from '../../../api/client.ts'
import { type TimeRange, timesOf } from '../time-range.ts'

export type QueryJob = Answer<'GET /api/v1/queries/{id}'>

export interface SqlRun {
  readonly sql: string
  /** Rows at most. */
  readonly most: number
  readonly sort: string | undefined
  /** A query that has run already. If it is not there any more, the text is run. */
  readonly job: string | undefined
  readonly dialect: 'snowflake' | undefined
  /** The time that is chosen, for `{since:String}` and `{until:String}` in the text. */
  readonly range: TimeRange
}

/** How long the server waits for the end before it says how far a query is. */
const WAIT_MS = 700

export function isOver({ state }: QueryJob): boolean {
  return state !== 'waiting' && state !== 'running'
}

/** Runs a query as a job, and follows it until it has ended. */
export function useQueryRun(run: SqlRun | undefined) {
  const client = useQueryClient()
  const start = useQuery({
    queryKey: ['run', run],
    queryFn: ({ signal }) => begin(run!, signal),
    enabled: run !== undefined,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 600_000,
    retry: false,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  })
  const id = start.isFetching ? undefined : start.data
  const job = useJob(id)
  const cancel = useMutation({
    mutationFn: (id: string) => call('POST /api/v1/queries/{id}/cancel', { path: { id } }),
    onSuccess: (after) => {
      client.setQueryData(['queries', 'one', after.id], after)
      void client.invalidateQueries({ queryKey: ['queries', 'list'] })
    },
  })
  return {
    job: id === undefined ? undefined : job.data,
    error: start.error ?? job.error ?? cancel.error,
    isRunning: start.isFetching || (id !== undefined && job.data !== undefined && !isOver(job.data)),
    again: () => void start.refetch(),
    cancel: () => id !== undefined && cancel.mutate(id),
  }
}

/** A query of the caller, followed until it has ended. */
export function useJob(id: string | undefined) {
  const client = useQueryClient()
  return useQuery({
    queryKey: ['queries', 'one', id],
    queryFn: async ({ signal }) => {
      // At first without waiting: short queries are over, and of long ones it is said at once that they run.
      const isFirst = client.getQueryData(['queries', 'one', id]) === undefined
      const query = { wait_ms: isFirst ? 100 : WAIT_MS }
      return call('GET /api/v1/queries/{id}', { path: { id: id! }, query, signal })
    },
    enabled: id !== undefined,
    refetchInterval: ({ state }) => (state.data && isOver(state.data) ? false : 50),
    refetchIntervalInBackground: true,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 600_000,
  })
}

async function begin({ sql, most, sort, job, dialect, range }: SqlRun, signal: AbortSignal): Promise<string> {
  if (job !== undefined && sort === undefined) {
    try {
      const known = await call('GET /api/v1/queries/{id}', { path: { id: job }, signal })
      if (known.has_result || !isOver(known)) return job
    } catch (error) {
      // It may be somebody else's, or too old: then the text is run.
      if (!(error instanceof ApiProblem && error.status === 404)) throw error
    }
  }
  const params = takesRange(sql) ? timesOf(range, Date.now()) : undefined
  const body = { sql: sorted(sql, sort), max_rows: most, ...(dialect && { dialect }), ...(params && { params }) }
  const { id } = await call('POST /api/v1/queries', { body })
  return id
}

/** Whether a query has the placeholders of the time that is chosen. */
export function takesRange(sql: string): boolean {
  return /\{(?:since|until)\s*:/.test(sql)
}

/** The query with its rows in another order. The lake sorts, since it has all of them. */
export function sorted(sql: string, sort: string | undefined): string {
  if (sort === undefined) return sql
  const isDown = sort.startsWith('-')
  const name = (isDown ? sort.slice(1) : sort).replaceAll('\\', '\\\\').replaceAll('"', '\\"')
  // On a line of its own, so that a comment at the end does not hide the rest.
  return `SELECT * FROM (\n${sql.replace(/[\s;]+$/, '')}\n) ORDER BY "${name}"${isDown ? ' DESC' : ''}`
}

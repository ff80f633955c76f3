import { Anchor, Button, Group } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { call, type Item } from '../../../api/client.ts'
import { announce } from '../../../parts/announce.tsx'
import { type Column, DataTable } from '../../../parts/data-table.tsx'
import { Empty } from '../../../parts/empty.tsx'
import { Failure } from '../../../parts/failure.tsx'
import { number } from '../../../parts/number.ts'
import { StateMark, type StateTone } from '../../../parts/state.tsx'
import { When } from '../../../parts/when.tsx'
import classes from './query-history.module.css'

type PastQuery = Item<'GET /api/v1/queries'>

/** A longer text is that of the query itself. */
const MOST_URL_CHARS = 2000

const TONES: Readonly<Record<PastQuery['state'], StateTone>> = {
  waiting: 'off',
  running: 'warn',
  done: 'good',
  failed: 'bad',
  cancelled: 'off',
}

const COLUMNS: readonly Column<PastQuery>[] = [
  { name: 'Started', value: ({ created_time }) => created_time, show: ({ created_time }) => <When time={created_time} /> },
  { name: 'Query', show: (query) => <Text query={query} /> },
  { name: 'State', value: ({ state }) => state, show: ({ state }) => <StateMark tone={TONES[state]}>{state}</StateMark> },
  { name: 'Rows', value: ({ rows }) => rows, show: ({ rows }) => (rows === null ? '–' : number(rows)), isNumber: true },
  {
    name: 'ms',
    value: ({ elapsed_ms }) => elapsed_ms,
    show: ({ elapsed_ms }) => number(Math.round(elapsed_ms)),
    isNumber: true,
  },
  { name: ' ', show: (query) => <Actions query={query} /> },
]

/** The queries of the account, newest first. */
export function QueryHistory() {
  const queries = useQuery({
    queryKey: ['queries', 'list'],
    queryFn: ({ signal }) => call('GET /api/v1/queries', { query: { limit: 200 }, signal }),
    refetchInterval: 5000,
    staleTime: 0,
  })
  if (queries.error) return <Failure error={queries.error} onRetry={() => void queries.refetch()} />
  return (
    <DataTable
      columns={COLUMNS}
      rows={queries.data?.results}
      isCut={typeof queries.data?.next === 'string'}
      keyOf={({ id }) => id}
      empty={<Empty title="No queries yet">What you run under “SQL” is listed here for a month.</Empty>}
    />
  )
}

function Text({ query: { id, sql, has_result, error } }: { readonly query: PastQuery }) {
  return (
    <>
      <Anchor
        className={`${classes['sql']} mono foreign`}
        title={sql.slice(0, 2000)}
        renderRoot={(props) => (
          <Link
            to="/search"
            search={{
              tab: 'sql',
              ...(sql.length < MOST_URL_CHARS && { sql }),
              ...((has_result || sql.length >= MOST_URL_CHARS) && { job: id }),
            }}
            {...props}
          />
        )}
      >
        {sql.slice(0, 300)}
      </Anchor>
      {error !== null && <div className={classes['error']}>{error}</div>}
    </>
  )
}

function Actions({ query: { id, state } }: { readonly query: PastQuery }) {
  const client = useQueryClient()
  const isRunning = state === 'running' || state === 'waiting'
  const act = useMutation<unknown>({
    mutationFn: () =>
      isRunning
        ? call('POST /api/v1/queries/{id}/cancel', { path: { id } })
        : call('DELETE /api/v1/queries/{id}', { path: { id } }),
    onError: (error) => announce(error.message),
    onSettled: () => client.invalidateQueries({ queryKey: ['queries', 'list'] }),
  })
  return (
    <Group justify="flex-end">
      <Button size="compact-xs" variant="default" loading={act.isPending} onClick={() => act.mutate()}>
        {isRunning ? 'Cancel' : 'Forget'}
      </Button>
    </Group>
  )
}

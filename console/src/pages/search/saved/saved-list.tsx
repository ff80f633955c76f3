import { Anchor, Badge, Button, Group, Text } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { call } from '../../../api/client.ts'
import { announce } from '../../../parts/announce.tsx'
import { type Column, DataTable } from '../../../parts/data-table.tsx'
import { Empty } from '../../../parts/empty.tsx'
import { Failure } from '../../../parts/failure.tsx'
import { counted, number } from '../../../parts/number.ts'
import { StateMark } from '../../../parts/state.tsx'
import { When } from '../../../parts/when.tsx'
import { useSession } from '../../../session/session.tsx'
import { type SavedSearch, useSavedSearches } from './saved-data.ts'
import { linkOf } from './saved-link.ts'

const COLUMNS: readonly Column<SavedSearch>[] = [
  { name: 'Name', value: ({ name }) => name.toLowerCase(), show: (search) => <Name search={search} /> },
  {
    name: 'Schedule (UTC)',
    value: ({ schedule }) => schedule,
    show: ({ schedule, runs }) =>
      schedule === null ? '–' : <StateMark tone={runs ? 'good' : 'off'}>{runs ? schedule : `${schedule}, off`}</StateMark>,
  },
  {
    name: 'Last run',
    value: ({ last_run, last_time }) => last_run?.time ?? last_time,
    show: (search) => <LastRun search={search} />,
  },
  {
    name: 'Next run',
    value: ({ runs, next_time }) => (runs ? next_time : null),
    show: ({ runs, next_time }) => (!runs || next_time === null ? '–' : <When time={next_time} />),
  },
  { name: 'Rules', value: ({ rules }) => rules.join(' '), show: ({ rules }) => <Rules rules={rules} /> },
  { name: ' ', show: (search) => <Actions search={search} /> },
]

/** Saved and scheduled queries, shipped ones too. */
export function SavedList() {
  const { may } = useSession()
  const searches = useSavedSearches()
  if (!may('content:read'))
    return <Empty title="Not for this account">Saved searches are content, which this account may not read.</Empty>
  if (searches.error) return <Failure error={searches.error} onRetry={() => void searches.refetch()} />
  return (
    <DataTable
      columns={COLUMNS}
      rows={searches.data}
      keyOf={({ name }) => name}
      minWidth={960}
      empty={
        <Empty title="Nothing is saved yet">“Save…” under “Events” and “SQL” keeps a search, and can run it by a schedule.</Empty>
      }
    />
  )
}

function Name({ search }: { readonly search: SavedSearch }) {
  const { name, description, read_only, tags } = search
  return (
    <>
      <Anchor fw={600} className="foreign" renderRoot={(props) => <Link to="/search" search={linkOf(search)} {...props} />}>
        {name}
      </Anchor>{' '}
      {read_only !== null && (
        <Badge size="xs" variant="default" title={read_only}>
          read only
        </Badge>
      )}
      <Text size="sm" c="dimmed" className="foreign" lineClamp={2}>
        {description || tags.join(', ')}
      </Text>
    </>
  )
}

/** When a scheduled query ran last, and the outcome. */
function LastRun({ search: { schedule, last_time, last_run: run } }: { readonly search: SavedSearch }) {
  if (run === null)
    return schedule === null || last_time === null ? (
      '–'
    ) : (
      <>
        <When time={last_time} as="age" /> ago
      </>
    )
  return (
    <>
      <When time={run.time} as="age" /> ago{' '}
      {run.error === null ? (
        <Text size="sm" c="dimmed">
          {counted(run.rows, 'row')}
          {run.truncated && ', cut'}, {counted(run.matches, 'match', 'matches')}, {number(run.ms)} ms
        </Text>
      ) : (
        <Text size="sm" c="var(--severity-critical)" className="foreign" lineClamp={3} title={run.error}>
          {run.error}
        </Text>
      )}
    </>
  )
}

function Rules({ rules }: { readonly rules: readonly string[] }) {
  if (rules.length === 0) return '–'
  return rules.map((id) => (
    <div key={id}>
      <Anchor renderRoot={(props) => <Link to="/detections/$ruleId" params={{ ruleId: id }} {...props} />}>{id}</Anchor>
    </div>
  ))
}

function Actions({ search }: { readonly search: SavedSearch }) {
  const { name, sql, read_only, runs } = search
  const { may } = useSession()
  const navigate = useNavigate()
  const client = useQueryClient()
  const run = useMutation({
    mutationFn: () => call('POST /api/v1/searches/{name}/run', { path: { name }, body: {} }),
    onSuccess: ({ id }) => void navigate({ to: '/search', search: { ...linkOf(search), job: id } }),
    onError: (error) => announce(error.message),
  })
  const judge = useMutation({
    mutationFn: () => call('POST /api/v1/searches/{name}/judge', { path: { name } }),
    onSuccess: ({ error, rows, matches }) =>
      announce(
        error === null
          ? `Ran ${name}: ${counted(rows, 'row')}, ${counted(matches, 'match', 'matches')}`
          : `${name} has failed: ${error}`,
      ),
    onError: (error) => announce(error.message),
    onSettled: () => client.invalidateQueries({ queryKey: ['searches'] }),
  })
  const remove = useMutation({
    mutationFn: async () => {
      const { source, schedule_keys, description, tags, dialect, enabled, email } = await call('GET /api/v1/searches/{name}', {
        path: { name },
      })
      await call('DELETE /api/v1/searches/{name}', { path: { name }, query: { revision: source.revision } })
      const schedule = schedule_keys && {
        timeout_minutes: schedule_keys.timeout_minutes,
        ...(schedule_keys.cron === null ? { rate_minutes: schedule_keys.rate_minutes! } : { cron: schedule_keys.cron }),
      }
      return { name, sql, description, tags, dialect, enabled, schedule, email }
    },
    onSuccess: (before) =>
      announce(`Deleted ${name}`, () => {
        void call('POST /api/v1/searches', { body: before })
          .catch((error: Error) => announce(error.message))
          .finally(() => void client.invalidateQueries({ queryKey: ['searches'] }))
      }),
    onError: (error) => announce(error.message),
    onSettled: () => client.invalidateQueries({ queryKey: ['searches'] }),
  })
  return (
    <Group gap="xs" justify="flex-end" wrap="nowrap">
      {runs && may('replays:run') && (
        <Button
          size="compact-xs"
          variant="default"
          loading={judge.isPending}
          onClick={() => judge.mutate()}
          title="Runs it for the time until now; its rules judge the rows and may raise alerts"
          aria-label={`Run now: ${name}`}
        >
          Run now
        </Button>
      )}
      <Button
        size="compact-xs"
        variant="default"
        loading={run.isPending}
        onClick={() => run.mutate()}
        title="Runs it and shows its rows; no rule judges them"
        aria-label={`Show rows of ${name}`}
      >
        Show rows
      </Button>
      {may('content:change') && read_only === null && (
        <Button
          size="compact-xs"
          variant="default"
          loading={remove.isPending}
          onClick={() => remove.mutate()}
          aria-label={`Delete ${name}`}
        >
          Delete
        </Button>
      )}
    </Group>
  )
}

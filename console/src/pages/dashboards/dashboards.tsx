import { Anchor, Badge, Button, Group, Text } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { call } from '../../api/client.ts'
import { announce } from '../../parts/announce.tsx'
import { DataPage } from '../../parts/data-page.tsx'
import { type Column, DataTable } from '../../parts/data-table.tsx'
import { Empty } from '../../parts/empty.tsx'
import { Failure } from '../../parts/failure.tsx'
import { number } from '../../parts/number.ts'
import { useSession } from '../../session/session.tsx'
import { useDashboard } from '../dashboard/dashboard-data.ts'
import { DashboardEditor } from '../dashboard/dashboard-editor.tsx'

const route = getRouteApi('/dashboards')

type Listed = Awaited<ReturnType<typeof dashboards>>[number]

async function dashboards(signal: AbortSignal) {
  return (await call('GET /api/v1/dashboards', { signal })).results
}

const COLUMNS: readonly Column<Listed>[] = [
  { name: 'Dashboard', value: ({ name }) => name.toLowerCase(), show: (dashboard) => <Name dashboard={dashboard} /> },
  { name: 'Panels', value: ({ panels }) => panels, show: ({ panels }) => number(panels), isNumber: true },
  { name: ' ', show: (dashboard) => <Actions dashboard={dashboard} /> },
]

export function Dashboards() {
  const { create, copy } = route.useSearch()
  const navigate = route.useNavigate()
  const close = () => void navigate({ search: {} })
  if (copy !== undefined) return <Copy name={copy} onClose={close} />
  if (create) return <DashboardEditor onClose={close} />
  return <List />
}

function List() {
  const { may } = useSession()
  const found = useQuery({ queryKey: ['dashboards', 'list'], queryFn: ({ signal }) => dashboards(signal) })
  if (found.error) return <Failure error={found.error} onRetry={() => void found.refetch()} />
  return (
    <DataPage
      title="Dashboards"
      aside={
        may('content:change') && (
          <Button size="xs" renderRoot={(props) => <Link to="/dashboards" search={{ create: true }} {...props} />}>
            New dashboard
          </Button>
        )
      }
    >
      <DataTable
        columns={COLUMNS}
        rows={found.data}
        keyOf={({ name }) => name}
        minWidth={480}
        empty={<Empty title="No dashboards yet">“New dashboard” makes one from saved searches or from SQL.</Empty>}
      />
    </DataPage>
  )
}

/** A new dashboard with the panels of another one. */
function Copy({ name, onClose }: { readonly name: string; onClose(): void }) {
  const dashboard = useDashboard(name)
  if (dashboard.error) return <Failure error={dashboard.error} />
  return dashboard.data ? <DashboardEditor model={dashboard.data} onClose={onClose} /> : null
}

function Name({ dashboard: { name, description, read_only } }: { readonly dashboard: Listed }) {
  return (
    <>
      <Anchor fw={600} className="foreign" renderRoot={(props) => <Link to="/dashboards/$name" params={{ name }} {...props} />}>
        {name}
      </Anchor>{' '}
      {read_only !== null && (
        <Badge size="xs" variant="default" title={read_only}>
          read only
        </Badge>
      )}
      <Text size="sm" c="dimmed" className="foreign" lineClamp={2}>
        {description}
      </Text>
    </>
  )
}

function Actions({ dashboard: { name, read_only } }: { readonly dashboard: Listed }) {
  const { may } = useSession()
  const client = useQueryClient()
  const refresh = () => client.invalidateQueries({ queryKey: ['dashboards'] })
  const remove = useMutation({
    mutationFn: async () => {
      const before = await call('GET /api/v1/dashboards/{name}', { path: { name } })
      await call('DELETE /api/v1/dashboards/{name}', { path: { name }, query: { revision: before.source.revision } })
      return before
    },
    onSuccess: ({ description, tags, hours, refresh_seconds, panels }) =>
      announce(`Deleted ${name}`, () => {
        const kept = panels.map(({ search, sql, ...panel }) => ({
          ...panel,
          ...(search === null ? { sql: sql ?? '' } : { search }),
        }))
        void call('POST /api/v1/dashboards', { body: { name, description, tags, hours, refresh_seconds, panels: kept } })
          .catch((error: Error) => announce(error.message))
          .finally(() => void refresh())
      }),
    onError: (error) => announce(error.message),
    onSettled: refresh,
  })
  if (!may('content:change')) return null
  return (
    <Group gap="xs" justify="flex-end" wrap="nowrap">
      <Button
        size="compact-xs"
        variant="default"
        aria-label={`Copy ${name}`}
        renderRoot={(props) => <Link to="/dashboards" search={{ copy: name }} {...props} />}
      >
        Copy
      </Button>
      {read_only === null && (
        <Button
          size="compact-xs"
          variant="default"
          aria-label={`Delete ${name}`}
          loading={remove.isPending}
          onClick={() => remove.mutate()}
        >
          Delete
        </Button>
      )}
    </Group>
  )
}

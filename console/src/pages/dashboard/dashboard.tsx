import { Button, Group, Text } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useEffect, useMemo, useState } from 'react'
import { DataPage } from '../../parts/data-page.tsx'
import { Failure } from '../../parts/failure.tsx'
import { useSession } from '../../session/session.tsx'
import { rangeOf, type TimeRange, timesOf } from '../search/time-range.ts'
import { TimeRangePicker } from '../search/time-range-picker.tsx'
import { type Dashboard, useDashboard } from './dashboard-data.ts'
import { DashboardEditor } from './dashboard-editor.tsx'
import classes from './panel.module.css'
import { PanelCard } from './panel-card.tsx'

const route = getRouteApi('/dashboards/$name')

export function DashboardPage() {
  const { name } = route.useParams()
  const dashboard = useDashboard(name)
  const [isEditing, setIsEditing] = useState(false)
  const client = useQueryClient()
  if (dashboard.error) return <Failure error={dashboard.error} onRetry={() => void dashboard.refetch()} />
  if (!dashboard.data) return <DataPage title={name}>{null}</DataPage>
  if (isEditing)
    return (
      <DashboardEditor
        before={dashboard.data}
        onClose={() => {
          setIsEditing(false)
          void client.invalidateQueries({ queryKey: ['dashboards'] })
        }}
      />
    )
  return <View dashboard={dashboard.data} onEdit={() => setIsEditing(true)} />
}

function View({ dashboard, onEdit }: { readonly dashboard: Dashboard; onEdit(): void }) {
  const { name, description, panels, hours, refresh_seconds, read_only } = dashboard
  const { may } = useSession()
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const [round, setRound] = useState(0)
  useRefresh(refresh_seconds, () => setRound((before) => before + 1))
  const range: TimeRange = search.since === undefined ? { since: `${hours}h`, ...rangeOf(search) } : rangeOf(search)
  const { since, until } = range
  // biome-ignore lint/correctness/useExhaustiveDependencies(round): a refresh moves a span.
  const times = useMemo(
    () => timesOf({ since: since!, ...(until !== undefined && { until }) }, Date.now()),
    [since, until, round],
  )
  return (
    <DataPage
      title={name}
      aside={
        <Group gap="xs">
          <TimeRangePicker range={range} onChange={(next) => void navigate({ search: next })} />
          <Button size="xs" variant="default" onClick={() => setRound(round + 1)}>
            Refresh
          </Button>
          {may('content:change') &&
            (read_only === null ? (
              <Button size="xs" variant="default" onClick={onEdit}>
                Edit
              </Button>
            ) : (
              <Button
                size="xs"
                variant="default"
                title={read_only}
                renderRoot={(props) => <Link to="/dashboards" search={{ copy: name }} {...props} />}
              >
                Copy
              </Button>
            ))}
        </Group>
      }
    >
      {description !== '' && (
        <Text c="dimmed" className="foreign">
          {description}
        </Text>
      )}
      <div className={classes['grid']}>
        {panels.map((panel, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: two panels may be the same.
          <PanelCard key={i} panel={panel} times={times} round={round} place={{ name, at: i }} />
        ))}
      </div>
    </DataPage>
  )
}

/** Calls `refresh` at this interval, in seconds, while the page is visible. 0: never. */
function useRefresh(seconds: number, refresh: () => void): void {
  // biome-ignore lint/correctness/useExhaustiveDependencies(refresh): it does not change what it does.
  useEffect(() => {
    if (seconds === 0) return
    const timer = setInterval(() => {
      if (!document.hidden) refresh()
    }, seconds * 1000)
    return () => clearInterval(timer)
  }, [seconds])
}

import { Anchor, Button, Loader, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { Empty } from '../../parts/empty.tsx'
import { EventCard } from '../../parts/event-card.tsx'
import { Failure } from '../../parts/failure.tsx'
import { number } from '../../parts/number.ts'
import { SeverityMark } from '../../parts/severity.tsx'
import { type IndicatorTimeline, useIndicatorTimeline } from './indicator-data.ts'
import classes from './indicator-timeline.module.css'

interface IndicatorTimelineProps {
  readonly indicator: string
  readonly since: string
  readonly until?: string
}

export function IndicatorTimelineView({ indicator, since, until }: IndicatorTimelineProps) {
  const timeline = useIndicatorTimeline(indicator, since, until)
  if (timeline.error) return <Failure error={timeline.error} onRetry={() => void timeline.refetch()} />
  if (!timeline.data) return <Loader size="sm" aria-label="Searching" />
  const events = timeline.data.pages.flatMap(({ results }) => results)
  const overview = timeline.data.pages[0]?.overview
  if (events.length === 0) return <Empty title="No log mentions it in this time">Choose a longer span of time.</Empty>
  return (
    <>
      {overview && <Overview overview={overview} />}
      {events.map(({ row_id, event }) => (
        <EventCard key={row_id} event={event} />
      ))}
      {timeline.hasNextPage && (
        <Button
          size="xs"
          variant="default"
          mt="sm"
          loading={timeline.isFetchingNextPage}
          onClick={() => void timeline.fetchNextPage()}
        >
          Show older events
        </Button>
      )}
    </>
  )
}

function Overview({ overview }: { readonly overview: NonNullable<IndicatorTimeline['overview']> }) {
  const byLogType = new Map<string, number>()
  for (const { log_type, events } of overview.counts) byLogType.set(log_type, (byLogType.get(log_type) ?? 0) + events)
  const most = Math.max(...byLogType.values())
  return (
    <div className={classes['overview']}>
      <ul className={classes['counts']}>
        {[...byLogType].map(([logType, events]) => (
          <li key={logType}>
            <span>{logType}</span>
            <span className={classes['bar']}>
              <span style={{ width: `${(100 * events) / most}%` }} />
            </span>
            <span className={classes['number']}>{number(events)}</span>
          </li>
        ))}
      </ul>
      {overview.alerts.length > 0 && (
        <ul className={classes['alerts']}>
          {overview.alerts.map(({ alert_id, severity, title }) => (
            <li key={alert_id}>
              <SeverityMark severity={severity} />{' '}
              <Anchor
                className="foreign"
                renderRoot={(props) => <Link to="/alerts/$alertId" params={{ alertId: alert_id }} {...props} />}
              >
                {title}
              </Anchor>
            </li>
          ))}
          {overview.alerts_cut && <Text c="dimmed">and more</Text>}
        </ul>
      )}
    </div>
  )
}

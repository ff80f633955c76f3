import { Anchor, SimpleGrid, Skeleton, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { lazy, type ReactNode, Suspense } from 'react'
import { call } from '../../api/client.ts'
import { Section } from '../../parts/section.tsx'
import { label, SEVERITIES } from '../../parts/severity.tsx'
import type { ChartSeries } from '../../parts/time-chart.tsx'
import { useSession } from '../../session/session.tsx'
import { type Bar, type Bars, barsOf } from '../search/events/bars.ts'

const TimeChart = lazy(() => import('../../parts/time-chart.tsx'))

const HEIGHT = 110
/** Of the chart with its legend. */
const WHOLE_HEIGHT = HEIGHT + 22
const DAY_MS = 86_400_000
const STEP_SECONDS = 1800
const EVERY_MS = 60_000

const MATCHES_SQL = `SELECT p_rule_severity, toStartOfInterval(p_event_time, INTERVAL ${STEP_SECONDS} SECOND, 'UTC') AS start, count()
FROM matches.all WHERE p_event_time >= {since:DateTime64(3)} AND p_event_time < {until:DateTime64(3)} GROUP BY 1, 2 ORDER BY 2`

/** Events and matches of the last day. */
export function Activity() {
  const { may } = useSession()
  if (!may('events:read')) return null
  return (
    <SimpleGrid cols={{ base: 1, md: 2 }} spacing="xl">
      <Events />
      <Matches />
    </SimpleGrid>
  )
}

function Events() {
  const events = useQuery({
    queryKey: ['overview', 'events'],
    queryFn: async ({ signal }) => {
      const { since, until } = lastDay()
      const { histogram } = await call('POST /api/v1/search', { body: { since, until, limit: 1 }, signal })
      const bars = (histogram?.bars ?? []).map(({ log_type, ...bar }) => ({ name: log_type, ...bar }))
      return {
        step: histogram?.step_seconds ?? STEP_SECONDS,
        ...barsOf(bars, histogram?.step_seconds ?? STEP_SECONDS, since, until),
      }
    },
    refetchInterval: EVERY_MS,
  })
  return (
    <Section
      title="Events of the last day"
      aside={
        <Anchor renderRoot={(props) => <Link to="/search" search={{ tab: 'events', since: '24h' }} {...props} />}>
          Search them
        </Anchor>
      }
    >
      <Chart title="Events of the last day" data={events.data} error={events.error} none="No log has an event of the last day." />
    </Section>
  )
}

function Matches() {
  const matches = useQuery({
    queryKey: ['overview', 'matches'],
    queryFn: async ({ signal }) => {
      const { since, until } = lastDay()
      const params = { since: since.replace('T', ' ').slice(0, -1), until: until.replace('T', ' ').slice(0, -1) }
      const { rows } = await call('POST /api/v1/query', { body: { sql: MATCHES_SQL, params }, signal })
      const bars = rows.map(
        ([severity, start, events]): Bar => ({ name: String(severity), start: String(start), events: Number(events) }),
      )
      const { times, series } = barsOf(bars, STEP_SECONDS, since, until)
      const order = (name: string) => (SEVERITIES as readonly string[]).indexOf(name)
      const sorted = series
        .toSorted((a, b) => order(a.name) - order(b.name))
        .map(({ name, values }) => ({ name: label(name), values, colour: `--severity-${name.toLowerCase()}` }))
      return { step: STEP_SECONDS, times, series: sorted }
    },
    refetchInterval: EVERY_MS,
  })
  return (
    <Section
      title="Matches of the last day"
      aside={
        <Anchor component={Link} to="/alerts">
          Alerts
        </Anchor>
      }
    >
      <Chart
        title="Matches of the last day"
        data={matches.data}
        error={matches.error}
        none="No rule has matched an event of the last day."
      />
    </Section>
  )
}

interface ChartProps {
  readonly title: string
  readonly data: (Bars & { readonly step: number }) | undefined
  readonly error: Error | null
  readonly none: string
}

function Chart({ title, data, error, none }: ChartProps) {
  if (error) return <Placed>{error.message}</Placed>
  if (!data) return <Skeleton height={WHOLE_HEIGHT} />
  if (data.series.length === 0) return <Placed>{none}</Placed>
  return (
    <Suspense fallback={<Skeleton height={WHOLE_HEIGHT} />}>
      <TimeChart
        label={title}
        kind="bars"
        times={data.times}
        series={data.series as ChartSeries[]}
        stepSeconds={data.step}
        height={HEIGHT}
      />
    </Suspense>
  )
}

/** Text as high as a chart, so that nothing below it moves. */
function Placed({ children }: { readonly children: ReactNode }) {
  return (
    <Text c="dimmed" mih={WHOLE_HEIGHT}>
      {children}
    </Text>
  )
}

function lastDay(): { since: string; until: string } {
  const now = Date.now()
  return { since: new Date(now - DAY_MS).toISOString(), until: new Date(now).toISOString() }
}

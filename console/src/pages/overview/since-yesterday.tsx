import { Anchor, Skeleton } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { call } from '../../api/client.ts'
import { number } from '../../parts/number.ts'
import { Section } from '../../parts/section.tsx'
import { useSession } from '../../session/session.tsx'
import { ContentChanges } from './content-changes.tsx'
import classes from './watch.module.css'

const DAY_MS = 86_400_000
const EVERY = { refetchInterval: 60_000 }

/** What is different from a day ago. */
export function SinceYesterday() {
  const { may } = useSession()
  return (
    <Section title="Since yesterday">
      <ul className={classes['lines']}>
        <NewAlerts />
        {may('content:read') && (
          <ContentChanges since={() => ago(1)} {...EVERY} line={(what, value) => <Line what={what}>{value}</Line>} />
        )}
        {may('tables:read') && <RefreshedTables />}
      </ul>
    </Section>
  )
}

function Line({ what, children }: { readonly what: ReactNode; readonly children: ReactNode }) {
  return (
    <li>
      {what}
      <span>{children}</span>
    </li>
  )
}

function ago(days: number): string {
  return new Date(Date.now() - days * DAY_MS).toISOString()
}

function NewAlerts() {
  const counts = useQuery({
    queryKey: ['overview', 'alerts'],
    queryFn: async ({ signal }) => {
      const [since, before] = [ago(1), ago(2)]
      const [now, then] = await Promise.all([
        call('GET /api/v1/alerts/counts', { query: { since }, signal }),
        call('GET /api/v1/alerts/counts', { query: { since: before, until: since }, signal }),
      ])
      return { now: now.total, earlier: then.total, since }
    },
    ...EVERY,
  })
  if (!counts.data) return <Skeleton height={24} component="li" />
  const { now, earlier, since } = counts.data
  return (
    <Line
      what={
        <Anchor c="inherit" renderRoot={(props) => <Link to="/alerts" search={{ since }} {...props} />}>
          New alerts
        </Anchor>
      }
    >
      {number(now)}, {number(earlier)} the day before
    </Line>
  )
}

function RefreshedTables() {
  const tables = useQuery({
    queryKey: ['overview', 'tables'],
    queryFn: ({ signal }) => call('GET /api/v1/tables', { query: { limit: 500 }, signal }),
    ...EVERY,
  })
  if (!tables.data) return <Skeleton height={24} component="li" />
  const since = ago(1)
  const refreshed = tables.data.results.filter(({ refreshed_time }) => refreshed_time !== null && refreshed_time >= since).length
  return (
    <Line
      what={
        <Anchor c="inherit" component={Link} to="/tables">
          Tables
        </Anchor>
      }
    >
      {refreshed === 0 ? 'none refreshed' : `${number(refreshed)} of ${number(tables.data.results.length)} refreshed`}
    </Line>
  )
}

import { Anchor, SimpleGrid, Stack, Text, UnstyledButton } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { call } from '../../api/client.ts'
import { DataPage } from '../../parts/data-page.tsx'
import { Empty } from '../../parts/empty.tsx'
import { number } from '../../parts/number.ts'
import { Section } from '../../parts/section.tsx'
import { SEVERITIES, SeverityMark } from '../../parts/severity.tsx'
import { When } from '../../parts/when.tsx'
import type { AlertSearch } from '../alerts/alert-search.ts'
import { Activity } from './activity.tsx'
import classes from './overview.module.css'
import { SinceYesterday } from './since-yesterday.tsx'
import { Watch } from './watch.tsx'

export function Overview() {
  return (
    <DataPage title="Overview">
      <OpenAlerts />
      <Activity />
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="xl">
        <Newest />
        <Stack gap="lg">
          <Watch />
          <SinceYesterday />
        </Stack>
      </SimpleGrid>
    </DataPage>
  )
}

function OpenAlerts() {
  const counts = useQuery({
    queryKey: ['alerts', 'counts', { status: ['OPEN'] }],
    queryFn: ({ signal }) => call('GET /api/v1/alerts/counts', { query: { status: ['OPEN'] }, signal }),
    refetchInterval: 10_000,
  })
  return (
    <Section title="Open alerts">
      <div className={classes['numbers']}>
        {SEVERITIES.map((severity) => (
          <Figure
            key={severity}
            value={counts.data?.severities.find(({ value }) => value === severity)?.count ?? 0}
            isKnown={counts.data !== undefined}
            search={{ severity: [severity], status: ['OPEN'] }}
          >
            <SeverityMark severity={severity} />
          </Figure>
        ))}
      </div>
    </Section>
  )
}

interface FigureProps {
  readonly value: number
  readonly isKnown: boolean
  readonly search: AlertSearch
  readonly children: ReactNode
}

function Figure({ value, isKnown, search, children }: FigureProps) {
  return (
    <UnstyledButton
      renderRoot={(props) => <Link to="/alerts" search={search} {...props} />}
      className={classes['figure']!}
      data-none={value === 0 || undefined}
    >
      <span className={classes['value']}>{isKnown ? number(value) : '–'}</span>
      {children}
    </UnstyledButton>
  )
}

function Newest() {
  const newest = useQuery({
    queryKey: ['alerts', 'newest'],
    queryFn: ({ signal }) => call('GET /api/v1/alerts', { query: { limit: 8, status: ['OPEN', 'TRIAGED'] }, signal }),
    refetchInterval: 10_000,
  })
  const alerts = newest.data?.results ?? []
  return (
    <Section
      title="Newest"
      aside={
        <Anchor component={Link} to="/alerts">
          All alerts
        </Anchor>
      }
    >
      {newest.data && alerts.length === 0 && <Empty title="Nothing to do">No alert is open.</Empty>}
      <ul className={classes['list']}>
        {alerts.map(({ alert_id, severity, title, created_time }) => (
          <li key={alert_id}>
            <SeverityMark severity={severity} />
            <Anchor
              renderRoot={(props) => <Link to="/alerts/$alertId" params={{ alertId: alert_id }} {...props} />}
              className={`${classes['title']} foreign`}
              c="inherit"
            >
              {title}
            </Anchor>
            <Text c="dimmed">
              <When time={created_time} as="age" />
            </Text>
          </li>
        ))}
      </ul>
    </Section>
  )
}

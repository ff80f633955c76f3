import { Anchor, Breadcrumbs, Skeleton, Stack, Text, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useState } from 'react'
import { call } from '../../api/client.ts'
import { Failure } from '../../parts/failure.tsx'
import { counted } from '../../parts/number.ts'
import { SeverityMark } from '../../parts/severity.tsx'
import { When } from '../../parts/when.tsx'
import { IndicatorDrawer } from '../indicator/indicator-drawer.tsx'
import classes from './alert.module.css'
import { AlertEvents } from './alert-events.tsx'
import { AlertWork } from './alert-work.tsx'
import { Entities } from './entities.tsx'
import { Facts } from './facts.tsx'
import { Guidance } from './guidance.tsx'
import { History } from './history.tsx'
import { Related } from './related.tsx'
import { Why } from './why.tsx'

const route = getRouteApi('/alerts/$alertId')

export function AlertPage() {
  const { alertId } = route.useParams()
  const search = route.useSearch()
  const [indicator, setIndicator] = useState<string>()
  const alert = useQuery({
    queryKey: ['alerts', 'one', alertId],
    queryFn: ({ signal }) => call('GET /api/v1/alerts/{id}', { path: { id: alertId }, signal }),
  })
  const path = (
    <Breadcrumbs>
      <Anchor renderRoot={(props) => <Link to="/alerts" search={search} {...props} />}>Alerts</Anchor>
      <Text c="dimmed" className="mono">
        {alertId.slice(0, 8)}
      </Text>
    </Breadcrumbs>
  )
  if (alert.error)
    return (
      <div className={classes['page']}>
        {path}
        <Failure error={alert.error} onRetry={() => void alert.refetch()} />
      </div>
    )
  if (!alert.data)
    return (
      <div className={classes['page']} aria-busy="true">
        {path}
        <Skeleton height={40} mt="md" maw={640} />
        <Skeleton height={320} mt="md" />
      </div>
    )
  const one = alert.data
  return (
    <div className={classes['page']}>
      {path}
      <header className={classes['head']}>
        <div>
          <SeverityMark severity={one.severity} />
          <Title order={1} size="h2" className={`${classes['title']} foreign`}>
            {one.title}
          </Title>
          <Text c="dimmed">
            <span className="foreign">{one.rule_name || one.rule_id}</span> · {counted(one.event_count, 'event')} · raised{' '}
            <When time={one.created_time} />
            {one.latency_ms !== null && `, ${one.latency_ms} ms after the log arrived`}
          </Text>
        </div>
        <AlertWork alert={one} />
      </header>
      <div className={classes['columns']}>
        <Stack gap="lg" className={classes['main']!}>
          <Why alert={one} />
          <AlertEvents alert={one} />
          <History alert={one} />
        </Stack>
        <Stack gap="lg" className={classes['side']!}>
          <Entities alert={one} onOpen={setIndicator} />
          <Facts alert={one} />
          <Guidance alert={one} />
          <Related alert={one} />
        </Stack>
      </div>
      <IndicatorDrawer indicator={indicator} around={one.last_event_time} onClose={() => setIndicator(undefined)} />
    </div>
  )
}

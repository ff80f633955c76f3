import { Button, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { call } from '../../api/client.ts'
import type { AlertDetail } from '../../api/types.ts'
import { EventCard, type StoredEvent } from '../../parts/event-card.tsx'
import { Failure } from '../../parts/failure.tsx'
import { number } from '../../parts/number.ts'
import { Section } from '../../parts/section.tsx'

const FIRST = 10
const MOST = 100

/** The events from the lake; the first of them from the alert's own evidence if the lake has them no more. */
export function AlertEvents({ alert }: { readonly alert: AlertDetail }) {
  const [limit, setLimit] = useState(FIRST)
  const events = useQuery({
    queryKey: ['alerts', 'events', alert.alert_id, limit],
    queryFn: ({ signal }) => call('GET /api/v1/alerts/{id}/events', { path: { id: alert.alert_id }, query: { limit }, signal }),
    placeholderData: (before) => before,
  })
  const shown = events.data?.results ?? []
  const kept = shown.length === 0 && alert.sample_event ? [alert.sample_event as StoredEvent] : shown
  return (
    <Section title="Events" aside={<Text c="dimmed">{number(alert.event_count)} matched</Text>}>
      {events.error && <Failure error={events.error} onRetry={() => void events.refetch()} />}
      {!events.isPending && shown.length === 0 && kept.length > 0 && (
        <Text c="dimmed" mb="xs">
          The lake does not have them. The alert kept the first:
        </Text>
      )}
      {kept.map((event, i) => (
        <EventCard key={String(event['p_row_id'] ?? i)} event={event} isOpen={i === 0} />
      ))}
      {events.data?.next && limit < MOST && (
        <Button size="xs" variant="default" mt="xs" loading={events.isFetching} onClick={() => setLimit(MOST)}>
          Show more
        </Button>
      )}
    </Section>
  )
}

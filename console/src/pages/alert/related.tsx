import { Anchor, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { call } from '../../api/client.ts'
import type { AlertDetail } from '../../api/types.ts'
import { Section } from '../../parts/section.tsx'
import { SeverityMark } from '../../parts/severity.tsx'
import { When } from '../../parts/when.tsx'

/** Alerts about the same entities. */
export function Related({ alert }: { readonly alert: AlertDetail }) {
  const related = useQuery({
    queryKey: ['alerts', 'related', alert.alert_id],
    queryFn: ({ signal }) =>
      call('GET /api/v1/alerts/{id}/related', { path: { id: alert.alert_id }, query: { limit: 8 }, signal }),
  })
  const results = related.data?.results ?? []
  if (results.length === 0) return null
  return (
    <Section title="Related alerts">
      <Stack gap="xs">
        {results.map(({ alert: one }) => (
          <div key={one.alert_id}>
            <SeverityMark severity={one.severity} />
            <Anchor
              renderRoot={(props) => <Link to="/alerts/$alertId" params={{ alertId: one.alert_id }} {...props} />}
              className="foreign"
              display="block"
            >
              {one.title}
            </Anchor>
            <Text c="dimmed">
              <When time={one.created_time} as="age" /> ago
            </Text>
          </div>
        ))}
      </Stack>
    </Section>
  )
}

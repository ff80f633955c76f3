import { Stack, Text } from '@mantine/core'
import type { AlertDetail, Delivery } from '../../api/types.ts'
import { FactList } from '../../parts/facts.tsx'
import { number } from '../../parts/number.ts'
import { Section } from '../../parts/section.tsx'
import { When } from '../../parts/when.tsx'

export function Facts({ alert }: { readonly alert: AlertDetail }) {
  return (
    <Section title="Facts">
      <FactList
        facts={[
          ['Rule', <code key="rule">{alert.rule_id}</code>],
          ['First event', <When key="first" time={alert.first_event_time} />],
          ['Last event', alert.event_count > 1 && <When key="last" time={alert.last_event_time} />],
          ['Log types', alert.log_types.join(', ')],
          ['Sources', alert.source_labels.join(', ')],
          ['Dedup', alert.dedup],
          ['Quality', alert.quality?.toLowerCase()],
          ['Reason', alert.reason],
          ['Tags', [...alert.tags, ...alert.context_tags].join(', ')],
        ]}
      />
      {alert.summaries.map(({ attribute, values }) => (
        <Stack key={attribute} gap={1} mt="xs">
          <Text c="dimmed">{attribute}</Text>
          {values.slice(0, 5).map(({ value, count }) => (
            <span key={value}>
              <code className="foreign">{value}</code> <Text span c="dimmed">{`× ${number(count)}`}</Text>
            </span>
          ))}
        </Stack>
      ))}
      <Stack gap={2} mt="sm">
        {alert.deliveries.map((delivery) => (
          <SentTo key={delivery.delivery_id} delivery={delivery} />
        ))}
      </Stack>
    </Section>
  )
}

const STATES = { delivered: 'Sent to', pending: 'On its way to', dead: 'Could not be sent to' } as const

function SentTo({ delivery: { destination, state, kind, error } }: { readonly delivery: Delivery }) {
  return (
    <Text c={state === 'dead' ? 'var(--severity-critical)' : 'dimmed'}>
      {STATES[state]} {destination} ({kind}){error !== null && `: ${error}`}
    </Text>
  )
}

import { List, Text } from '@mantine/core'
import type { Answer } from '../../api/client.ts'
import { EventCard, type StoredEvent } from '../../parts/event-card.tsx'
import { counted, number } from '../../parts/number.ts'
import classes from './schema.module.css'

export type SampleReadingAnswer = NonNullable<Answer<'POST /api/v1/schemas/test'>['reading']>

/** What became of sample records: the events, and why others were refused. */
export function Reading({ reading }: { readonly reading: SampleReadingAnswer }) {
  const { received, refused, refusals, events, unknown_fields } = reading
  const unknown = Object.entries(unknown_fields)
  return (
    <div className={classes['reading']}>
      <Text c={refused > 0 ? 'var(--severity-critical)' : 'var(--good)'}>
        {refused > 0 ? `${number(refused)} of ${counted(received, 'record')} refused` : `All ${counted(received, 'record')} read`}
      </Text>
      {refusals.length > 0 && (
        <List>
          {refusals.map(({ reason, message }, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: two records may be refused alike.
            <List.Item key={i} className="foreign">
              <b>{reason.replaceAll('_', ' ')}</b>: {message}
            </List.Item>
          ))}
        </List>
      )}
      {unknown.length > 0 && (
        <Text className="foreign">
          Not in the schema: {unknown.map(([field, count]) => `${field} (${counted(count, 'event')})`).join(', ')}
        </Text>
      )}
      <div>
        {events.map((event, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: two events may be alike.
          <EventCard key={i} event={JSON.parse(event) as StoredEvent} isOpen={i === 0} />
        ))}
      </div>
    </div>
  )
}

import { Anchor, List, Loader, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { call } from '../../api/client.ts'
import { EventCard, type StoredEvent } from '../../parts/event-card.tsx'
import { Failure } from '../../parts/failure.tsx'
import { counted, number } from '../../parts/number.ts'
import { Section } from '../../parts/section.tsx'
import { tableOf } from '../schema/table-name.ts'
import classes from './new-source.module.css'

const POLL_MS = 2000
const MOST = 3

interface FirstEventsProps {
  readonly sourceId: string
  readonly sinceMs: number
}

/** Waits for records of a source, and shows the first as they were parsed, or why they could not be. */
export function FirstEvents({ sourceId, sinceMs }: FirstEventsProps) {
  const source = useQuery({
    queryKey: ['sources', sourceId],
    queryFn: ({ signal }) => call('GET /api/v1/sources/{id}', { path: { id: sourceId }, signal }),
    refetchInterval: POLL_MS,
  })
  const { received = 0, stored = 0, dead_lettered = 0 } = source.data?.records ?? {}
  const events = useQuery({
    queryKey: ['first-events', sourceId],
    enabled: stored > 0,
    queryFn: ({ signal }) => eventsOf(sourceId, sinceMs, signal),
    refetchInterval: ({ state }) => ((state.data?.length ?? 0) < MOST ? POLL_MS : false),
  })
  if (source.error) return <Failure error={source.error} onRetry={() => void source.refetch()} />
  return (
    <Section title="First events">
      <div aria-live="polite">
        {received === 0 ? (
          <div className={classes['waiting']}>
            <Loader size="xs" aria-label="Waiting" />
            <Text>Waiting for the first record. This page shows it as soon as it arrives.</Text>
          </div>
        ) : (
          <Text>
            {counted(received, 'record')} received, {number(stored)} stored as events, {number(dead_lettered)} not parsed.{' '}
            <Anchor renderRoot={(props) => <Link to="/sources/$sourceId" params={{ sourceId }} {...props} />}>
              Open the source
            </Anchor>
          </Text>
        )}
      </div>
      {events.data?.map((event, i) => (
        <EventCard key={String(event['p_row_id'])} event={event} isOpen={i === 0} />
      ))}
      {dead_lettered > 0 && <Refused samples={source.data?.dead_letter_samples ?? []} />}
    </Section>
  )
}

interface RefusedProps {
  readonly samples: readonly { readonly reason: string; readonly message: string; readonly excerpt: string }[]
}

function Refused({ samples }: RefusedProps) {
  return (
    <>
      <Text mt="sm" fw={600}>
        Records that could not be parsed
      </Text>
      <List>
        {samples.slice(0, MOST).map(({ reason, message, excerpt }) => (
          <List.Item key={`${reason} ${message} ${excerpt}`} className="foreign">
            {message}
            {excerpt !== '' && (
              <div>
                <code>{excerpt}</code>
              </div>
            )}
          </List.Item>
        ))}
      </List>
      <Text c="dimmed">
        They are kept. Once the log types or the schema fit, the page of the source reads them again. For a new log type,{' '}
        <Anchor renderRoot={(props) => <Link to="/schemas/new" {...props} />}>write a schema</Anchor>.
      </Text>
    </>
  )
}

async function eventsOf(sourceId: string, sinceMs: number, signal: AbortSignal): Promise<StoredEvent[]> {
  const where = `p_source_id = '${sourceId.replace(/['\\]/g, '')}' AND p_parse_time >= toDateTime(${Math.floor(sinceMs / 1000)})`
  const types = await call('POST /api/v1/query', {
    body: { sql: `SELECT DISTINCT p_log_type FROM logs.all WHERE ${where}` },
    signal,
  })
  const [logType] = types.rows[0] ?? []
  if (typeof logType !== 'string') return []
  const sql = `SELECT * FROM ${tableOf(logType)} WHERE ${where} ORDER BY p_parse_time LIMIT ${MOST}`
  const { columns, rows } = await call('POST /api/v1/query', { body: { sql }, signal })
  return rows.map((row) => Object.fromEntries(columns.map(({ name }, i) => [name, row[i]])))
}

import { Anchor, Breadcrumbs, Button, Group, Skeleton, Text } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { type Answer, call, type Item } from '../../api/client.ts'
import { announce } from '../../parts/announce.tsx'
import { DataPage } from '../../parts/data-page.tsx'
import { type Column, DataTable } from '../../parts/data-table.tsx'
import { FactList } from '../../parts/facts.tsx'
import { Failure } from '../../parts/failure.tsx'
import { bytes, number } from '../../parts/number.ts'
import { Section } from '../../parts/section.tsx'
import { When } from '../../parts/when.tsx'
import { useSession } from '../../session/session.tsx'

type SourceDetail = Answer<'GET /api/v1/sources/{id}'>
type DeadLetter = Item<'GET /api/v1/dead-letters'>

const route = getRouteApi('/sources/$sourceId')

const DEAD_LETTERS: readonly Column<DeadLetter>[] = [
  { name: 'Time', value: ({ time }) => time, show: ({ time }) => <When time={time} /> },
  { name: 'Reason', value: ({ reason }) => reason, show: ({ reason }) => reason.replaceAll('_', ' ') },
  { name: 'Why', show: ({ message }) => message },
]

export function SourcePage() {
  const { sourceId } = route.useParams()
  const source = useQuery({
    queryKey: ['sources', sourceId],
    queryFn: ({ signal }) => call('GET /api/v1/sources/{id}', { path: { id: sourceId }, signal }),
    refetchInterval: 5000,
  })
  if (source.error) return <Failure error={source.error} onRetry={() => void source.refetch()} />
  return (
    <DataPage title={sourceId}>
      <Breadcrumbs>
        <Anchor renderRoot={(props) => <Link to="/sources" {...props} />}>Sources</Anchor>
        <Text c="dimmed">{sourceId}</Text>
      </Breadcrumbs>
      {source.data ? <Facts source={source.data} /> : <Skeleton height="14rem" />}
      <DeadLetters sourceId={sourceId} />
    </DataPage>
  )
}

function Facts({ source }: { readonly source: SourceDetail }) {
  const { records, last_received_time: last, first_received_time: first } = source
  return (
    <>
      {[...source.problems, ...source.notices].map((text) => (
        <Text key={text}>{text}</Text>
      ))}
      <FactList
        facts={[
          ['Type', source.type],
          ['Log types', source.log_types.join(', ') || 'any'],
          ['First', first === null ? 'nothing received yet' : <When key="first" time={first} />],
          ['Last', last !== null && <When key="last" time={last} />],
          ['Rate', `${number(source.records_per_minute)} records and ${bytes(source.bytes_per_minute)} a minute`],
          ['Received', number(records.received)],
          ['Stored', number(records.stored)],
          ['Filtered', number(records.filtered)],
          ['Not parsed', number(records.dead_lettered)],
          ['Waiting', bytes(source.backlog_bytes)],
        ]}
      />
    </>
  )
}

/** Records that could not be read, and a button that reads them again once the reason is gone. */
function DeadLetters({ sourceId }: { readonly sourceId: string }) {
  const { may } = useSession()
  const client = useQueryClient()
  const letters = useQuery({
    queryKey: ['dead-letters', sourceId],
    queryFn: ({ signal }) => call('GET /api/v1/dead-letters', { query: { source: [sourceId], limit: 50 }, signal }),
  })
  const replay = useMutation({
    mutationFn: () => call('POST /api/v1/replays', { body: { kind: 'dead-letters', sources: [sourceId] } }),
    onSuccess: () => announce('The records are being read again'),
    onError: (error) => announce(error.message),
    onSettled: () => client.invalidateQueries({ queryKey: ['dead-letters'] }),
  })
  const count = letters.data?.results.length ?? 0
  return (
    <Section
      title="Records that could not be read"
      aside={
        <Group>
          {count > 0 && may('replays:run') && (
            <Button size="xs" variant="default" loading={replay.isPending} onClick={() => replay.mutate()}>
              Read them again
            </Button>
          )}
        </Group>
      }
    >
      {letters.error ? (
        <Failure error={letters.error} onRetry={() => void letters.refetch()} />
      ) : (
        <DataTable
          columns={DEAD_LETTERS}
          rows={letters.data?.results}
          isCut={typeof letters.data?.next === 'string'}
          keyOf={({ row_id }) => row_id}
          empty={<Text c="dimmed">Every record was read.</Text>}
        />
      )}
    </Section>
  )
}

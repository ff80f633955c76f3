import { Anchor, Button, Table, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { all, type Item } from '../../api/client.ts'
import { DataPage } from '../../parts/data-page.tsx'
import { Failure } from '../../parts/failure.tsx'
import { bytes, number } from '../../parts/number.ts'
import { StateMark, type StateTone } from '../../parts/state.tsx'
import { When } from '../../parts/when.tsx'
import { useSession } from '../../session/session.tsx'

type Source = Item<'GET /api/v1/sources'>

export function Sources() {
  const sources = useQuery({
    queryKey: ['sources'],
    queryFn: ({ signal }) => all('GET /api/v1/sources', signal),
    refetchInterval: 5000,
  })
  if (sources.error) return <Failure error={sources.error} onRetry={() => void sources.refetch()} />
  return (
    <DataPage title="Sources" aside={<AddSource />}>
      <Table.ScrollContainer minWidth={720}>
        <Table>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Source</Table.Th>
              <Table.Th>State</Table.Th>
              <Table.Th>Last received</Table.Th>
              <Table.Th ta="right">A minute</Table.Th>
              <Table.Th ta="right">Received</Table.Th>
              <Table.Th ta="right">Stored</Table.Th>
              <Table.Th ta="right">Not parsed</Table.Th>
              <Table.Th ta="right">Waiting</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {sources.data?.map((source) => (
              <Row key={source.id} source={source} />
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </DataPage>
  )
}

function AddSource() {
  const { may } = useSession()
  if (!may('sources:change')) return null
  return (
    <Button size="xs" renderRoot={(props) => <Link to="/sources/new" {...props} />}>
      Add a source
    </Button>
  )
}

function Row({ source }: { readonly source: Source }) {
  const { id, type, log_types, records, backlog_bytes, last_received_time, records_per_minute, problems } = source
  const [tone, state] = stateOf(source)
  return (
    <Table.Tr>
      <Table.Td>
        <Anchor fw={600} renderRoot={(props) => <Link to="/sources/$sourceId" params={{ sourceId: id }} {...props} />}>
          {id}
        </Anchor>{' '}
        <Text span c="dimmed">
          {type}
        </Text>
        <Text c="dimmed" size="sm">
          {log_types.join(', ') || 'any log type'}
        </Text>
        {problems.map((problem) => (
          <Text key={problem} c="var(--severity-critical)" size="sm">
            {problem}
          </Text>
        ))}
      </Table.Td>
      <Table.Td>
        <StateMark tone={tone}>{state}</StateMark>
      </Table.Td>
      <Table.Td>{last_received_time === null ? 'never' : <When time={last_received_time} as="age" />}</Table.Td>
      <Table.Td ta="right">{number(records_per_minute)}</Table.Td>
      <Table.Td ta="right">{number(records.received)}</Table.Td>
      <Table.Td ta="right">{number(records.stored)}</Table.Td>
      <Table.Td ta="right">{number(records.dead_lettered)}</Table.Td>
      <Table.Td ta="right">{bytes(backlog_bytes)}</Table.Td>
    </Table.Tr>
  )
}

function stateOf({ problems, records, last_received_time }: Source): readonly [StateTone, string] {
  if (problems.length > 0) return ['bad', 'problem']
  if (last_received_time === null) return ['off', 'nothing yet']
  return records.dead_lettered > 0 ? ['warn', 'some not parsed'] : ['good', 'receiving']
}

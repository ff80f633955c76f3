import { Anchor, Button, Table, Text, VisuallyHidden } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { all, type Item } from '../../api/client.ts'
import { DataPage } from '../../parts/data-page.tsx'
import { Failure } from '../../parts/failure.tsx'
import { number } from '../../parts/number.ts'
import { StateMark, type StateTone } from '../../parts/state.tsx'
import { When } from '../../parts/when.tsx'
import { useSession } from '../../session/session.tsx'
import { RefreshButton } from '../table/refresh-button.tsx'

type LookupTable = Item<'GET /api/v1/tables'>

const TONES: Readonly<Record<string, StateTone>> = {
  ok: 'good',
  shipped: 'good',
  static: 'good',
  stale: 'warn',
  missing: 'bad',
  failing: 'bad',
}

export function Tables() {
  const { may } = useSession()
  const tables = useQuery({
    queryKey: ['tables'],
    queryFn: ({ signal }) => all('GET /api/v1/tables', signal),
    refetchInterval: 10_000,
  })
  if (tables.error) return <Failure error={tables.error} onRetry={() => void tables.refetch()} />
  return (
    <DataPage
      title="Tables"
      aside={
        may('content:change') && (
          <Button size="xs" renderRoot={(props) => <Link to="/tables/new" {...props} />}>
            New table
          </Button>
        )
      }
    >
      <Table.ScrollContainer minWidth={720}>
        <Table>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Table</Table.Th>
              <Table.Th>State</Table.Th>
              <Table.Th ta="right">Rows</Table.Th>
              <Table.Th>Refreshed</Table.Th>
              <Table.Th>Version</Table.Th>
              <Table.Th>
                <VisuallyHidden>Actions</VisuallyHidden>
              </Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {tables.data?.map((table) => (
              <Row key={table.name} table={table} />
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </DataPage>
  )
}

function Row({ table: { name, state, rows, version, problem, refreshed_time, provider } }: { readonly table: LookupTable }) {
  return (
    <Table.Tr>
      <Table.Td>
        <Anchor fw={600} renderRoot={(props) => <Link to="/tables/$name" params={{ name }} {...props} />}>
          {name}
        </Anchor>{' '}
        <Text span c="dimmed">
          {provider}
        </Text>
        {problem !== null && (
          <Text size="sm" c="dimmed">
            {problem}
          </Text>
        )}
      </Table.Td>
      <Table.Td>
        <StateMark tone={TONES[state] ?? 'bad'}>{state}</StateMark>
      </Table.Td>
      <Table.Td ta="right">{number(rows)}</Table.Td>
      <Table.Td>{refreshed_time === null ? '–' : <When time={refreshed_time} as="age" />}</Table.Td>
      <Table.Td className="mono">{version ?? '–'}</Table.Td>
      <Table.Td ta="right">
        <RefreshButton name={name} state={state} size="compact-xs" />
      </Table.Td>
    </Table.Tr>
  )
}

import { Anchor, Group, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { type Answer, call } from '../../api/client.ts'
import { DataPage } from '../../parts/data-page.tsx'
import { type Column, DataTable } from '../../parts/data-table.tsx'
import { Empty } from '../../parts/empty.tsx'
import { Failure } from '../../parts/failure.tsx'
import { number } from '../../parts/number.ts'
import { label, SeverityMark } from '../../parts/severity.tsx'
import { StateMark, type StateTone } from '../../parts/state.tsx'
import { When } from '../../parts/when.tsx'
import { AddDestination } from './add-destination.tsx'
import classes from './destinations.module.css'
import { TestButton } from './test-button.tsx'

export type Destination = Answer<'GET /api/v1/destinations'>['results'][number]

const COLUMNS: readonly Column<Destination>[] = [
  {
    name: 'Destination',
    value: ({ id }) => id,
    show: (destination) => <About destination={destination} />,
  },
  {
    name: 'State',
    value: (destination) => stateOf(destination)[1],
    show: (destination) => {
      const [tone, word] = stateOf(destination)
      return <StateMark tone={tone}>{word}</StateMark>
    },
  },
  { name: 'Gets', show: (destination) => <Routing destination={destination} /> },
  {
    name: 'Last delivery',
    value: ({ last_delivered }) => last_delivered,
    show: ({ last_delivered: last }) =>
      last === null ? (
        'none yet'
      ) : (
        <>
          <When time={last} as="age" /> ago
        </>
      ),
  },
  {
    name: 'On their way',
    value: ({ waiting }) => waiting,
    show: ({ id, waiting }) => listed(id, 'pending', waiting),
    isNumber: true,
  },
  { name: 'Given up', value: ({ dead }) => dead, show: ({ id, dead }) => listed(id, 'dead', dead), isNumber: true },
  { name: ' ', show: ({ id }) => <TestButton id={id} /> },
]

/** Where alerts are sent, which of them, and whether they arrive. */
export function Destinations() {
  const destinations = useQuery({
    queryKey: ['destinations'],
    queryFn: ({ signal }) => call('GET /api/v1/destinations', { signal }),
    refetchInterval: 10_000,
  })
  if (destinations.error) return <Failure error={destinations.error} onRetry={() => void destinations.refetch()} />
  return (
    <DataPage
      title="Destinations"
      aside={
        <Group gap="md">
          <Anchor renderRoot={(props) => <Link to="/deliveries" {...props} />} size="sm">
            All deliveries
          </Anchor>
          <AddDestination />
        </Group>
      }
    >
      <DataTable
        columns={COLUMNS}
        rows={destinations.data?.results}
        keyOf={({ id }) => id}
        minWidth={860}
        empty={
          <Empty title="Alerts are not sent anywhere">
            Add a destination to the configuration file, such as Slack, email or a webhook. The help page{' '}
            <Anchor renderRoot={(props) => <Link to="/help/$name" params={{ name: 'destinations' }} {...props} />}>
              Destinations
            </Anchor>{' '}
            shows how.
          </Empty>
        }
      />
    </DataPage>
  )
}

function About({ destination: { id, type, last_error, dead } }: { readonly destination: Destination }) {
  return (
    <>
      <Anchor fw={600} renderRoot={(props) => <Link to="/deliveries" search={{ destination: id }} {...props} />}>
        {id}
      </Anchor>{' '}
      <Text span c="dimmed">
        {type}
      </Text>
      {last_error !== null && (
        <Text size="sm" c={dead > 0 ? 'var(--severity-critical)' : 'dimmed'} className="foreign">
          Last failure: {last_error}
        </Text>
      )}
    </>
  )
}

/** Which alerts are sent there. */
function Routing({ destination }: { readonly destination: Destination }) {
  const { severities, log_types, alert_types, sends, system, max_per_minute } = destination
  return (
    <>
      <span className={classes['severities']}>
        {severities.length === 0 ? 'All severities' : severities.map((one) => <SeverityMark key={one} severity={one} />)}
      </span>
      <Text size="sm" c="dimmed">
        {[
          log_types.length > 0 && `of ${log_types.join(', ')}`,
          alert_types.length > 0 && alert_types.map((one) => label(one).replaceAll('_', ' ').toLowerCase()).join(', '),
          `when ${sends.join(', ')}`,
          system && 'also alerts about Caracal itself',
          max_per_minute !== null && `above ${number(max_per_minute)} a minute as a digest`,
        ]
          .filter((part) => part !== false)
          .join('; ')}
      </Text>
    </>
  )
}

function stateOf({ dead, waiting, last_delivered, last_error }: Destination): readonly [StateTone, string] {
  if (dead > 0) return ['bad', 'some given up']
  if (waiting > 0 && last_error !== null) return ['warn', 'retrying']
  return last_delivered === null ? ['off', 'not used yet'] : ['good', 'delivers']
}

function listed(destination: string, state: 'pending' | 'dead', count: number) {
  if (count === 0) return number(count)
  return (
    <Anchor renderRoot={(props) => <Link to="/deliveries" search={{ destination, state }} {...props} />}>{number(count)}</Anchor>
  )
}

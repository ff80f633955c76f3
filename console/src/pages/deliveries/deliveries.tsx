import { Anchor, Button, SegmentedControl, Text } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { call, type Item } from '../../api/client.ts'
import { announce } from '../../parts/announce.tsx'
import { DataPage } from '../../parts/data-page.tsx'
import { type Column, DataTable } from '../../parts/data-table.tsx'
import { Empty } from '../../parts/empty.tsx'
import { Failure } from '../../parts/failure.tsx'
import { counted } from '../../parts/number.ts'
import { StateMark } from '../../parts/state.tsx'
import { When } from '../../parts/when.tsx'
import { useSession } from '../../session/session.tsx'
import { readDeliverySearch } from './delivery-search.ts'

const route = getRouteApi('/deliveries')

type ListedDelivery = Item<'GET /api/v1/deliveries'>

const TONES = { pending: 'warn', delivered: 'good', dead: 'bad' } as const
const WORDS = { pending: 'on its way', delivered: 'sent', dead: 'given up' } as const

const COLUMNS: readonly Column<ListedDelivery>[] = [
  { name: 'Time', value: ({ created_time }) => created_time, show: ({ created_time }) => <When time={created_time} /> },
  { name: 'Destination', value: ({ destination }) => destination },
  {
    name: 'State',
    value: ({ state }) => state,
    show: ({ state }) => <StateMark tone={TONES[state]}>{WORDS[state]}</StateMark>,
  },
  { name: 'Alert', value: ({ title }) => title, show: (delivery) => <About delivery={delivery} /> },
  { name: 'Tries', value: ({ tries }) => tries, isNumber: true },
]

export function Deliveries() {
  const { may } = useSession()
  const client = useQueryClient()
  const { state, destination } = route.useSearch()
  const navigate = route.useNavigate()
  const deliveries = useQuery({
    queryKey: ['deliveries', state, destination],
    queryFn: ({ signal }) =>
      call('GET /api/v1/deliveries', {
        query: { limit: 200, state, destination },
        signal,
      }),
    refetchInterval: 10_000,
  })
  const resend = useMutation({
    mutationFn: (ids: string[]) => call('POST /api/v1/deliveries/resend', { body: { delivery_ids: ids } }),
    onSuccess: ({ resent }) => announce(`Sending ${counted(resent, 'delivery', 'deliveries')} again`),
    onError: (error) => announce(error.message),
    onSettled: () => client.invalidateQueries({ queryKey: ['deliveries'] }),
  })
  if (deliveries.error) return <Failure error={deliveries.error} onRetry={() => void deliveries.refetch()} />
  return (
    <DataPage
      title="Deliveries"
      aside={
        <SegmentedControl
          size="xs"
          aria-label="Which"
          value={state ?? 'all'}
          onChange={(value) => void navigate({ search: { ...readDeliverySearch({ state: value, destination }) } })}
          data={[
            { value: 'all', label: 'All' },
            { value: 'pending', label: 'On their way' },
            { value: 'delivered', label: 'Sent' },
            { value: 'dead', label: 'Given up' },
          ]}
        />
      }
    >
      {destination !== undefined && (
        <Text>
          To <b className="foreign">{destination}</b>.{' '}
          <Anchor renderRoot={(props) => <Link to="/deliveries" search={state ? { state } : {}} {...props} />}>
            Show all destinations
          </Anchor>
        </Text>
      )}
      {state === 'dead' && may('deliveries:resend') && (deliveries.data?.results.length ?? 0) > 0 && (
        <Button
          size="xs"
          w="fit-content"
          loading={resend.isPending}
          onClick={() => resend.mutate(deliveries.data!.results.map(({ delivery_id }) => delivery_id))}
        >
          Send these again
        </Button>
      )}
      <DataTable
        columns={COLUMNS}
        rows={deliveries.data?.results}
        isCut={typeof deliveries.data?.next === 'string'}
        keyOf={({ delivery_id }) => delivery_id}
        empty={
          <Empty title="Nothing here">
            {state === 'dead' ? 'Every alert has reached its destinations.' : 'No alert was sent yet.'}
          </Empty>
        }
      />
    </DataPage>
  )
}

function About({ delivery: { alert_id, title, kind, error } }: { readonly delivery: ListedDelivery }) {
  return (
    <>
      {alert_id === '' ? (
        title
      ) : (
        <Anchor renderRoot={(props) => <Link to="/alerts/$alertId" params={{ alertId: alert_id }} {...props} />}>{title}</Anchor>
      )}{' '}
      <Text span c="dimmed">
        {kind}
      </Text>
      {error !== null && (
        <Text size="sm" c="var(--severity-critical)">
          {error}
        </Text>
      )}
    </>
  )
}

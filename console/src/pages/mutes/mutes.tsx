import { Button, SegmentedControl, Text } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { call, type Item } from '../../api/client.ts'
import { announce } from '../../parts/announce.tsx'
import { DataPage } from '../../parts/data-page.tsx'
import { type Column, DataTable } from '../../parts/data-table.tsx'
import { Empty } from '../../parts/empty.tsx'
import { Failure } from '../../parts/failure.tsx'
import { number } from '../../parts/number.ts'
import { refusalOf } from '../../parts/refusal-of.ts'
import { When } from '../../parts/when.tsx'
import { useSession } from '../../session/session.tsx'

type Mute = Item<'GET /api/v1/mutes'>

const COLUMNS: readonly Column<Mute>[] = [
  { name: 'Covers', show: ({ match }) => <Criteria match={match} /> },
  { name: 'Reason', value: ({ reason }) => reason },
  { name: 'Owner', value: ({ owner }) => owner },
  { name: 'Until', value: ({ expires_time }) => expires_time, show: ({ expires_time }) => <When time={expires_time} /> },
  { name: 'Matches', value: ({ matches }) => matches, show: ({ matches }) => number(matches), isNumber: true },
  {
    name: 'Last',
    value: ({ last_match_time }) => last_match_time,
    show: ({ last_match_time }) => (last_match_time === null ? '–' : <When time={last_match_time} as="age" />),
  },
  { name: ' ', show: (mute) => <End mute={mute} /> },
]

export function Mutes() {
  const [state, setState] = useState<'active' | 'over'>('active')
  const mutes = useQuery({
    queryKey: ['mutes', state],
    queryFn: ({ signal }) => call('GET /api/v1/mutes', { query: { state, limit: 200 }, signal }),
  })
  if (mutes.error) return <Failure error={mutes.error} onRetry={() => void mutes.refetch()} />
  return (
    <DataPage
      title="Mutes"
      aside={
        <SegmentedControl
          size="xs"
          aria-label="Which"
          value={state}
          onChange={(value) => setState(value as typeof state)}
          data={[
            { value: 'active', label: 'Active' },
            { value: 'over', label: 'Over' },
          ]}
        />
      }
    >
      <DataTable
        columns={COLUMNS}
        rows={mutes.data?.results}
        isCut={typeof mutes.data?.next === 'string'}
        keyOf={({ mute_id }) => mute_id}
        empty={<Empty title="Nothing is muted">An alert's menu “More” mutes what is like it.</Empty>}
      />
    </DataPage>
  )
}

function Criteria({ match }: { readonly match: Mute['match'] }) {
  return Object.entries(match)
    .filter(([name]) => name !== 'exact')
    .map(([name, value]) => (
      <div key={name}>
        <Text span c="dimmed">
          {name.replaceAll('_', ' ')}
        </Text>{' '}
        <code>{Array.isArray(value) ? value.join(', ') : String(value)}</code>
      </div>
    ))
}

function End({ mute: { mute_id, state, etag } }: { readonly mute: Mute }) {
  const { may } = useSession()
  const client = useQueryClient()
  const end = useMutation({
    mutationFn: () => call('POST /api/v1/mutes/{id}/end', { path: { id: mute_id }, ifMatch: etag }),
    onSuccess: () => announce('The mute has ended'),
    onError: (error) => announce(refusalOf(error, 'The mute')),
    onSettled: () => client.invalidateQueries({ queryKey: ['mutes'] }),
  })
  if (state !== 'active' || !may('alerts:change')) return null
  return (
    <Button size="compact-xs" variant="default" loading={end.isPending} onClick={() => end.mutate()}>
      End
    </Button>
  )
}

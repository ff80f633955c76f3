import { Button, Text } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { all, call, type Item } from '../../api/client.ts'
import { announce } from '../../parts/announce.tsx'
import { type Column, DataTable } from '../../parts/data-table.tsx'
import { Failure } from '../../parts/failure.tsx'
import { refusalOf } from '../../parts/refusal-of.ts'
import { Section } from '../../parts/section.tsx'
import { StateMark } from '../../parts/state.tsx'
import { When } from '../../parts/when.tsx'
import { NewToken } from './new-token.tsx'

type Token = Item<'GET /api/v1/tokens'>

const COLUMNS: readonly Column<Token>[] = [
  { name: 'Name', value: ({ name }) => name, show: ({ name }) => <b>{name}</b> },
  {
    name: 'State',
    value: ({ state }) => state,
    show: ({ state }) => <StateMark tone={state === 'active' ? 'good' : 'off'}>{state}</StateMark>,
  },
  { name: 'Role', value: ({ role }) => role },
  { name: 'Sees', show: ({ log_types }) => log_types.join(', ') || 'everything' },
  { name: 'From', show: ({ cidrs }) => cidrs.join(', ') || 'anywhere' },
  {
    name: 'Last used',
    value: ({ last_used_time }) => last_used_time,
    show: ({ last_used_time, last_address }) =>
      last_used_time === null ? (
        'never'
      ) : (
        <>
          <When time={last_used_time} as="age" /> ago{' '}
          <Text span c="dimmed">
            {last_address}
          </Text>
        </>
      ),
  },
  {
    name: 'Expires',
    value: ({ expires_time }) => expires_time,
    show: ({ expires_time }) => (expires_time === null ? 'never' : <When time={expires_time} />),
  },
  { name: ' ', show: (token) => <Revoke token={token} /> },
]

/** The tokens of programs. */
export function Tokens() {
  const [isNew, setIsNew] = useState(false)
  const tokens = useQuery({
    queryKey: ['tokens'],
    queryFn: ({ signal }) => all('GET /api/v1/tokens', signal),
  })
  if (tokens.error) return <Failure error={tokens.error} onRetry={() => void tokens.refetch()} />
  return (
    <Section
      title="Tokens"
      aside={
        <Button size="xs" onClick={() => setIsNew(true)}>
          New token
        </Button>
      }
    >
      <DataTable
        columns={COLUMNS}
        rows={tokens.data}
        keyOf={({ token_id }) => token_id}
        empty={<Text c="dimmed">No program has a token yet. A shipper needs one with the role ingest.</Text>}
      />
      <NewToken isOpen={isNew} onClose={() => setIsNew(false)} />
    </Section>
  )
}

function Revoke({ token: { token_id, name, state, etag } }: { readonly token: Token }) {
  const client = useQueryClient()
  const revoke = useMutation({
    mutationFn: () => call('POST /api/v1/tokens/{id}/revoke', { path: { id: token_id }, ifMatch: etag }),
    onSuccess: () => announce(`Revoked ${name}`),
    onError: (error) => announce(refusalOf(error, name)),
    onSettled: () => client.invalidateQueries({ queryKey: ['tokens'] }),
  })
  if (state !== 'active') return null
  return (
    <Button
      size="compact-xs"
      variant="default"
      loading={revoke.isPending}
      onClick={() => {
        if (confirm(`Revoke ${name}? Programs that use it are refused at once.`)) revoke.mutate()
      }}
    >
      Revoke
    </Button>
  )
}

import { Button, Menu, Text } from '@mantine/core'
import { DotsHorizontalIcon } from '@radix-ui/react-icons'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { all, call, type Item } from '../../api/client.ts'
import { announce } from '../../parts/announce.tsx'
import { type Column, DataTable } from '../../parts/data-table.tsx'
import { Failure } from '../../parts/failure.tsx'
import { counted, number } from '../../parts/number.ts'
import { refusalOf } from '../../parts/refusal-of.ts'
import { Section } from '../../parts/section.tsx'
import { StateMark } from '../../parts/state.tsx'
import { When } from '../../parts/when.tsx'
import { NewUser } from './new-user.tsx'
import { OneTimeLink } from './one-time-link.tsx'

export type User = Item<'GET /api/v1/users'>

const TONES = { active: 'good', invited: 'warn', disabled: 'off' } as const

const COLUMNS: readonly Column<User>[] = [
  {
    name: 'Name',
    value: ({ name }) => name,
    show: ({ name, email }) => (
      <>
        <b>{name}</b>{' '}
        <Text span c="dimmed">
          {email}
        </Text>
      </>
    ),
  },
  { name: 'State', value: ({ state }) => state, show: ({ state }) => <StateMark tone={TONES[state]}>{state}</StateMark> },
  { name: 'Role', value: ({ role }) => role },
  { name: 'Sees', show: ({ log_types }) => log_types.join(', ') || 'everything' },
  { name: 'Second factor', show: ({ has_second_factor }) => (has_second_factor ? 'yes' : 'no') },
  {
    name: 'Signed in',
    value: ({ last_sign_in_time }) => last_sign_in_time,
    show: ({ last_sign_in_time }) => (last_sign_in_time === null ? 'never' : <When time={last_sign_in_time} />),
  },
  { name: 'Sessions', value: ({ sessions }) => sessions, show: (user) => <Sessions user={user} /> },
  { name: ' ', show: (user) => <Actions user={user} /> },
]

/** The people who may sign in. */
export function Users() {
  const [isNew, setIsNew] = useState(false)
  const users = useQuery({
    queryKey: ['users'],
    queryFn: ({ signal }) => all('GET /api/v1/users', signal),
    refetchInterval: 15_000,
  })
  if (users.error) return <Failure error={users.error} onRetry={() => void users.refetch()} />
  return (
    <Section
      title="People"
      aside={
        <Button size="xs" onClick={() => setIsNew(true)}>
          Add a person
        </Button>
      }
    >
      <DataTable
        columns={COLUMNS}
        rows={users.data}
        keyOf={({ user_id }) => user_id}
        minWidth={960}
        empty={<Text c="dimmed">Nobody has an account yet.</Text>}
      />
      <NewUser isOpen={isNew} onClose={() => setIsNew(false)} />
    </Section>
  )
}

function Sessions({ user: { sessions, last_used_time } }: { readonly user: User }) {
  if (last_used_time === null) return 'none'
  return (
    <>
      {number(sessions)}{' '}
      <Text span c="dimmed">
        last used <When time={last_used_time} as="age" /> ago
      </Text>
    </>
  )
}

function Actions({ user: { user_id, name, state, sessions, etag } }: { readonly user: User }) {
  const client = useQueryClient()
  const [link, setLink] = useState<string>()
  const refresh = () => client.invalidateQueries({ queryKey: ['users'] })
  const path = { id: user_id }
  const asked = { onError: (error: Error) => announce(refusalOf(error, name)), onSettled: refresh }
  const change = useMutation({
    mutationFn: (body: { role?: User['role']; disabled?: boolean }) =>
      call('PATCH /api/v1/users/{id}', { path, body, ifMatch: etag }),
    ...asked,
  })
  const remove = useMutation({ mutationFn: () => call('DELETE /api/v1/users/{id}', { path, ifMatch: etag }), ...asked })
  const reset = useMutation({
    mutationFn: () => call('POST /api/v1/users/{id}/reset', { path, ifMatch: etag }),
    onSuccess: (answer) => setLink(answer.link),
    ...asked,
  })
  const signOut = useMutation({
    mutationFn: () => call('DELETE /api/v1/users/{id}/sessions', { path }),
    onSuccess: ({ ended }) => announce(`${counted(ended, 'session')} of ${name} ended`),
    ...asked,
  })
  const isDisabled = state === 'disabled'
  return (
    <>
      <Menu position="bottom-end">
        <Menu.Target>
          <Button size="compact-xs" variant="default" aria-label={`Change ${name}`}>
            <DotsHorizontalIcon />
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {(['viewer', 'analyst', 'admin'] as const).map((role) => (
            <Menu.Item key={role} onClick={() => change.mutate({ role })}>
              Make {role === 'viewer' ? 'a' : 'an'} {role}
            </Menu.Item>
          ))}
          <Menu.Divider />
          <Menu.Item onClick={() => reset.mutate()}>Link for a new password</Menu.Item>
          <Menu.Item disabled={sessions === 0} onClick={() => signOut.mutate()}>
            End their sessions
          </Menu.Item>
          <Menu.Item onClick={() => change.mutate({ disabled: !isDisabled })}>{isDisabled ? 'Enable' : 'Disable'}</Menu.Item>
          <Menu.Item
            color="red"
            onClick={() => {
              if (confirm(`Remove ${name}? Their sessions and tokens end.`)) remove.mutate()
            }}
          >
            Remove
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <OneTimeLink link={link} name={name} onClose={() => setLink(undefined)} />
    </>
  )
}

import { Alert, Button, Group, Modal, Select, Stack, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { call } from '../../api/client.ts'
import { OneTimeLink } from './one-time-link.tsx'
import type { User } from './users.tsx'

const ROLES = [
  { value: 'viewer', label: 'viewer: read everything' },
  { value: 'analyst', label: 'analyst: read everything, work on alerts' },
  { value: 'admin', label: 'admin: everything' },
]

interface NewUserProps {
  readonly isOpen: boolean
  onClose(): void
}

export function NewUser({ isOpen, onClose }: NewUserProps) {
  const client = useQueryClient()
  const [email, setEmail] = useState('')
  const [name, setName] = useState('')
  const [role, setRole] = useState<User['role']>('viewer')
  const create = useMutation({
    mutationFn: () =>
      call('POST /api/v1/users', {
        body: { email: email.trim(), role, ...(name.trim() !== '' && { name: name.trim() }) },
      }),
    onSettled: () => client.invalidateQueries({ queryKey: ['users'] }),
  })
  const close = () => {
    create.reset()
    setEmail('')
    setName('')
    onClose()
  }
  if (create.data) return <OneTimeLink link={create.data.link} name={name || email} onClose={close} />
  return (
    <Modal opened={isOpen} onClose={close} title="Add a person" centered>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          create.mutate()
        }}
      >
        <Stack>
          <TextInput
            label="Email"
            type="email"
            required
            value={email}
            onChange={(event) => setEmail(event.currentTarget.value)}
            data-autofocus
          />
          <TextInput label="Name" value={name} onChange={(event) => setName(event.currentTarget.value)} />
          <Select
            label="Role"
            allowDeselect={false}
            data={ROLES}
            value={role}
            onChange={(value) => setRole((value ?? 'viewer') as User['role'])}
          />
          {create.error && (
            <Alert color="red" role="alert">
              {create.error.message}
            </Alert>
          )}
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              Cancel
            </Button>
            <Button type="submit" loading={create.isPending}>
              Add
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}

import { Alert, Button, Code, CopyButton, Group, Modal, Select, Stack, Text, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { call } from '../../api/client.ts'

const ROLES = [
  { value: 'ingest', label: 'ingest: send logs, and nothing else' },
  { value: 'viewer', label: 'viewer: read everything' },
  { value: 'analyst', label: 'analyst: read everything, work on alerts' },
  { value: 'admin', label: 'admin: everything' },
]

type Role = 'ingest' | 'viewer' | 'analyst' | 'admin'

interface NewTokenProps {
  readonly isOpen: boolean
  onClose(): void
}

export function NewToken({ isOpen, onClose }: NewTokenProps) {
  const client = useQueryClient()
  const [name, setName] = useState('')
  const [role, setRole] = useState<Role>('ingest')
  const create = useMutation({
    mutationFn: () => call('POST /api/v1/tokens', { body: { name: name.trim(), role } }),
    onSettled: () => client.invalidateQueries({ queryKey: ['tokens'] }),
  })
  const close = () => {
    setName('')
    create.reset()
    onClose()
  }
  return (
    <Modal opened={isOpen} onClose={close} title="New token" centered>
      {create.data ? (
        <Stack>
          <Text>This is the only time that it is shown.</Text>
          <Code block>{create.data.token}</Code>
          <Group justify="flex-end">
            <CopyButton value={create.data.token}>
              {({ copied, copy }) => (
                <Button variant="default" onClick={copy}>
                  {copied ? 'Copied' : 'Copy'}
                </Button>
              )}
            </CopyButton>
            <Button onClick={close}>Done</Button>
          </Group>
        </Stack>
      ) : (
        <form
          onSubmit={(event) => {
            event.preventDefault()
            create.mutate()
          }}
        >
          <Stack>
            <TextInput
              label="Name"
              description="Its changes are attributed to this name."
              required
              value={name}
              onChange={(event) => setName(event.currentTarget.value)}
              data-autofocus
            />
            <Select
              label="Role"
              allowDeselect={false}
              data={ROLES}
              value={role}
              onChange={(value) => setRole((value ?? 'ingest') as Role)}
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
                Create
              </Button>
            </Group>
          </Stack>
        </form>
      )}
    </Modal>
  )
}

import { Alert, Button, Group, List, Modal, Stack, Text } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { call } from '../../api/client.ts'
import { announce } from '../../parts/announce.tsx'
import { useSession } from '../../session/session.tsx'
import type { Pack } from './packs.tsx'

/** Names that the dialog lists. */
const MOST = 12

/** Switches a pack. What stops with it is said first. */
export function PackSwitch({ pack }: { readonly pack: Pack }) {
  const { may } = useSession()
  const client = useQueryClient()
  const [isAsking, setIsAsking] = useState(false)
  const { id, on, changes, tables } = pack
  const turn = useMutation({
    mutationFn: () => call('PATCH /api/v1/packs/{id}', { path: { id }, body: { on: !on } }),
    onSuccess: () => {
      setIsAsking(false)
      announce(`${id} is ${on ? 'off' : 'on'}`)
      for (const key of ['packs', 'rules', 'tables', 'health']) void client.invalidateQueries({ queryKey: [key] })
    },
    onError: (error) => {
      if (!isAsking) announce(error.message)
    },
  })
  if (!may('content:change')) return null
  const stops = [...changes, ...tables]
  return (
    <>
      <Button
        size="compact-xs"
        variant="default"
        aria-label={`Turn ${on ? 'off' : 'on'} ${id}`}
        loading={turn.isPending && !isAsking}
        onClick={() => (on && stops.length > 0 ? setIsAsking(true) : turn.mutate())}
      >
        Turn {on ? 'off' : 'on'}
      </Button>
      <Modal opened={isAsking} onClose={() => setIsAsking(false)} title={`Turn off ${id}`} centered>
        <Stack>
          <Text>{changes.length > 0 ? 'These rules no longer run:' : 'No rule stops.'}</Text>
          <Names names={changes} />
          {tables.length > 0 && <Text>These tables are no longer used:</Text>}
          <Names names={tables} />
          {turn.error && (
            <Alert color="red" role="alert">
              {turn.error.message}
            </Alert>
          )}
          <Group justify="flex-end">
            <Button variant="default" onClick={() => setIsAsking(false)}>
              Cancel
            </Button>
            <Button color="red" loading={turn.isPending} onClick={() => turn.mutate()}>
              Turn off
            </Button>
          </Group>
        </Stack>
      </Modal>
    </>
  )
}

function Names({ names }: { readonly names: readonly string[] }) {
  if (names.length === 0) return null
  return (
    <List>
      {names.slice(0, MOST).map((name) => (
        <List.Item key={name}>{name}</List.Item>
      ))}
      {names.length > MOST && <List.Item>and {names.length - MOST} more</List.Item>}
    </List>
  )
}

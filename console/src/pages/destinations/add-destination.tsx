import { Anchor, Button, CopyButton, Group, List, Modal, Select, Stack, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { call } from '../../api/client.ts'
import { Failure } from '../../parts/failure.tsx'
import classes from './destinations.module.css'

/** The lines that set up a destination. They go into the configuration file, since secrets do not pass through the browser. */
export function AddDestination() {
  const [isOpen, { open, close }] = useDisclosure(false)
  return (
    <>
      <Button size="xs" onClick={open}>
        Add a destination
      </Button>
      <Modal opened={isOpen} onClose={close} title="Add a destination" size="lg" centered>
        <Kinds />
      </Modal>
    </>
  )
}

function Kinds() {
  const kinds = useQuery({
    queryKey: ['destination-kinds'],
    queryFn: ({ signal }) => call('GET /api/v1/destinations/kinds', { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  })
  const [type, setType] = useState('slack')
  if (kinds.error) return <Failure error={kinds.error} onRetry={() => void kinds.refetch()} />
  const kind = kinds.data?.results.find((one) => one.type === type)
  return (
    <Stack>
      <Select
        label="Send alerts to"
        searchable
        allowDeselect={false}
        value={type}
        onChange={(value) => setType(value ?? type)}
        data={kinds.data?.results.map((one) => one.type) ?? []}
      />
      {kind && (
        <>
          <Text size="sm">{kind.summary}</Text>
          <List type="ordered" size="sm" spacing="sm">
            <List.Item>
              Add these lines to the configuration file, <code>caracal.yml</code>. If it has <code>destinations</code> already,
              add only what is below that line.
              <pre className={classes['lines']}>{kind.lines}</pre>
              <CopyButton value={kind.lines}>
                {({ copied, copy }) => (
                  <Button size="compact-xs" variant="default" onClick={copy}>
                    {copied ? 'Copied' : 'Copy'}
                  </Button>
                )}
              </CopyButton>
            </List.Item>
            <List.Item>
              Put each secret where the lines look for it: <code>{'{env: NAME}'}</code> is an environment variable of Caracal, and{' '}
              <code>{'{file: PATH}'}</code> a file that only Caracal can read. It is never in the configuration file or on this
              page.
            </List.Item>
            <List.Item>Restart Caracal, and press “Send a test” beside the destination on this page.</List.Item>
          </List>
          <Group justify="flex-end">
            <Anchor size="sm" renderRoot={(props) => <Link to="/help/$name" params={{ name: 'destinations' }} {...props} />}>
              Where to get the keys, and every option
            </Anchor>
          </Group>
        </>
      )}
    </Stack>
  )
}

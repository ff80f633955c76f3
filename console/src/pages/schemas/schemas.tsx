import { Anchor, Button, Group, TextInput } from '@mantine/core'
import { MagnifyingGlassIcon } from '@radix-ui/react-icons'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useMemo, useState } from 'react'
import { all, type Item } from '../../api/client.ts'
import { DataPage } from '../../parts/data-page.tsx'
import { type Column, DataTable } from '../../parts/data-table.tsx'
import { Empty } from '../../parts/empty.tsx'
import { Failure } from '../../parts/failure.tsx'
import { number } from '../../parts/number.ts'
import { useVolumes } from '../../parts/volume.ts'
import { useSession } from '../../session/session.tsx'

type Schema = Item<'GET /api/v1/schemas'>

/** The log types that Caracal can read, and how many events of each arrived. */
export function Schemas() {
  const { may } = useSession()
  const [text, setText] = useState('')
  const volumes = useVolumes()
  const schemas = useQuery({ queryKey: ['schemas'], queryFn: ({ signal }) => all('GET /api/v1/schemas', signal) })
  const columns = useMemo(() => columnsOf(volumes), [volumes])
  if (schemas.error) return <Failure error={schemas.error} onRetry={() => void schemas.refetch()} />
  const part = text.trim().toLowerCase()
  const shown = schemas.data?.filter(({ name }) => name.toLowerCase().includes(part))
  return (
    <DataPage
      title="Schemas"
      aside={
        <Group gap="sm">
          <TextInput
            size="xs"
            w={200}
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
            leftSection={<MagnifyingGlassIcon />}
            placeholder="Log type"
            aria-label="Filter by log type"
          />
          {may('content:try') && (
            <Button size="xs" renderRoot={(props) => <Link to="/schemas/new" {...props} />}>
              New schema
            </Button>
          )}
        </Group>
      }
    >
      <DataTable
        columns={columns}
        rows={shown && [...shown].sort((a, b) => (volumes?.get(b.name) ?? 0) - (volumes?.get(a.name) ?? 0))}
        keyOf={({ name }) => name}
        minWidth={420}
        empty={<Empty title="No log type is called this">A new schema can be written from a few pasted records.</Empty>}
      />
    </DataPage>
  )
}

function columnsOf(volumes: ReadonlyMap<string, number> | undefined): Column<Schema>[] {
  return [
    {
      name: 'Log type',
      value: ({ name }) => name,
      show: ({ name }) => (
        <Anchor fw={600} renderRoot={(props) => <Link to="/schemas/$name" params={{ name }} {...props} />}>
          {name}
        </Anchor>
      ),
    },
    { name: 'From', value: ({ file }) => (file ? 'a schema file' : 'Caracal itself') },
    {
      name: 'Events in the last day',
      value: ({ name }) => volumes?.get(name) ?? 0,
      show: ({ name }) => {
        const events = volumes?.get(name)
        return events === undefined ? '–' : number(events)
      },
      isNumber: true,
    },
  ]
}

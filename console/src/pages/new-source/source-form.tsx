import { Button, Group, MultiSelect, Radio, Stack, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { all } from '../../api/client.ts'
import { useSession } from '../../session/session.tsx'
import { KINDS, type Wish } from './kinds.ts'
import classes from './new-source.module.css'

interface SourceFormProps {
  readonly isAdding: boolean
  onSubmit(wish: Wish): void
}

/** What sends, what it is called, and which log types it has. */
export function SourceForm({ isAdding, onSubmit }: SourceFormProps) {
  const [value, setValue] = useState(KINDS[0]!.value)
  const [name, setName] = useState<string>()
  const [chosen, setChosen] = useState<readonly string[]>()
  const [listen, setListen] = useState('0.0.0.0:5514')
  const kind = KINDS.find((one) => one.value === value)!
  const id = name ?? kind.value
  const logTypes = chosen ?? kind.logTypes
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        onSubmit({ kind, id: id.trim(), logTypes, listen: listen.trim() })
      }}
    >
      <Stack gap="md">
        <Radio.Group
          label="What sends the logs?"
          value={value}
          onChange={(next) => {
            setValue(next)
            setChosen(undefined)
          }}
        >
          <div className={classes['kinds']}>
            {KINDS.map((one) => (
              <Radio key={one.value} value={one.value} label={one.title} description={one.hint} />
            ))}
          </div>
        </Radio.Group>
        <TextInput
          label="Name"
          description="Lower-case letters, digits, - and _. It is part of the address that senders use."
          maw={420}
          required
          pattern="[a-z0-9][a-z0-9_\-]*"
          value={id}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <LogTypes value={logTypes} onChange={setChosen} />
        {kind.port !== undefined && (
          <TextInput
            label="Address and port"
            description="Where it listens; 127.0.0.1 accepts senders on this machine only."
            maw={420}
            required
            value={listen}
            onChange={(event) => setListen(event.currentTarget.value)}
          />
        )}
        <Group>
          <Button type="submit" loading={isAdding}>
            {kind.lines ? 'Show the lines' : 'Add the source'}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}

interface LogTypesProps {
  readonly value: readonly string[]
  onChange(value: readonly string[]): void
}

function LogTypes({ value, onChange }: LogTypesProps) {
  const { may } = useSession()
  const schemas = useQuery({
    queryKey: ['schemas'],
    enabled: may('content:read'),
    queryFn: ({ signal }) => all('GET /api/v1/schemas', signal),
  })
  return (
    <MultiSelect
      label="Log types"
      description="Leave it empty to recognise the type of each record by its fields. Text, and JSON that looks like another, needs its type."
      maw={420}
      searchable
      limit={50}
      data={(schemas.data ?? []).map(({ name }) => name)}
      value={[...value]}
      onChange={onChange}
      nothingFoundMessage="No log type is called this. A schema makes one: see Schemas."
    />
  )
}

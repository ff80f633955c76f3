import { Anchor, Breadcrumbs, Button, Group, Text, Textarea, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { call } from '../../api/client.ts'
import { announce } from '../../parts/announce.tsx'
import { DataPage } from '../../parts/data-page.tsx'
import { TableChangeView, TableRefusal } from './table-change.tsx'

const EMPTY = { name: '', description: '', content: '', key: '', logType: '', fields: '' }

/** Writes a table from rows that somebody pastes. */
export function NewTable() {
  const client = useQueryClient()
  const navigate = useNavigate()
  const [made, setMade] = useState(EMPTY)
  const send = (isDry: boolean) => call('POST /api/v1/tables', { body: { ...bodyOf(made), dry_run: isDry } })
  const look = useMutation({ mutationFn: () => send(true) })
  const save = useMutation({
    mutationFn: () => send(false),
    onSuccess: () => {
      announce('Saved, and in force')
      void client.invalidateQueries({ queryKey: ['tables'] })
      void navigate({ to: '/tables/$name', params: { name: made.name.trim() } })
    },
  })
  const set = (part: Partial<typeof EMPTY>) => {
    setMade({ ...made, ...part })
    look.reset()
    save.reset()
  }
  const error = save.error ?? look.error
  return (
    <DataPage title="New table">
      <Breadcrumbs>
        <Anchor renderRoot={(props) => <Link to="/tables" {...props} />}>Tables</Anchor>
        <Text c="dimmed">New</Text>
      </Breadcrumbs>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          save.reset()
          look.mutate()
        }}
      >
        <Group align="flex-start" mb="sm">
          <TextInput
            label="Name"
            description="Rules read its rows under this name."
            w={280}
            required
            maxLength={200}
            value={made.name}
            onChange={(event) => set({ name: event.currentTarget.value })}
          />
          <TextInput
            label="Description"
            description="For whoever finds it later."
            w={420}
            maxLength={2000}
            value={made.description}
            onChange={(event) => set({ description: event.currentTarget.value })}
          />
        </Group>
        <Textarea
          label="Rows"
          description="CSV with a header line, or a JSON object per line."
          classNames={{ input: 'mono' }}
          autosize
          minRows={6}
          maxRows={16}
          required
          value={made.content}
          onChange={(event) => set({ content: event.currentTarget.value })}
        />
        <Group align="flex-start" my="sm">
          <TextInput
            label="Key"
            description="The column to look up by; otherwise the first."
            w={280}
            value={made.key}
            onChange={(event) => set({ key: event.currentTarget.value })}
          />
          <TextInput
            label="Log type"
            description="Whose events get a row, as in Custom.Auth."
            w={280}
            value={made.logType}
            onChange={(event) => set({ logType: event.currentTarget.value })}
          />
          <TextInput
            label="Fields"
            description="Of its events that have the key."
            w={280}
            value={made.fields}
            onChange={(event) => set({ fields: event.currentTarget.value })}
          />
        </Group>
        <Group my="sm">
          <Button type="submit" size="xs" variant="default" loading={look.isPending}>
            Check
          </Button>
          {look.data && (
            <Button size="xs" loading={save.isPending} onClick={() => save.mutate()}>
              Save
            </Button>
          )}
        </Group>
      </form>
      <div aria-live="polite">
        {error && <TableRefusal error={error} />}
        {look.data && <TableChangeView change={look.data} />}
      </div>
    </DataPage>
  )
}

function bodyOf({ name, description, content, key, logType, fields }: typeof EMPTY) {
  const selectors = fields.split(/[\s,]+/).filter((field) => field !== '')
  return {
    name: name.trim(),
    content,
    ...(description.trim() !== '' && { description: description.trim() }),
    ...(key.trim() !== '' && { primary_key: [key.trim()] }),
    ...(logType.trim() !== '' && { log_types: [{ log_type: logType.trim(), selectors }] }),
  }
}

import { Button, Group, Text, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { call } from '../../api/client.ts'
import { announce } from '../../parts/announce.tsx'
import { Section } from '../../parts/section.tsx'
import { TableRefusal } from './table-change.tsx'

interface WriteRowProps {
  readonly name: string
  readonly columns: readonly string[]
  readonly primaryKey: readonly string[]
}

/** Adds a row, or writes that of a key again. */
export function WriteRow({ name, columns, primaryKey }: WriteRowProps) {
  const client = useQueryClient()
  const [row, setRow] = useState<Readonly<Record<string, string>>>({})
  const save = useMutation({
    mutationFn: () => {
      const set = [Object.fromEntries(Object.entries(row).filter(([, value]) => value !== ''))]
      return call('PATCH /api/v1/tables/{name}/content', { path: { name }, body: { set } })
    },
    onSuccess: ({ counts }) => {
      announce(counts.added > 0 ? 'The row was added' : counts.changed > 0 ? 'The row was changed' : 'It was there already')
      setRow({})
      void client.invalidateQueries({ queryKey: ['tables'] })
    },
  })
  return (
    <Section title="Add a row">
      <form
        onSubmit={(event) => {
          event.preventDefault()
          save.mutate()
        }}
      >
        <Group align="flex-end" gap="sm">
          {columns.map((column) => (
            <TextInput
              key={column}
              label={column}
              required={primaryKey.includes(column)}
              value={row[column] ?? ''}
              onChange={({ currentTarget: { value } }) => setRow((now) => ({ ...now, [column]: value }))}
            />
          ))}
          <Button type="submit" variant="default" loading={save.isPending}>
            Add row
          </Button>
        </Group>
      </form>
      <Text mt="xs" c="dimmed">
        It takes the place of the row with its key, if there is one.
      </Text>
      {save.error && <TableRefusal error={save.error} />}
    </Section>
  )
}

/** Removes the row that was looked up. */
export function RemoveRow({ name, rowKey, onDone }: { readonly name: string; readonly rowKey: string; onDone(): void }) {
  const client = useQueryClient()
  const remove = useMutation({
    mutationFn: () => call('PATCH /api/v1/tables/{name}/content', { path: { name }, body: { remove: [rowKey] } }),
    onSuccess: () => {
      announce('The row was removed')
      onDone()
      void client.invalidateQueries({ queryKey: ['tables'] })
    },
  })
  return (
    <>
      <Button mt="xs" size="xs" variant="default" loading={remove.isPending} onClick={() => remove.mutate()}>
        Remove row
      </Button>
      {remove.error && <TableRefusal error={remove.error} />}
    </>
  )
}

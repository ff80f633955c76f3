import { Button, Checkbox, FileInput, Group } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { call } from '../../api/client.ts'
import { announce } from '../../parts/announce.tsx'
import { counted } from '../../parts/number.ts'
import { Section } from '../../parts/section.tsx'
import { base64Of } from './content-file.ts'
import { TableChangeView, TableRefusal } from './table-change.tsx'

/** Uploads a file as the next version of a table: what would change is shown before it is in force. */
export function UploadVersion({ name }: { readonly name: string }) {
  const client = useQueryClient()
  const [file, setFile] = useState<File | null>(null)
  const [accept, setAccept] = useState(false)
  const send = async (isDry: boolean) => {
    const body = { content_base64: await base64Of(file!), dry_run: isDry, accept }
    return call('PUT /api/v1/tables/{name}/content', { path: { name }, body })
  }
  const look = useMutation({ mutationFn: () => send(true) })
  const save = useMutation({
    mutationFn: () => send(false),
    onSuccess: ({ rows }) => {
      announce(`In force: ${counted(rows, 'row')}`)
      setFile(null)
      setAccept(false)
      look.reset()
      void client.invalidateQueries({ queryKey: ['tables'] })
    },
  })
  const choose = (chosen: File | null) => {
    setFile(chosen)
    look.reset()
    save.reset()
  }
  const error = save.error ?? look.error
  return (
    <Section title="Upload a version">
      <form
        onSubmit={(event) => {
          event.preventDefault()
          save.reset()
          look.mutate()
        }}
      >
        <Group align="flex-end" gap="sm">
          <FileInput
            label="File"
            description="CSV or JSON lines, also compressed. It takes the place of all rows."
            placeholder="Choose a file"
            w={360}
            clearable
            value={file}
            onChange={choose}
          />
          <Button type="submit" variant="default" disabled={file === null} loading={look.isPending}>
            Show what changes
          </Button>
        </Group>
        {error && (
          <Checkbox
            mt="sm"
            label="Accept it even if the table shrinks or grows by more than its checks allow"
            checked={accept}
            onChange={(event) => setAccept(event.currentTarget.checked)}
          />
        )}
      </form>
      <div aria-live="polite">
        {error && <TableRefusal error={error} />}
        {look.data && (
          <>
            <Group my="sm">
              <Button size="xs" loading={save.isPending} onClick={() => save.mutate()}>
                Put in force
              </Button>
            </Group>
            <TableChangeView change={look.data} />
          </>
        )}
      </div>
    </Section>
  )
}

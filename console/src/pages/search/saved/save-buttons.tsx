import { Button } from '@mantine/core'
import { useState } from 'react'
import { useSession } from '../../../session/session.tsx'
import { type Saveable, SaveDialog } from './save-dialog.tsx'
import { useSavedSearch } from './saved-data.ts'

interface SaveButtonsProps {
  readonly what: Saveable
  /** The saved search that is shown. */
  readonly saved?: string | undefined
  onSaved(name: string): void
}

/** Saves a search: in place of the saved one that is shown, or as another one. */
export function SaveButtons({ what, saved, onSaved }: SaveButtonsProps) {
  const { may } = useSession()
  const [open, setOpen] = useState<'change' | 'new'>()
  const known = useSavedSearch(saved)
  if (!may('content:change')) return null
  const canChange = known.data?.read_only === null
  const done = (name: string) => {
    setOpen(undefined)
    onSaved(name)
  }
  return (
    <>
      {canChange && (
        <Button size="xs" variant="default" onClick={() => setOpen('change')}>
          Save changes…
        </Button>
      )}
      <Button size="xs" variant="default" onClick={() => setOpen('new')}>
        {saved === undefined ? 'Save…' : 'Save as…'}
      </Button>
      {open && (
        <SaveDialog
          what={what}
          replaces={open === 'change' ? known.data : undefined}
          onClose={() => setOpen(undefined)}
          onSaved={done}
        />
      )}
    </>
  )
}

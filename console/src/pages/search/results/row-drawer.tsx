import { Button, CopyButton, Drawer, SegmentedControl } from '@mantine/core'
import { useState } from 'react'
import { JsonTree } from '../../../parts/json-tree.tsx'
import { readNested } from './result-rows.ts'
import classes from './row-drawer.module.css'

interface RowDrawerProps {
  readonly title: string
  readonly row: Readonly<Record<string, unknown>> | undefined
  onClose(): void
}

/** Characters of JSON that are shown; the whole can be copied. */
const MOST_CHARS = 200_000

/** All values of a row. */
export function RowDrawer({ title, row, onClose }: RowDrawerProps) {
  const [view, setView] = useState('fields')
  return (
    <Drawer
      opened={row !== undefined}
      onClose={onClose}
      position="right"
      size="min(48rem, 100vw)"
      title={<b>{title}</b>}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <div className={classes['bar']}>
        <SegmentedControl
          size="xs"
          aria-label="View of the row"
          value={view}
          onChange={setView}
          data={[
            { value: 'fields', label: 'Fields' },
            { value: 'json', label: 'JSON' },
          ]}
        />
        {row && (
          <CopyButton value={JSON.stringify(row)}>
            {({ copied, copy }) => (
              <Button size="xs" variant="default" onClick={copy}>
                {copied ? 'Copied' : 'Copy as JSON'}
              </Button>
            )}
          </CopyButton>
        )}
      </div>
      {row && (view === 'json' ? <Json row={row} /> : <Fields row={row} />)}
    </Drawer>
  )
}

type Shown = NonNullable<RowDrawerProps['row']>

function Fields({ row }: { readonly row: Shown }) {
  return <JsonTree value={Object.fromEntries(Object.entries(row).map(([name, value]) => [name, readNested(value)]))} />
}

function Json({ row }: { readonly row: Shown }) {
  const text = JSON.stringify(row, null, 2)
  return (
    <pre className={`${classes['json']} foreign`}>
      {text.slice(0, MOST_CHARS)}
      {text.length > MOST_CHARS && '\n… copy it to see all'}
    </pre>
  )
}

import { SegmentedControl, UnstyledButton } from '@mantine/core'
import { ChevronRightIcon } from '@radix-ui/react-icons'
import { useState } from 'react'
import classes from './event-card.module.css'
import { JsonTree } from './json-tree.tsx'
import { When } from './when.tsx'

export type StoredEvent = Readonly<Record<string, unknown>>

interface EventCardProps {
  readonly event: StoredEvent
  readonly isOpen?: boolean
}

/** One event: a line of its main values, and, opened, its fields, the fields that Caracal added, and the raw record. */
export function EventCard({ event, isOpen = false }: EventCardProps) {
  const [open, setOpen] = useState(isOpen)
  const [view, setView] = useState('fields')
  const time = event['p_event_time']
  return (
    <div className={classes['card']}>
      <UnstyledButton className={classes['line']!} onClick={() => setOpen(!open)} aria-expanded={open}>
        <ChevronRightIcon className={classes['chevron']} />
        {typeof time === 'string' && <When time={time} />}
        <b>{String(event['p_log_type'] ?? '')}</b>
        <span className={`${classes['text']} foreign`}>{lineOf(event)}</span>
      </UnstyledButton>
      {open && (
        <div className={classes['body']}>
          <SegmentedControl
            size="xs"
            aria-label="View"
            value={view}
            onChange={setView}
            data={[
              { value: 'fields', label: 'Fields' },
              { value: 'added', label: 'Added by Caracal' },
              { value: 'raw', label: 'Raw' },
            ]}
          />
          <View event={event} view={view} />
        </div>
      )}
    </div>
  )
}

function View({ event, view }: { readonly event: StoredEvent; readonly view: string }) {
  if (view === 'raw') {
    const raw = event['p_raw']
    return <pre className={`${classes['raw']} foreign`}>{typeof raw === 'string' ? raw : JSON.stringify(event, null, 2)}</pre>
  }
  const isAdded = (name: string) => name.startsWith('p_')
  const fields = Object.entries(event).filter(
    ([name, value]) => isAdded(name) === (view === 'added') && name !== 'p_raw' && !isEmpty(value),
  )
  return <JsonTree value={Object.fromEntries(fields.map(([name, value]) => [name, read(value)]))} />
}

function isEmpty(value: unknown): boolean {
  return value === null || (Array.isArray(value) && value.length === 0)
}

/** The lake keeps nested values as JSON text. */
function read(value: unknown): unknown {
  if (typeof value !== 'string' || !/^[[{]/.test(value)) return value
  try {
    return JSON.parse(value)
  } catch {
    return value
  }
}

const MOST_CHARS = 400

function lineOf(event: StoredEvent): string {
  let line = ''
  for (const [name, value] of Object.entries(event)) {
    if (name.startsWith('p_') || isEmpty(value)) continue
    line += `${name}=${typeof value === 'string' ? value.slice(0, 80) : (JSON.stringify(value)?.slice(0, 80) ?? '')}  `
    if (line.length > MOST_CHARS) break
  }
  return line.slice(0, MOST_CHARS)
}

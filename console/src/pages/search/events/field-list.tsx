import { TextInput, UnstyledButton } from '@mantine/core'
import { ChevronRightIcon } from '@radix-ui/react-icons'
import { useMemo, useState } from 'react'
import { number } from '../../../parts/number.ts'
import type { Ask, FoundEvent } from './event-data.ts'
import type { EventFilter } from './event-filter.ts'
import classes from './field-list.module.css'
import { FieldSummaryView } from './field-summary.tsx'

interface FieldListProps {
  readonly ask: Ask
  readonly events: readonly FoundEvent[]
  readonly shown: readonly string[]
  onFilter(filter: EventFilter): void
  /** Shows a field as a column, or hides it. */
  onColumn(field: string): void
}

/** Events whose fields are listed. */
const SAMPLE = 200
/** Fields that are in the page before somebody searches. */
const FIRST = 100

/** The fields of the events, with what they contain. */
export function FieldList({ ask, events, shown, onFilter, onColumn }: FieldListProps) {
  const [search, setSearch] = useState('')
  const [open, setOpen] = useState<string>()
  const counts = useMemo(() => countsOf(events.slice(0, SAMPLE)), [events])
  const sample = Math.min(SAMPLE, events.length)
  const found = counts.filter(([name]) => name.toLowerCase().includes(search.trim().toLowerCase()))
  return (
    <div>
      <TextInput
        size="xs"
        aria-label="Find a field"
        placeholder={`Find one of ${number(counts.length)} fields`}
        value={search}
        onChange={(event) => setSearch(event.currentTarget.value)}
      />
      <ul className={classes['list']}>
        {found.slice(0, FIRST).map(([name, count]) => (
          <li key={name}>
            <UnstyledButton
              className={classes['name']!}
              aria-expanded={open === name}
              onClick={() => setOpen(open === name ? undefined : name)}
            >
              <ChevronRightIcon className={classes['chevron']} />
              <span className={`${classes['text']} foreign`}>{name.slice(0, 200)}</span>
              <span className={classes['share']} title={`In ${count} of the newest ${sample} events`}>
                {Math.round((100 * count) / sample)} %
              </span>
            </UnstyledButton>
            {open === name && (
              <FieldSummaryView
                ask={ask}
                field={name}
                isShown={shown.includes(name)}
                onFilter={onFilter}
                onColumn={() => onColumn(name)}
              />
            )}
          </li>
        ))}
      </ul>
      {found.length > FIRST && <p className={classes['more']}>{number(found.length - FIRST)} more: type a part of the name.</p>}
      {found.length === 0 && <p className={classes['more']}>No field of these events is called this.</p>}
    </div>
  )
}

/** Fields and how many of the events have them: first those of the log, then those that Caracal adds. */
function countsOf(events: readonly FoundEvent[]): (readonly [name: string, count: number])[] {
  const counts = new Map<string, number>()
  for (const { event } of events)
    for (const [name, value] of Object.entries(event))
      if (name !== 'p_raw' && !(Array.isArray(value) && value.length === 0)) counts.set(name, (counts.get(name) ?? 0) + 1)
  const isAdded = (name: string) => Number(name.startsWith('p_'))
  return [...counts].sort(([a, x], [b, y]) => isAdded(a) - isAdded(b) || y - x || (a < b ? -1 : 1))
}

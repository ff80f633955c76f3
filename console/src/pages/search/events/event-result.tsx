import { Drawer, Text } from '@mantine/core'
import { useMemo, useState } from 'react'
import { EventCard } from '../../../parts/event-card.tsx'
import { number } from '../../../parts/number.ts'
import { JsonLines } from '../results/json-lines.tsx'
import { ResultTable } from '../results/result-table.tsx'
import { ViewSwitch } from '../results/view-switch.tsx'
import type { SearchParams } from '../search-params.ts'
import { type Ask, type EventPage, eventPages, type FoundEvent } from './event-data.ts'
import { withFilter } from './event-filter.ts'
import { MOST_EVENTS, useEventRows } from './event-rows.ts'
import classes from './event-search.module.css'
import { FieldList } from './field-list.tsx'

interface EventResultProps {
  readonly search: SearchParams
  readonly ask: Ask
  /** The newest events. */
  readonly found: EventPage
  /** Number of all events. */
  readonly total: number
  onError(error: unknown): void
  onChange(search: SearchParams): void
}

const NONE: readonly string[] = []

/** The fields of the events beside the events. */
export function EventResult({ search, ask, found, total, onError, onChange }: EventResultProps) {
  const { columns = NONE, where = [], view } = search
  const { results } = found
  const count = Math.max(results.length, Math.min(total, MOST_EVENTS))
  const store = useMemo(() => eventPages(ask, count, found), [ask, count, found])
  const rows = useEventRows(store, count, columns, onError)
  const shown = useMemo(() => rows.columns.map((_, i) => i), [rows.columns])
  const [open, setOpen] = useState<FoundEvent>()
  const openRow = useMemo(() => (index: number) => setOpen(store.row(index)), [store])
  const toggle = (field: string) =>
    onChange({ ...search, columns: columns.includes(field) ? columns.filter((one) => one !== field) : [...columns, field] })
  return (
    <div className={classes['result']}>
      <div className={classes['fields']}>
        <FieldList
          ask={ask}
          events={results}
          shown={columns}
          onFilter={(filter) => onChange({ ...search, where: withFilter(where, filter) })}
          onColumn={toggle}
        />
      </div>
      <div>
        <ViewSwitch view={view} onChange={(next) => onChange({ ...withoutView(search), ...next })} />
        {view === 'json' ? (
          <JsonLines rows={rows} textOf={(index) => JSON.stringify(rows.event(index)?.event ?? null)} onOpen={openRow} />
        ) : (
          <ResultTable rows={rows} shown={shown} onOpen={openRow} />
        )}
        {total > MOST_EVENTS && (
          <Text c="dimmed" size="sm" mt="xs">
            The newest {number(MOST_EVENTS)} are listed. Choose an earlier time to see older ones.
          </Text>
        )}
      </div>
      <Drawer
        opened={open !== undefined}
        onClose={() => setOpen(undefined)}
        position="right"
        size="min(48rem, 100vw)"
        title={<b>{open?.log_type}</b>}
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        {open && <EventCard key={open.row_id} event={open.event} isOpen />}
      </Drawer>
    </div>
  )
}

function withoutView({ view: _, ...search }: SearchParams): SearchParams {
  return search
}

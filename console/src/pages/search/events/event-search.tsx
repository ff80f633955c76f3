import { Button, Group, Loader, MultiSelect, Text, TextInput } from '@mantine/core'
import { useMemo, useState } from 'react'
import { Empty } from '../../../parts/empty.tsx'
import { Failure } from '../../../parts/failure.tsx'
import { number } from '../../../parts/number.ts'
import { SaveButtons } from '../saved/save-buttons.tsx'
import type { Saveable } from '../saved/save-dialog.tsx'
import type { SearchParams } from '../search-params.ts'
import { useSqlNames } from '../sql/sql-names.ts'
import { DEFAULT_SPAN, isSpan, spanSeconds, timesOf } from '../time-range.ts'
import { TimeRangePicker } from '../time-range-picker.tsx'
import { useAsk, useEvents } from './event-data.ts'
import { EventHistogram } from './event-histogram.tsx'
import { EventResult } from './event-result.tsx'
import classes from './event-search.module.css'
import { FilterBar } from './filter-bar.tsx'
import { tableOf, useLogTypes } from './log-types.ts'
import { SearchSql } from './search-sql.tsx'

interface EventSearchProps {
  readonly search: SearchParams
  onChange(search: SearchParams): void
}

/** Events found by the values of their fields, without SQL. */
export function EventSearch({ search, onChange }: EventSearchProps) {
  const [run, setRun] = useState(0)
  const ask = useAsk(search, run)
  const found = useEvents(ask)
  const names = useSqlNames()
  const fields = useMemo(() => fieldsOf(names, search.types ?? []), [names, search.types])
  const logTypes = useLogTypes(names)
  const { text, where = [], types = [] } = search
  const change = (next: Partial<SearchParams>) => onChange({ ...search, ...next })
  const first = found.data?.page
  const [problem, setProblem] = useState<unknown>()
  const total = first?.histogram?.bars.reduce((sum, bar) => sum + bar.events, 0) ?? 0
  const again = () => {
    setProblem(undefined)
    setRun(run + 1)
  }
  return (
    <div className={classes['search']}>
      <div className={classes['controls']}>
        <TimeRangePicker range={search} onChange={({ since, until }) => onChange(withRange(search, since, until))} />
        <MultiSelect
          size="xs"
          aria-label="Log types"
          placeholder={types.length === 0 ? 'All log types' : ''}
          data={[...new Set([...logTypes, ...types])]}
          value={types}
          onChange={(value) => change({ types: value })}
          searchable
          clearable
          className={classes['types']!}
        />
        <WholeText key={text} text={text ?? ''} onChange={(value) => change({ text: value })} />
        <Button size="xs" onClick={again} loading={found.isFetching}>
          Search
        </Button>
      </div>
      <FilterBar filters={where} ask={ask} fields={fields} onChange={(filters) => change({ where: filters })} />
      {(found.error ?? problem) ? (
        <Failure error={found.error ?? problem} onRetry={again} />
      ) : !first ? (
        <Loader size="sm" aria-label="Searching" />
      ) : (
        <>
          {first.histogram && (
            <EventHistogram
              histogram={first.histogram}
              since={first.since}
              until={first.until}
              onBrush={({ since, until }) => onChange(withRange(search, since, until))}
            />
          )}
          <div className={classes['line']}>
            <Text c="dimmed" size="sm" role="status">
              {total === 1 ? '1 event' : `${number(total)} events`}
            </Text>
            <Group gap="xs">
              <SaveButtons what={{ search: saveableOf(search) }} onSaved={() => onChange({ tab: 'saved' })} />
              <SearchSql sql={first.sql} onEdit={(sql) => onChange({ tab: 'sql', sql })} />
            </Group>
          </div>
          {first.results.length === 0 ? (
            <NoEvents search={search} onChange={onChange} />
          ) : (
            <EventResult
              search={search}
              ask={found.data?.ask ?? ask}
              found={first}
              total={total}
              onError={setProblem}
              onChange={onChange}
            />
          )}
        </>
      )}
    </div>
  )
}

function NoEvents({ search, onChange }: EventSearchProps) {
  const isAll = search.since === '3650d' && search.until === undefined
  const isFiltered = (search.where ?? []).length > 0 || (search.types ?? []).length > 0 || (search.text ?? '') !== ''
  return (
    <Empty title="No events">
      {isAll && isFiltered && 'Nothing meets all of these filters. Remove one of them.'}
      {isAll && !isFiltered && 'Nothing has been stored yet. The page “Sources” says whether logs arrive.'}
      {!isAll && (
        <>
          Nothing in this time{isFiltered && ' meets these filters'}.{' '}
          <Button size="compact-sm" variant="light" onClick={() => onChange(withRange(search, '3650d', undefined))}>
            Search all time
          </Button>
        </>
      )}
    </Empty>
  )
}

function WholeText({ text, onChange }: { readonly text: string; onChange(text: string): void }) {
  const [value, setValue] = useState(text)
  return (
    <form
      className={classes['text']}
      onSubmit={(event) => {
        event.preventDefault()
        onChange(value.trim())
      }}
    >
      <TextInput
        size="xs"
        aria-label="Text in any field"
        placeholder="Text in any field"
        value={value}
        onChange={(event) => setValue(event.currentTarget.value)}
        onBlur={() => value.trim() !== text && onChange(value.trim())}
      />
    </form>
  )
}

/** The search as it is saved: a span stays a span before each run. */
function saveableOf({ types, where, text, since = DEFAULT_SPAN, until }: SearchParams): NonNullable<Saveable['search']> {
  const isOpen = until === undefined && isSpan(since)
  return {
    ...(isOpen ? { last_seconds: spanSeconds(since) } : timesOf({ since, ...(until !== undefined && { until }) }, Date.now())),
    ...(types && { log_types: types }),
    ...(where && { filters: where }),
    ...(text && { text }),
  }
}

/** The search with another time; without those that are not given. */
function withRange({ since: _, until: __, ...rest }: SearchParams, since?: string, until?: string): SearchParams {
  return { ...rest, ...(since !== undefined && { since }), ...(until !== undefined && { until }) }
}

/** All fields of the tables of log types, or of all of them. */
function fieldsOf(names: Readonly<Record<string, readonly string[]>>, types: readonly string[]): string[] {
  const wanted = types.map(tableOf)
  const found = new Set<string>()
  for (const [table, columns] of Object.entries(names))
    if (wanted.length === 0 ? table.startsWith('logs.') : wanted.includes(table)) for (const column of columns) found.add(column)
  return [...found].sort()
}

import { createElement, useMemo } from 'react'
import { When } from '../../../parts/when.tsx'
import type { PageStore } from '../results/page-store.ts'
import type { ResultColumn, ResultRows } from '../results/result-rows.ts'
import { usePages } from '../results/use-pages.ts'
import type { FoundEvent } from './event-data.ts'

/** Events that are listed; older ones are found by a narrower time. */
export const MOST_EVENTS = 1_000_000

const TIME: ResultColumn = {
  name: 'Time',
  type: 'the time of the event',
  show: (time) => createElement(When, { time: String(time) }),
}
const LOG_TYPE: ResultColumn = { name: 'Log type', type: 'String' }
const LINE: ResultColumn = { name: 'Event', type: 'its message and its first fields' }

export interface EventRows extends ResultRows {
  /** `undefined` until it has been read. */
  event(index: number): FoundEvent | undefined
}

/** Events as rows of a table: time, log type, and the chosen fields, or a line for people. */
export function useEventRows(
  store: PageStore<FoundEvent>,
  count: number,
  fields: readonly string[],
  onError: (error: unknown) => void,
): EventRows {
  const version = usePages(store, onError)
  const key = fields.join('\n')
  const { columns, rowOf } = useMemo(() => shapeOf(key === '' ? [] : key.split('\n')), [key])
  // biome-ignore lint/correctness/useExhaustiveDependencies(version): the rows are others after a change.
  return useMemo(() => {
    const event = (index: number) => store.row(index)
    const row = (index: number) => {
      const found = event(index)
      return found && rowOf(found)
    }
    return { columns, count, event, row, want: (first, last) => store.want(first, last) }
  }, [columns, rowOf, count, store, version])
}

/** The columns of some fields, and the row of an event, which is the same one each time. */
function shapeOf(fields: readonly string[]) {
  const known = new WeakMap<FoundEvent, readonly unknown[]>()
  const rowOf = (found: FoundEvent): readonly unknown[] => {
    let row = known.get(found)
    if (!row) {
      const { time, log_type, summary, event } = found
      row = [time, log_type, ...(fields.length === 0 ? [summary] : fields.map((name) => fieldOf(event, name)))]
      known.set(found, row)
    }
    return row
  }
  const columns = [TIME, LOG_TYPE, ...(fields.length === 0 ? [LINE] : fields.map((name) => ({ name, type: 'a field' })))]
  return { columns, rowOf }
}

/** A column, or a member of a JSON column: `detail.user.id`. */
export function fieldOf(event: Readonly<Record<string, unknown>>, name: string): unknown {
  if (Object.hasOwn(event, name)) return event[name]
  const parts = name.split('.')
  for (let length = parts.length - 1; length > 0; length--) {
    const column = parts.slice(0, length).join('.')
    if (Object.hasOwn(event, column)) return memberOf(event[column], parts.slice(length))
  }
  return undefined
}

function memberOf(value: unknown, path: readonly string[]): unknown {
  let member = value
  if (typeof value === 'string') {
    try {
      member = JSON.parse(value)
    } catch {
      return undefined
    }
  }
  for (const key of path) {
    if (member === null || typeof member !== 'object' || !Object.hasOwn(member, key)) return undefined
    member = (member as Record<string, unknown>)[key]
  }
  return member
}

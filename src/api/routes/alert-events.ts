import { z } from 'zod'
import type { Engine } from '../../engine/engine.ts'
import type { StoredAlert } from '../../model/alert.ts'
import { splitJsonArray } from '../../util/json-spans.ts'
import { alertTables } from '../alert-tables.ts'
import { ApiError } from '../errors.ts'
import { type ExactAnswer, exactAnswer } from '../exact-json.ts'
import { cursorOf, readCursor } from '../paging.ts'

interface Events {
  readonly results: Record<string, unknown>[]
  readonly next: string | null
}

/** A row: its table, its time and id there, and how many rows of a page up to it have the same. */
type Place = readonly [table: string, time: string, rowId: string, same: number]
const placeSchema = z.tuple([z.string(), z.string(), z.string(), z.int().min(0)])

interface Row {
  readonly text: string
  readonly place: Place
}

interface Page {
  readonly limit: number
  readonly cursor?: string | undefined
}

/** The lake rows of an alert's events, reading the table of each log type until there are `limit` rows. */
export async function alertEvents(
  engine: Engine,
  { alertId, body }: StoredAlert,
  { limit, cursor }: Page,
  signal: AbortSignal,
): Promise<ExactAnswer<Events, 200>> {
  const tables = alertTables(body.type, body.logTypes)
  const after: Place | undefined = cursor === undefined ? undefined : readCursor(cursor, placeSchema)
  const first = after ? tables.indexOf(after[0]) : 0
  if (first < 0) throw new ApiError(400, 'bad_request', 'the cursor does not come from the events of this alert')
  const rows: Row[] = []
  let isCut = false
  for (const table of tables.slice(first)) {
    const begin: Place | undefined = table === after?.[0] ? after : undefined
    const { sql, params } = pageSql(table, begin)
    // Only the first query must wait for a flush; it covers the other tables too.
    const fresh = rows.length === 0
    const values = { ...params, alert: alertId, limit: limit + 1 - rows.length }
    const answer = await engine.query(sql, { params: values, signal, maxRows: limit + 1, fresh })
    let last = begin
    for (const text of answer.rows) {
      const place = placeOf(table, answer.columns, text, last)
      rows.push({ text: asObject(answer.columns, text), place })
      last = place
    }
    isCut = answer.truncated && answer.rows.length > 0
    if (isCut || rows.length > limit) break
  }
  const shown = rows.slice(0, limit)
  const next = isCut || rows.length > limit ? cursorOf(shown.at(-1)!.place) : null
  return exactAnswer(`{"results":[${shown.map(({ text }) => text).join(',')}],"next":${JSON.stringify(next)}}`, 200)
}

function pageSql(
  table: string,
  after: Place | undefined,
): { readonly sql: string; readonly params: Record<string, string | number> } {
  const order = `${timeOf(table)}, ifNull(p_row_id, '')`
  const rest = after ? ` AND (${order}) >= (parseDateTime64BestEffort({time:String}, 9, 'UTC'), {row:String})` : ''
  // Rows about no event, such as errors in a rule's code, have no id, so that several can be at one place.
  const skip = after ? ' OFFSET {same:UInt32}' : ''
  return {
    sql: `SELECT * FROM ${table} WHERE p_alert_id = {alert:String}${rest} ORDER BY ${order} LIMIT {limit:UInt32}${skip}`,
    params: after ? { time: after[1], row: after[2], same: after[3] } : {},
  }
}

function timeOf(table: string): string {
  return table.startsWith('monitor.') ? 'p_parse_time' : 'p_event_time'
}

type Columns = readonly { readonly name: string }[]

function placeOf(table: string, columns: Columns, values: string, before: Place | undefined): Place {
  const { elements } = splitJsonArray(values)
  const textOf = (name: string) => {
    const span = elements[columns.findIndex((column) => column.name === name)]
    const value: unknown = span ? JSON.parse(values.slice(span.start, span.end)) : null
    return value === null ? '' : String(value)
  }
  const [time, rowId] = [textOf(timeOf(table)), textOf('p_row_id')]
  const isSame = before?.[1] === time && before[2] === rowId
  return [table, time, rowId, isSame ? before[3] + 1 : 1]
}

/** A row's exact values by name, without nulls. */
function asObject(columns: Columns, values: string): string {
  const members = splitJsonArray(values).elements.flatMap(({ start, end }, i) => {
    const text = values.slice(start, end)
    return text === 'null' ? [] : [`${JSON.stringify(columns[i]!.name)}:${text}`]
  })
  return `{${members.join(',')}}`
}

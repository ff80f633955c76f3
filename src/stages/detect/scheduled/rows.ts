import type { JsonObject, JsonValue } from '../../../model/json.ts'
import { hash16 } from '../../../util/hash.ts'
import { parseJson, setOwn } from '../../../util/json.ts'
import { queryLogType } from '../language.ts'

/** A column of a query's result. */
export interface RowColumn {
  readonly name: string
  /**
   * `json`: the cell is text that contains a JSON value; `text or json`: it may be text that contains a JSON object or list; `list of json`:
   * a list of such texts; anything else: used as is.
   */
  readonly shape: string
  /** The cell is a JSON object whose members are fields of the row, except those that are already columns. */
  readonly isRest?: boolean
}

/** A query's result as returned by the lake. */
export interface QueryRows {
  readonly query: string
  readonly dueMs: number
  /** True: somebody asked for the run, at `dueMs`; it was not due. */
  readonly isAsked?: boolean
  readonly columns: readonly RowColumn[]
  /** One exact JSON array text per row. */
  readonly rows: readonly string[]
  /** The query has more rows. Absent: false. */
  readonly isTruncated?: boolean
}

const MAX_DEPTH = 512

/**
 * The events that scheduled rules judge, one per row: the row's columns, with nested values parsed, and the standard fields that
 * the query did not select. A row without an id gets one from its content, so that the same result of the same run has the same
 * ids regardless of row order.
 */
export function rowsToEvents({ query, dueMs, columns, rows }: QueryRows): JsonObject[] {
  const seen = new Map<string, number>()
  const dueTime = new Date(dueMs).toISOString()
  return rowsToObjects({ columns, rows }).map((event, at) => {
    const row = rows[at]!
    const copy = seen.get(row) ?? 0
    seen.set(row, copy + 1)
    return complete(event, {
      p_log_type: queryLogType(query),
      p_row_id: hash16(query, String(dueMs), row, String(copy)),
      p_event_time: dueTime,
      p_parse_time: dueTime,
      p_source_id: queryLogType(query),
      p_source_label: query,
      p_schema_version: 0,
    })
  })
}

/** The rows of a result as objects, with nested values parsed. */
export function rowsToObjects({ columns, rows }: Pick<QueryRows, 'columns' | 'rows'>): JsonObject[] {
  const own = new Set(columns.filter(({ isRest }) => !isRest).map(({ name }) => name.toLowerCase()))
  return rows.map((row) => {
    const cells = parseJson(row, { maxDepth: MAX_DEPTH })
    if (cells.kind !== 'ok' || !Array.isArray(cells.value))
      throw new Error(`the lake's row is not a list of cells: ${row.slice(0, 200)}`)
    const event: JsonObject = {}
    columns.forEach((column, at) => {
      const value = unfold((cells.value as readonly JsonValue[])[at] ?? null, column.shape)
      if (column.isRest) addFields(event, value, own)
      else setOwn(event, column.name, value)
    })
    return event
  })
}

/** Adds the members of a cell that are not columns; SQL names are case-insensitive. */
function addFields(event: JsonObject, cell: JsonValue, columns: ReadonlySet<string>): void {
  if (typeof cell !== 'object' || cell === null || Array.isArray(cell)) return
  for (const [name, value] of Object.entries(cell)) {
    if (!columns.has(name.toLowerCase()) && !Object.hasOwn(event, name)) setOwn(event, name, value)
  }
}

/** The event with the missing `standard` fields added. */
function complete(event: JsonObject, standard: JsonObject): JsonObject {
  for (const [name, value] of Object.entries(standard)) {
    const own = Object.hasOwn(event, name) ? event[name] : undefined
    if (typeof own !== typeof value || own === '') event[name] = value
  }
  return event
}

function unfold(cell: JsonValue, shape: string): JsonValue {
  if (shape === 'json' && typeof cell === 'string') return readNested(cell)
  if (shape === 'text or json' && typeof cell === 'string' && /^[[{]/.test(cell)) return readNested(cell)
  if (shape !== 'list of json' || !Array.isArray(cell)) return cell
  return cell.map((member: JsonValue) => (typeof member === 'string' ? readNested(member) : member))
}

/** Text that cannot be parsed stays text. */
function readNested(text: string): JsonValue {
  const result = parseJson(text, { maxDepth: MAX_DEPTH })
  return result.kind === 'ok' ? result.value : text
}

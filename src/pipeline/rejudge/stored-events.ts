import type { Chunk } from '../../model/chunk.ts'
import type { ColumnKind } from '../../model/column.ts'
import type { Event, IndicatorField } from '../../model/event.ts'
import type { JsonObject, JsonValue } from '../../model/json.ts'
import type { EventReplay, FoundSpan, ReplayCursor } from '../../model/replay.ts'
import type { CompiledSchema } from '../../model/schema.ts'
import type { Parser } from '../../stages/parse/parser.ts'
import { quoteName, quoteText, tableName } from '../../stages/store/ddl.ts'
import { parseJson, setOwn } from '../../util/json.ts'
import { eventTable } from '../rows.ts'
import { comesBefore, type Page } from './page.ts'
import { behind, instant } from './sql.ts'

/** Columns that are not members of an event: those about its row, and those that tables join again. */
const NOT_READ = new Set(['p_source_file', 'p_generation', 'p_header', 'p_enrichment'])
/** Deeper than any record may be: stored events were limited when they arrived. */
const MAX_DEPTH = 1000

type Range = Pick<EventReplay, 'fromMs' | 'toMs' | 'by'>

/** The number of events of the log type in the range. */
export function countSql(schema: CompiledSchema, range: Range): string {
  return `SELECT count() FROM ${tableName(eventTable(schema))} WHERE ${inRange(range)}`
}

/** Events of the log type in the range after the cursor, oldest first, as `eventsPage` reads them. */
export function eventsSql(schema: CompiledSchema, range: Range, after: ReplayCursor['after'], limit: number): string {
  return selectSql(schema, [inRange(range), ...behind('p_event_time', after)], limit)
}

/** Events of the log type that have one of the values within the spans, after the cursor, oldest first, as `eventsPage` reads them. */
export function foundSql(
  schema: CompiledSchema,
  field: IndicatorField,
  spans: readonly FoundSpan[],
  after: ReplayCursor['after'],
  limit: number,
): string {
  const times = joined(spans).map(
    ([from, to]) => `p_event_time >= ${instant(from * 1000)} AND p_event_time < ${instant((to + 1) * 1000)}`,
  )
  const values = [...new Set(spans.map(([value]) => quoteText(value)))]
  const has = `hasAny(${quoteName(field)}, [${values.join(', ')}])`
  // With a plain limit the engine first reads the columns that it sorts by, and then the same granules again for the others.
  return `${selectSql(schema, [`(${times.join(' OR ')})`, has, ...behind('p_event_time', after)], limit)} WITH TIES`
}

/** The spans as ranges of seconds that do not overlap. */
function joined(spans: readonly FoundSpan[]): [number, number][] {
  const ranges: [number, number][] = []
  for (const [, from, to] of [...spans].sort((a, b) => a[1] - b[1])) {
    const last = ranges.at(-1)
    if (last && from <= last[1] + 1) last[1] = Math.max(last[1], to)
    else ranges.push([from, to])
  }
  return ranges
}

function selectSql(schema: CompiledSchema, where: readonly string[], limit: number): string {
  const columns = columnsOf(schema).map(({ name }) => quoteName(name))
  return `SELECT ${columns.join(', ')} FROM ${tableName(eventTable(schema))} WHERE ${where.join(' AND ')} ORDER BY p_event_time, p_row_id LIMIT ${limit}`
}

function inRange({ fromMs, toMs, by }: Range): string {
  const column = by === 'event' ? 'p_event_time' : 'p_parse_time'
  return `${column} >= ${instant(fromMs)} AND ${column} < ${instant(toMs)}`
}

/** The id of the only source that stored events are judged under: each finds the tables of its own source. */
export const STORED = 'stored events'

/** Rows of the result of `eventsSql`, at least one, as a page. */
export function eventsPage(replayId: string, schema: CompiledSchema, rows: readonly string[], part: number): Page {
  const chunk: Chunk = {
    bytes: Buffer.from(rows.join('\n')),
    place: '0'.repeat(16),
    offset: 0,
    context: '',
    final: true,
    faults: [],
  }
  const at = (name: string) => columnsOf(schema).findIndex((column) => column.name === name)
  const [time, rowId] = [at('p_event_time'), at('p_row_id')]
  let last = { time: '0', rowId: '' }
  for (const row of rows) {
    const values = JSON.parse(row) as string[]
    const place = { time: values[time]!, rowId: values[rowId]! }
    if (comesBefore(last, place)) last = place
  }
  return {
    replayId,
    sourceId: STORED,
    records: rows.length,
    chunks: [chunk],
    parser: storedParser(schema),
    next: { part, after: last },
  }
}

/** Reads rows of the lake as the original events. */
function storedParser(schema: CompiledSchema): Parser {
  const read = rowReader(
    schema,
    columnsOf(schema).map(({ name }) => name),
  )
  return {
    parse({ bytes }) {
      const lines = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString().split('\n').filter(Boolean)
      return {
        received: lines.length,
        groups: [{ schema, events: lines.map(read) }],
        deadLetters: [],
        spans: [],
        context: '',
        filtered: new Map(),
        guessed: new Map(),
        unknownFields: new Map(),
      }
    },
  }
}

function columnsOf({ columns }: CompiledSchema) {
  return columns.filter(({ name }) => !NOT_READ.has(name))
}

/**
 * Reads rows of the lake, each a JSON array of the values of these columns, as events with the rows of tables that were joined to them, if
 * that column is among them. What is absent in the row is absent in the event.
 */
export function rowReader(schema: CompiledSchema, names: readonly string[]): (row: string) => Event {
  const kinds = new Map(schema.columns.map(({ name, kind }) => [name, kind]))
  const members = names.map((name) => {
    const isMember = name !== 'extra' && (!NOT_READ.has(name) || name === 'p_enrichment')
    return isMember ? kinds.get(name) : undefined
  })
  const extraAt = names.indexOf('extra')
  return (row) => {
    const values = exact(row) as readonly JsonValue[]
    const event: JsonObject = {}
    members.forEach((kind, i) => {
      const value = kind === undefined ? undefined : memberOf(kind, values[i]!)
      if (value !== undefined) setOwn(event, names[i]!, value)
    })
    const extra = values[extraAt]
    if (typeof extra === 'string')
      for (const [name, value] of Object.entries(exact(extra) as JsonObject)) setOwn(event, name, value)
    return event as Event
  }
}

function memberOf(kind: ColumnKind, value: JsonValue): JsonValue | undefined {
  if (value === null) return undefined
  if (kind === 'json' && typeof value === 'string') return exact(value)
  // The lake does not distinguish an empty list from none.
  if (kind === 'strings' && Array.isArray(value) && value.length === 0) return undefined
  return value
}

function exact(text: string): JsonValue {
  const parsed = parseJson(text, { maxDepth: MAX_DEPTH })
  if (parsed.kind !== 'ok') throw new Error(`a stored row cannot be read: ${parsed.message}`)
  return parsed.value
}

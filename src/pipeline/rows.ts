import type { AlertWindow } from '../model/alert.ts'
import type { FinishedRows } from '../model/batch.ts'
import type { Column, TableSpec } from '../model/column.ts'
import type { ColumnSink } from '../model/column-sink.ts'
import { type Event, INDICATOR_FIELDS } from '../model/event.ts'
import type { Match, RuleError } from '../model/match.ts'
import type { DeadLetter } from '../model/outcome.ts'
import type { Rule } from '../model/rule.ts'
import type { CompiledSchema, RowOrigin } from '../model/schema.ts'
import { logTypeOf } from '../stages/alert/log-type.ts'
import type { Judged } from '../stages/alert/step.ts'
import { blocksOf, type ValueRow, valueEncoder } from '../util/block/encode.ts'

/** A matched event's row has these columns in addition to the event's own. */
const MATCH_COLUMNS: readonly Column[] = [
  { name: 'p_alert_id', kind: 'string' },
  { name: 'p_alert_creation_time', kind: 'timestamp' },
  { name: 'p_alert_severity', kind: 'string' },
  { name: 'p_alert_context', kind: 'json' },
  { name: 'p_rule_id', kind: 'string', required: true },
  { name: 'p_rule_tags', kind: 'strings' },
  { name: 'p_rule_reports', kind: 'json' },
  { name: 'p_rule_severity', kind: 'string' },
  { name: 'p_raw', kind: 'string' },
]

export function eventTable(schema: CompiledSchema): TableSpec {
  return { database: 'logs', table: schema.table, columns: schema.columns, timeColumn: 'p_event_time' }
}

export function matchTable(schema: CompiledSchema): TableSpec {
  return { database: 'matches', table: schema.table, columns: [...schema.columns, ...MATCH_COLUMNS], timeColumn: 'p_event_time' }
}

/** Writes matched events: the event's columns followed by the match. `tails` are the values of `MATCH_COLUMNS`. */
export function writeMatches(
  schema: CompiledSchema,
  matched: readonly { readonly event: Event; readonly tail: ValueRow }[],
  out: ColumnSink,
  origin: RowOrigin,
): void {
  schema.encode(
    matched.map(({ event }) => event),
    out,
    origin,
  )
  writeTails(
    matched.map(({ tail }) => tail),
    out,
  )
}

const writeTails = valueEncoder(MATCH_COLUMNS)

/** The values of a matched event's additional columns. `raw`: the record that the event was parsed from. */
export function matchTail(
  match: Match,
  rule: Rule | undefined,
  window: AlertWindow | undefined,
  raw: string | undefined,
): ValueRow {
  const opened = window?.opened ? new Date(window.createdMs).toISOString() : null
  return [
    window?.alertId,
    opened,
    match.severity,
    match.alertContext,
    match.ruleId,
    rule?.tags,
    JSON.stringify(rule?.reports ?? {}),
    rule?.severity,
    raw,
  ]
}

/** Every match of every rule in one wide table, `CreateAlert: false` or not, whatever it is about. */
export const SIGNALS: TableSpec = {
  database: 'signals',
  table: 'correlation_signals',
  timeColumn: 'p_event_time',
  columns: [
    { name: 'p_event_time', kind: 'timestamp', required: true },
    { name: 'p_parse_time', kind: 'timestamp', required: true },
    { name: 'p_rule_id', kind: 'string', required: true },
    { name: 'p_rule_severity', kind: 'string' },
    { name: 'p_rule_tags', kind: 'strings' },
    { name: 'p_log_type', kind: 'string' },
    { name: 'p_row_id', kind: 'string' },
    { name: 'p_source_id', kind: 'string' },
    { name: 'p_source_label', kind: 'string' },
    { name: 'p_alert_id', kind: 'string' },
    { name: 'p_alert_severity', kind: 'string' },
    { name: 'p_alert_title', kind: 'string' },
    { name: 'p_alert_context', kind: 'json' },
    ...INDICATOR_FIELDS.map((name) => ({ name, kind: 'strings' as const })),
    { name: 'p_rule_version', kind: 'string' },
    { name: 'event', kind: 'json' },
  ],
}

export function signalRow(
  item: Judged,
  match: Match,
  rule: Rule | undefined,
  window: AlertWindow | undefined,
  time: string,
): ValueRow {
  const { event, rowId, span } = item
  return [
    instant(event?.p_event_time ?? span?.last ?? time),
    time,
    match.ruleId,
    rule?.severity,
    rule?.tags,
    logTypeOf(item),
    event?.p_row_id ?? rowId,
    event?.p_source_id,
    event?.p_source_label,
    window?.alertId,
    match.severity,
    match.title.toWellFormed(),
    match.alertContext,
    ...INDICATOR_FIELDS.map((name) => event?.[name]),
    rule?.version,
    event ? item.text() : null,
  ]
}

/** A query may return a time in SQL's format. */
function instant(time: string): string {
  return /^\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d{1,9})?$/.test(time) ? `${time.replace(' ', 'T')}Z` : time
}

export const DEAD_LETTERS: TableSpec = {
  database: 'monitor',
  table: 'dead_letters',
  timeColumn: 'p_parse_time',
  columns: [
    { name: 'p_parse_time', kind: 'timestamp', required: true },
    { name: 'p_row_id', kind: 'string', required: true },
    { name: 'reason', kind: 'string', required: true },
    { name: 'message', kind: 'string', required: true },
    { name: 'source', kind: 'string', required: true },
    { name: 'position', kind: 'string', required: true },
    { name: 'length', kind: 'bigint', required: true },
    { name: 'sha256', kind: 'string', required: true },
    { name: 'raw', kind: 'string', required: true },
    { name: 'raw_encoding', kind: 'string', required: true },
    { name: 'context', kind: 'string' },
  ],
}

/** Dead letters that have been replayed: each refers to its letter by row id and time. */
export const REPLAYED: TableSpec = {
  database: 'monitor',
  table: 'replayed_dead_letters',
  timeColumn: 'p_parse_time',
  columns: [
    { name: 'p_parse_time', kind: 'timestamp', required: true },
    { name: 'p_row_id', kind: 'string', required: true },
    { name: 'letter_time', kind: 'timestamp', required: true },
    { name: 'source', kind: 'string', required: true },
    { name: 'reason', kind: 'string', required: true },
    { name: 'outcome', kind: 'string', required: true },
    { name: 'replay_id', kind: 'string', required: true },
  ],
}

/** `time`: when the batch was committed, for a letter that does not know when its record was received. */
export function deadLetterRow(letter: DeadLetter, time: string): ValueRow {
  const { raw, encoding } = rawText(letter.raw)
  const { rowId, reason, message, source, position, length, sha256, receivedMs, context } = letter
  const parsed = receivedMs === undefined || Number.isNaN(receivedMs) ? time : new Date(receivedMs).toISOString()
  // A dead letter that does not fit its table could be stored nowhere.
  const texts = [rowId, reason, message, source, position].map((text) => text.toWellFormed())
  return [parsed, ...texts, length, sha256, raw, encoding, context]
}

/** A dead letter's bytes as text if they are UTF-8, else as base64. */
export function rawText(bytes: Uint8Array): { readonly raw: string; readonly encoding: 'utf8' | 'base64' } {
  try {
    return { raw: strictUtf8.decode(bytes), encoding: 'utf8' }
  } catch {
    return { raw: Buffer.from(bytes).toString('base64'), encoding: 'base64' }
  }
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export const RULE_ERRORS: TableSpec = {
  database: 'monitor',
  table: 'rule_errors',
  timeColumn: 'p_parse_time',
  columns: [
    { name: 'p_parse_time', kind: 'timestamp', required: true },
    { name: 'p_rule_id', kind: 'string', required: true },
    { name: 'cause', kind: 'string', required: true },
    { name: 'message', kind: 'string', required: true },
    { name: 'p_log_type', kind: 'string' },
    { name: 'p_row_id', kind: 'string' },
    { name: 'p_source_id', kind: 'string' },
    { name: 'p_alert_id', kind: 'string' },
  ],
}

export function ruleErrorRow(
  error: RuleError,
  item: Pick<Judged, 'event' | 'isWider'>,
  window: AlertWindow | undefined,
  time: string,
): ValueRow {
  const { ruleId, cause, message } = error
  const { event } = item
  return [time, ruleId, cause, message.toWellFormed(), logTypeOf(item), event?.p_row_id, event?.p_source_id, window?.alertId]
}

const TABLE_VERSIONS: TableSpec = {
  database: 'monitor',
  table: 'table_versions',
  timeColumn: 'p_parse_time',
  columns: [
    { name: 'p_parse_time', kind: 'timestamp', required: true },
    { name: 'table_name', kind: 'string', required: true },
    { name: 'version', kind: 'string', required: true },
    { name: 'rows', kind: 'bigint', required: true },
  ],
}

/** The row that records a table's content and when it came into force. */
export function tableVersionRow(name: string, version: string, rows: number, nowMs: number): FinishedRows {
  return rowsOf(TABLE_VERSIONS, [[new Date(nowMs).toISOString(), name, version, rows]])[0]!
}

/** Rows of values as finished rows. Throws `UnfitRows` if the table cannot store one. */
export function rowsOf(spec: TableSpec, rows: readonly ValueRow[]): FinishedRows[] {
  return blocksOf(rows, valueEncoder(spec.columns)).map((block) => ({ spec, ...block }))
}

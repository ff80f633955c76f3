import type { IndicatorField } from '../../model/event.ts'
import { quoteText, tableName } from '../../stages/store/ddl.ts'
import { INDEX, MAX_SPANS } from '../../stages/store/indicators.ts'
import { among, instant } from '../rejudge/sql.ts'

/** Spans of a value on one day, from all rows of the index. */
const MAX_DAY_SPANS = 64

/** When a value was seen in events of one log type, epoch seconds, both included. */
export interface Sighting {
  readonly value: string
  readonly logType: string
  readonly from: number
  readonly to: number
}

/** A value's sightings on one day in one log type. */
export interface DaySightings {
  readonly value: string
  readonly logType: string
  /** Number of events. */
  readonly count: number
  readonly spans: readonly (readonly [from: number, to: number])[]
}

/** Values of the index that meet the condition, by day. */
export function indexSql(condition: string, field: IndicatorField, logTypes: readonly string[], fromMs: number): string {
  const since = instant(fromMs)
  const where = [
    `kind = ${quoteText(field.slice('p_any_'.length))}`,
    condition,
    among('p_log_type', logTypes),
    `day >= toDate32(${since})`,
    `p_parse_time >= ${since}`,
  ]
  const second = (column: string) => `intDiv(toUnixTimestamp64Milli(${column}), 1000)`
  const spans = `arrayMap(span -> [bitShiftRight(span, 32), bitAnd(span, 4294967295)], groupUniqArrayArray(${MAX_DAY_SPANS})(spans))`
  return `SELECT value, p_log_type, sum(count), max(length(spans)), ${spans}, min(${second('first')}), max(${second('last')})
FROM ${tableName(INDEX)} WHERE ${where.join(' AND ')} GROUP BY value, p_log_type, day`
}

/** A row of the result of `indexSql`. */
export function readSightings(row: string): DaySightings {
  const [value, logType, count, most, spans, first, last] = JSON.parse(row) as [
    string,
    string,
    number,
    number,
    [number, number][],
    number,
    number,
  ]
  const isComplete = most < MAX_SPANS && spans.length < MAX_DAY_SPANS
  return { value, logType, count, spans: isComplete ? spans : [[first, last]] }
}

import type { ReplayCursor } from '../../model/replay.ts'
import { quoteName, quoteText } from '../../stages/store/ddl.ts'

/** A point in time as the lake's SQL. */
export function instant(ms: number): string {
  return `fromUnixTimestamp64Milli(toInt64(${Math.trunc(ms)}))`
}

/** The condition for rows after the cursor, in the order of `time` and `p_row_id`. */
export function behind(time: string, after: ReplayCursor['after']): string[] {
  if (!after) return []
  const moment = `parseDateTime64BestEffort(${quoteText(after.time)}, 9, 'UTC')`
  const column = quoteName(time)
  // The first condition can use the table's order.
  return [`${column} >= ${moment}`, `(${column} > ${moment} OR p_row_id > ${quoteText(after.rowId)})`]
}

/** `IN (…)` for texts. */
export function among(column: string, values: readonly string[]): string {
  return `${column} IN (${values.map(quoteText).join(', ')})`
}

import { quoteText } from './ddl.ts'

/** Selects stored signals. */
export interface SignalRange {
  readonly ruleIds: readonly string[]
  /** Epoch ms. */
  readonly fromMs: number
  /** Maximum number of signals; the latest are returned. */
  readonly most: number
}

/** The columns of the answer, in order. */
export const SIGNAL_COLUMNS = ['p_rule_id', 'p_row_id', 'p_event_time', 'p_alert_context', 'event'] as const

/** The statement for stored signals, latest first. */
export function storedSignals({ ruleIds, fromMs, most }: SignalRange): string {
  return [
    `SELECT ${SIGNAL_COLUMNS.join(', ')} FROM signals.correlation_signals`,
    `WHERE p_rule_id IN (${ruleIds.map(quoteText).join(', ')})`,
    `AND p_event_time >= fromUnixTimestamp64Milli(toInt64(${fromMs})) ORDER BY p_event_time DESC LIMIT ${most}`,
  ].join(' ')
}

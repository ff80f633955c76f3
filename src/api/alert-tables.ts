import { type AlertType, isRuleError } from '../model/alert.ts'

/** The lake's table for matches of any kind. */
const SIGNALS = 'signals.correlation_signals'

/**
 * The lake's tables that contain an alert's rows. Only log events have their own tables; matches of correlation rules, of
 * an entity's risk and of scheduled rules (their log type is `query/…`, see `queryLogType`) are only in the signals. System alerts have no events.
 */
export function alertTables(type: AlertType, logTypes: readonly string[]): string[] {
  if (type === 'SYSTEM') return []
  if (isRuleError(type)) return ['monitor.rule_errors']
  if (logTypes.length === 0 || logTypes.some((logType) => logType.includes('/'))) return [SIGNALS]
  const tables = logTypes.map((logType) => logType.replaceAll('.', '_').toLowerCase())
  return tables.filter((table) => /^[a-z0-9_]{1,128}$/.test(table)).map((table) => `matches.${table}`)
}

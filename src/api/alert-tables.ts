import type { AlertType } from '../model/alert.ts'

/** The lake's table for matches of whatever they are about. */
const SIGNALS = 'signals.correlation_signals'

/**
 * The lake's tables that hold the rows of an alert. Only events of a log have a table of their own: what a correlation rule or a
 * scheduled rule matches (its log type is `query/…`, see `queryLogType`) is in the signals alone. System alerts have no events.
 */
export function alertTables(type: AlertType, logTypes: readonly string[]): string[] {
  if (type === 'SYSTEM') return []
  if (type === 'RULE_ERROR') return ['monitor.rule_errors']
  if (logTypes.length === 0 || logTypes.some((logType) => logType.includes('/'))) return [SIGNALS]
  const tables = logTypes.map((logType) => logType.replaceAll('.', '_').toLowerCase())
  return tables.filter((table) => /^[a-z0-9_]{1,128}$/.test(table)).map((table) => `matches.${table}`)
}

import { printable } from '../util/terminal.ts'
import type { ReplayView } from './commands/replay.ts'
import { count, counted } from './style.ts'

/** Maximum number of samples shown per rule. */
const MAX_SAMPLES = 3
/** Maximum number of alerts shown. */
const MAX_ALERTS = 20

/** A replay for display. */
export function replayText(replay: ReplayView): string[] {
  const { id, kind, state, dry_run: isDry, records, notes } = replay
  const table = replay.chosen.table === null ? '' : ` of the table ${replay.chosen.table}`
  const lines = [
    `Replay ${id} (${kind}${table}${isDry ? ', dry run' : ''}): ${state}, ${count(records.read)} of ${records.of === null ? '?' : count(records.of)} records`,
    ...letters(replay),
    ...rules(replay),
    ...alerts(replay),
    ...notes,
  ]
  return lines.map(printable)
}

function letters({ kind, dry_run: isDry, stored, filtered, failing }: ReplayView): string[] {
  const reasons = Object.entries(failing).map(([reason, n]) => `${reason} ${count(n)}`)
  const left =
    reasons.length > 0 ? [`${kind !== 'dead-letters' ? 'unreadable' : 'still dead letters'}: ${reasons.join(', ')}`] : []
  if (kind !== 'dead-letters') return left
  const kept = filtered > 0 ? `, ${count(filtered)} kept out by a filter` : ''
  return [`${isDry ? 'would be stored' : 'stored'} as events: ${count(stored)}${kept}`, ...left]
}

function rules({ rules: all, state }: ReplayView): string[] {
  if (all.length === 0) return state === 'done' ? ['no rule matched'] : []
  return all.flatMap(({ rule_id, matches, known, errors, last_error, samples }) => [
    `${rule_id}: ${counted(matches, 'new match').replace('matchs', 'matches')}${known > 0 ? `, ${count(known)} known before` : ''}${errors > 0 ? `, ${counted(errors, 'error')}` : ''}`,
    ...samples.slice(0, MAX_SAMPLES).map(({ time, title, row_id }) => `  ${time}  ${title}  (${row_id})`),
    ...(last_error === null ? [] : [`  last error: ${last_error.split('\n', 1)[0]}`]),
  ])
}

function alerts({ alerts: n, first_alerts: first, dry_run: isDry }: ReplayView): string[] {
  if (n === 0) return []
  return [
    `${isDry ? 'alerts that would be made' : 'alerts'}: ${count(n)}`,
    ...first
      .slice(0, MAX_ALERTS)
      .map(
        ({ alert_id, severity, title, event_count, first_event_time }) =>
          `  ${alert_id === null ? '' : `${alert_id.slice(0, 8)}  `}${severity}  ${counted(event_count, 'event')}  ${first_event_time}  ${title}`,
      ),
    ...(n > MAX_ALERTS ? [`  … and ${count(n - MAX_ALERTS)} more`] : []),
  ]
}

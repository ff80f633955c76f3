import type { TimelineEntry } from '../../api/types.ts'
import { counted } from '../../parts/number.ts'

interface Happened {
  readonly what: string
  /** A comment's words. */
  readonly text?: string
}

/** An entry of an alert's history in words; who did it goes before them. */
export function happened({ kind, detail }: TimelineEntry): Happened {
  const { alert_id, event_count, severity, muted_by, added, from, to, destination, sent, error, field } = detail
  switch (kind) {
    case 'opened':
      return {
        what: `raised as ${String(severity)} with ${events(event_count)}${muted_by === null ? '' : `, muted by ${String(muted_by)}`}`,
      }
    case 'matches':
      return { what: `${events(added)} joined, ${events(event_count)} now` }
    case 'severity':
      return { what: `severity rose from ${String(from)} to ${String(to)}` }
    case 'delivered':
      return { what: `sent to ${String(destination)} (${String(sent)})` }
    case 'failed':
      return { what: `could not be sent to ${String(destination)} (${String(sent)}): ${String(error)}` }
    case 'changed':
      return { what: `${String(field).replaceAll('_', ' ')}: ${value(from)} → ${value(to)}` }
    case 'merged':
      return { what: `alert ${String(alert_id).slice(0, 8)} was merged into this one` }
    case 'unmerged':
      return { what: `alert ${String(alert_id).slice(0, 8)} was taken out of this one` }
    case 'comment':
      return { what: 'commented', text: String(detail['text']).trimEnd() }
    default:
      return { what: kind }
  }
}

function events(n: unknown): string {
  return counted(Number(n), 'event')
}

function value(of: unknown): string {
  if (of === null || (Array.isArray(of) && of.length === 0)) return 'nothing'
  return Array.isArray(of) ? of.join(', ') : String(of)
}

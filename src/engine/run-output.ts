import type { AlertWindow } from '../model/alert.ts'
import { type Event, INDICATOR_FIELDS } from '../model/event.ts'
import type { Match } from '../model/match.ts'
import type { DeadLetter } from '../model/outcome.ts'
import { rawText } from '../pipeline/rows.ts'
import type { CorrelatedBatch, Parsed } from '../pipeline/steps.ts'
import type { Judged } from '../stages/alert/step.ts'

export type Emit = 'events' | 'matches' | 'alerts' | 'dead-letters'

/** The NDJSON lines of a batch; alerts come at the end of a run. */
export function batchLines({ encoded, judged, deadLetters }: CorrelatedBatch<readonly string[]>, emit: Emit): readonly string[] {
  switch (emit) {
    case 'events':
      return encoded.flat()
    case 'matches':
      return judged.flatMap((item) => (item.finding.kind === 'match' ? [matchLine(item, item.finding)] : []))
    case 'dead-letters':
      return deadLetters.map(deadLetterLine)
    case 'alerts':
      return []
  }
}

/** The time of the latest event, epoch ms; 0 without events. */
export function newestMs({ groups }: Pick<Parsed, 'groups'>): number {
  return groups.reduce((ms, { events }) => events.reduce((m, event) => Math.max(m, Date.parse(event.p_event_time)), ms), 0)
}

/** The time of a finding's event, epoch ms; NaN for a finding without one. */
export function timeOf({ event, span }: Pick<Judged, 'event' | 'span'>): number {
  return Date.parse(event?.p_event_time ?? span?.last ?? '')
}

/** The parts of an event that alerts need; the rest would fill memory. */
export function slim(event: Event): Event {
  const { p_log_type, p_row_id, p_event_time, p_parse_time, p_source_id, p_source_label, p_schema_version } = event
  const kept: Event = { p_log_type, p_row_id, p_event_time, p_parse_time, p_source_id, p_source_label, p_schema_version }
  for (const field of INDICATOR_FIELDS) if (event[field] !== undefined) kept[field] = event[field]
  return kept
}

function matchLine({ event, text }: Judged, { ruleId, title, dedup, severity, alertContext }: Match): string {
  const head = JSON.stringify({
    rule_id: ruleId,
    log_type: event?.p_log_type,
    p_event_time: event?.p_event_time,
    title,
    dedup,
    severity,
  })
  return `${head.slice(0, -1)},"alert_context":${alertContext ?? '{}'},"event":${event ? text() : 'null'}}`
}

export function alertLine({ alertId, ruleId, severity, eventCount, body }: AlertWindow): object {
  return {
    alert_id: alertId,
    rule_id: ruleId,
    title: body.title,
    severity,
    dedup: body.dedup,
    event_count: eventCount,
    first_event_time: body.firstEventTime,
    last_event_time: body.lastEventTime,
    log_types: body.logTypes,
    ...body.indicators,
  }
}

function deadLetterLine(letter: DeadLetter): string {
  const { reason, message, source, position, length, sha256 } = letter
  const { raw, encoding } = rawText(letter.raw)
  return JSON.stringify({
    reason,
    message,
    source,
    position,
    length,
    sha256,
    raw,
    ...(encoding === 'base64' && { raw_encoding: 'base64' }),
  })
}

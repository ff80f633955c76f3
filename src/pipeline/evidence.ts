import type { AlertWindow } from '../model/alert.ts'
import type { Event } from '../model/event.ts'
import { type Evidence, MAX_EVENT_CHARS, MAX_EVIDENCE, type NewEvidence } from '../model/evidence.ts'
import type { Match } from '../model/match.ts'
import type { Rule } from '../model/rule.ts'
import type { Judged } from '../stages/alert/step.ts'
import { stringifyJson } from '../util/json.ts'
import { type RawRecords, rawRecord } from './raw-records.ts'

interface JudgedMatch extends Judged {
  readonly finding: Match
  readonly event: Event
}

interface Decided {
  readonly windowOf: ReadonlyMap<Judged, AlertWindow>
  readonly raw: readonly RawRecords[]
  readonly rules: ReadonlyMap<string, Rule>
  readonly generation: string
}

/** The first matches of each alert, and of each window that may become one, with what it takes to decide them again. */
export function evidenceOf({ windowOf, ...decided }: Decided): NewEvidence[] {
  const byWindow = new Map<AlertWindow, JudgedMatch[]>()
  for (const [item, window] of windowOf) {
    if (!isEventMatch(item)) continue
    const same = byWindow.get(window)
    if (same) same.push(item)
    else byWindow.set(window, [item])
  }
  return [...byWindow].flatMap(([{ alertId, eventCount }, items]) => {
    // The window already counts these matches.
    const before = eventCount - items.length
    return items.slice(0, Math.max(0, MAX_EVIDENCE - before)).map((item, at) => {
      return { alertId, number: before + at + 1, sourceId: item.event.p_source_id, evidence: evidence(item, decided) }
    })
  })
}

function isEventMatch(item: Judged): item is JudgedMatch {
  return item.finding.kind === 'match' && item.event !== undefined && !item.isWider
}

function evidence({ finding, event, text }: JudgedMatch, { raw, rules, generation }: Omit<Decided, 'windowOf'>): Evidence {
  const { title, dedup, severity, description, reference, runbook, functionErrors, looked = [] } = finding
  const rows = looked.map(({ table, row, isOfList = false }) => ({ table, row, isOfList }))
  // The text of a match has the rows that the rule read, which are kept apart here.
  const seen = looked.length > 0 ? stringifyJson(event) : text()
  const record = rawRecord(raw, event.p_row_id)
  return {
    rowId: event.p_row_id,
    logType: event.p_log_type,
    generation,
    ruleVersion: rules.get(finding.ruleId)?.version ?? null,
    event: seen.length > MAX_EVENT_CHARS ? null : seen,
    looked: stringifyJson(rows),
    raw: record?.text ?? null,
    isRawCut: record?.isCut ?? false,
    ...{ title, dedup, severity, description, reference, runbook, functionErrors },
    destinations: finding.destinations ?? null,
    context: finding.alertContext ?? null,
    ...(finding.unique !== undefined && { unique: finding.unique }),
  }
}

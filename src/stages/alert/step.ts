import { type AlertBody, type AlertWindow, MAX_INDICATORS, MAX_SAMPLE_CHARS } from '../../model/alert.ts'
import { type Event, INDICATOR_FIELDS } from '../../model/event.ts'
import type { Finding, Match, RuleError } from '../../model/match.ts'
import type { Rule, Severity } from '../../model/rule.ts'
import { hash16 } from '../../util/hash.ts'
import type { AlertStore } from './alert-store.ts'
import { countOf, countUnique, forgetUnique } from './unique.ts'

/** A finding with the event it is about (none when a rule could not be loaded). */
export interface Judged {
  readonly finding: Finding
  readonly event: Event | undefined
  /** The event's exact JSON text, made when it is asked for. */
  readonly text: () => string
  /** The match's own id, for a finding about several events. */
  readonly rowId?: string
  /** When what it is about happened, RFC 3339, for a finding about several events. */
  readonly span?: { readonly first: string; readonly last: string }
}

export interface AlertStepResult {
  /** Windows to write, changed or new. */
  readonly windows: readonly AlertWindow[]
  /** Windows that became alerts in this step. */
  readonly opened: readonly AlertWindow[]
  /** For each judged finding its window, or `undefined` when it makes no alert (`CreateAlert: false`). */
  readonly windowOf: ReadonlyMap<Judged, AlertWindow>
}

/** Rule errors of one rule come together for this long. */
const ERROR_WINDOW_MINUTES = 60

/**
 * Groups findings into windows: same rule, same dedup string, from the first match on for the rule's dedup period; the
 * window does not slide. A window becomes an alert when it holds `Threshold` matches,
 * or as many distinct values of the rule's `unique`. Rule errors are grouped apart and
 * open at once. `atMs` is the time windows run on: the batch's receive time, or the event's in replays.
 */
export async function groupFindings(
  judged: readonly Judged[],
  rules: ReadonlyMap<string, Rule>,
  store: AlertStore,
  clock: { readonly atMs: (item: Judged) => number; readonly nowMs: number },
): Promise<AlertStepResult> {
  const wanted = judged.filter(({ finding }) => finding.kind === 'error' || rules.get(finding.ruleId)?.createAlert !== false)
  const changed = new Set<AlertWindow>()
  const opened: AlertWindow[] = []
  const windowOf = new Map<Judged, AlertWindow>()
  const windows = new Windows(store)
  if (wanted.length === 0) return { windows: [], opened, windowOf }
  await windows.load(wanted, clock.atMs)
  for (const item of wanted) {
    const atMs = clock.atMs(item)
    const key = groupKeyOf(item.finding)
    const rule = rules.get(item.finding.ruleId)
    const window = windows.at(key, atMs) ?? windows.add(begin(item, rule, key, atMs, clock.nowMs))
    join(window, item, clock.nowMs)
    changed.add(window)
    windowOf.set(item, window)
    if (item.finding.kind === 'match') countUnique(window, item.finding)
    if (!window.opened && countOf(window) >= window.body.threshold) {
      window.opened = true
      forgetUnique(window)
      window.createdMs = clock.nowMs
      opened.push(window)
    }
  }
  return { windows: [...changed], opened, windowOf }
}

/** Windows of one group, by their start. */
interface Group {
  readonly windows: AlertWindow[]
  /** When the last of them ends. */
  endMs: number
}

/** The windows of the groups in hand: those of the store and those begun in this step. */
class Windows {
  readonly #store: AlertStore
  readonly #groups = new Map<string, Group>()

  constructor(store: AlertStore) {
    this.#store = store
  }

  /** Everything that could hold one of the items: what ends after the earliest of them. */
  async load(items: readonly Judged[], atMs: (item: Judged) => number): Promise<void> {
    const keys = [...new Set(items.map(({ finding }) => groupKeyOf(finding)))]
    const earliest = items.reduce((least, item) => Math.min(least, atMs(item)), Number.POSITIVE_INFINITY)
    for (const windows of (await this.#store.find(keys, earliest)).values()) for (const window of windows) this.add(window)
  }

  add(window: AlertWindow): AlertWindow {
    const group = this.#groups.get(window.groupKey)
    if (!group) this.#groups.set(window.groupKey, { windows: [window], endMs: window.endMs })
    else {
      const { windows } = group
      let at = windows.length
      while (at > 0 && windows[at - 1]!.startMs > window.startMs) at--
      windows.splice(at, 0, window)
      group.endMs = Math.max(group.endMs, window.endMs)
    }
    return window
  }

  /**
   * The window that holds the time, the latest if there are several. Sources are read side by side, so a match may come
   * a little before the one that began its group: then the window next behind it takes it, if it begins within a window's
   * length. Otherwise one burst would make two alerts. What has no time joins the last window.
   */
  at(key: string, atMs: number): AlertWindow | undefined {
    const group = this.#groups.get(key)
    if (!group || atMs >= group.endMs) return undefined
    const { windows } = group
    if (Number.isNaN(atMs)) return windows.at(-1)
    let behind: AlertWindow | undefined
    for (let i = windows.length - 1; i >= 0; i--) {
      const window = windows[i]!
      if (window.startMs > atMs) behind = window
      else if (atMs < window.endMs) return window
    }
    return behind && atMs + behind.endMs - behind.startMs > behind.startMs ? behind : undefined
  }
}

function groupKeyOf(finding: Finding): string {
  return finding.kind === 'match' ? hash16('match', finding.ruleId, finding.dedup) : hash16('error', finding.ruleId)
}

function begin(item: Judged, rule: Rule | undefined, groupKey: string, startMs: number, nowMs: number): AlertWindow {
  const { finding } = item
  const minutes = finding.kind === 'match' ? (rule?.dedupPeriodMinutes ?? 60) : ERROR_WINDOW_MINUTES
  return {
    alertId: hash16(groupKey, String(startMs)) + hash16(finding.ruleId, groupKey, String(startMs)),
    ruleId: finding.ruleId,
    groupKey,
    startMs,
    // Never empty: a window's id is its start, so two cannot begin at the same moment.
    endMs: startMs + Math.max(1, minutes * 60_000),
    opened: false,
    severity: severityOf(finding, rule),
    eventCount: 0,
    createdMs: nowMs,
    updatedMs: nowMs,
    body: finding.kind === 'match' ? matchBody(finding, rule, item) : errorBody(finding, rule, item),
    fresh: true,
  }
}

function severityOf(finding: Finding, rule: Rule | undefined): Severity {
  if (finding.kind === 'match') return finding.severity
  return rule?.severity === 'CRITICAL' || rule?.severity === 'HIGH' ? 'HIGH' : 'MEDIUM'
}

function matchBody(match: Match, rule: Rule | undefined, item: Judged): AlertBody {
  const { title, dedup, description, reference, runbook, functionErrors } = match
  return {
    ...common(rule, match.ruleId, item),
    type: 'RULE',
    title,
    dedup,
    description,
    reference,
    runbook,
    destinations: match.destinations ?? null,
    context: match.alertContext ?? null,
    functionErrors,
    threshold: rule?.threshold ?? 1,
  }
}

function errorBody(error: RuleError, rule: Rule | undefined, item: Judged): AlertBody {
  return {
    ...common(rule, error.ruleId, item),
    type: 'RULE_ERROR',
    title: `Rule error in ${error.ruleId}: ${error.message.split('\n', 1)[0]!.slice(0, 300)}`,
    dedup: `${error.ruleId}:error`,
    description: 'The rule failed, so it may have missed events. Other rules are not affected.',
    reference: '',
    runbook: `Mend the rule${rule ? ` (${rule.source.file})` : ''} and run \`caracal test\`.`,
    destinations: null,
    context: JSON.stringify({ cause: error.cause, error: error.message }),
    functionErrors: {},
    threshold: 1,
  }
}

function common(rule: Rule | undefined, ruleId: string, { event, text }: Judged) {
  const sample = event ? text() : ''
  return {
    displayName: rule?.displayName ?? ruleId,
    tags: rule?.tags ?? [],
    reports: rule?.reports ?? {},
    firstEventTime: event?.p_event_time ?? '',
    lastEventTime: event?.p_event_time ?? '',
    logTypes: [],
    indicators: {},
    indicatorsCut: false,
    sampleEvent: event && sample.length <= MAX_SAMPLE_CHARS ? sample : null,
    latencyMs: null,
    sourceLabels: [],
  }
}

/** Counts the event in: times, log types and indicators of the group. */
function join(window: AlertWindow, { event, span }: Judged, nowMs: number): void {
  window.eventCount++
  window.updatedMs = nowMs
  const { body } = window
  const first = span?.first ?? event?.p_event_time
  const last = span?.last ?? event?.p_event_time
  if (first !== undefined && (body.firstEventTime === '' || isBefore(first, body.firstEventTime))) body.firstEventTime = first
  if (last !== undefined && isBefore(body.lastEventTime, last)) body.lastEventTime = last
  if (!event) return
  if (!body.logTypes.includes(event.p_log_type)) body.logTypes.push(event.p_log_type)
  if (!body.sourceLabels.includes(event.p_source_label) && body.sourceLabels.length < MAX_INDICATORS)
    body.sourceLabels.push(event.p_source_label)
  for (const field of INDICATOR_FIELDS) {
    const values = event[field]
    if (Array.isArray(values)) addIndicators(body, field, values as readonly string[])
  }
}

/** Compares RFC 3339 UTC texts; without the final Z, since `00Z` sorts behind `00.5Z`. */
function isBefore(a: string, b: string): boolean {
  return a.slice(0, -1) < b.slice(0, -1)
}

/** A longer value is no indicator that anybody looks up, and 500 of a megabyte each would be kept with the alert. */
const MAX_INDICATOR_CHARS = 2048

function addIndicators(body: AlertBody, field: string, values: readonly string[]): void {
  body.indicators[field] ??= []
  const have = body.indicators[field]
  for (const value of values) {
    if (have.includes(value)) continue
    if (have.length < MAX_INDICATORS && value.length <= MAX_INDICATOR_CHARS) have.push(value)
    else body.indicatorsCut = true
  }
}

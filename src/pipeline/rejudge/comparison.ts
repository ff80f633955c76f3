import type { AlertWindow } from '../../model/alert.ts'
import type { Difference, ReplayReport, RuleComparison } from '../../model/replay.ts'
import type { Judged } from '../../stages/alert/step.ts'
import { listedAlert } from './report.ts'

/** Maximum number of alerts listed for a rule and direction; further ones are counted. */
const MAX_ALERTS = 10

export const NO_DIFFERENCE: Difference = { before: 0, after: 0, added: 0, removed: 0 }

/** A value from before a change and the one from after it. */
export interface Sides<T> {
  readonly before: T
  readonly after: T
}

/** The comparison with the matches of a page added, which both sides have judged. The reports are those so far. */
export function comparedPage(
  rules: readonly RuleComparison[],
  matches: Sides<readonly Judged[]>,
  reports: Sides<ReplayReport>,
): RuleComparison[] {
  const rows = { before: rowsByRule(matches.before), after: rowsByRule(matches.after) }
  return rules.map((rule) => {
    const { ruleId } = rule
    const [before, after] = [rows.before.get(ruleId) ?? new Set(), rows.after.get(ruleId) ?? new Set()]
    const [was, is] = [tallyOf(reports.before, ruleId), tallyOf(reports.after, ruleId)]
    return {
      ...rule,
      matches: {
        before: rule.matches.before + before.size,
        after: rule.matches.after + after.size,
        added: rule.matches.added + [...after].filter((row) => !before.has(row)).length,
        removed: rule.matches.removed + [...before].filter((row) => !after.has(row)).length,
      },
      errors: { before: was?.errors ?? 0, after: is?.errors ?? 0 },
      ...(is?.lastError !== undefined && { lastError: is.lastError }),
    }
  })
}

function tallyOf({ rules }: ReplayReport, ruleId: string) {
  return rules.find((tally) => tally.ruleId === ruleId)
}

function rowsByRule(matches: readonly Judged[]): Map<string, Set<string>> {
  const rows = new Map<string, Set<string>>()
  for (const { finding, event } of matches) {
    const own = rows.get(finding.ruleId) ?? new Set()
    rows.set(finding.ruleId, own)
    if (event) own.add(event.p_row_id)
  }
  return rows
}

/**
 * The comparison with the alerts of both sides. An alert is the same before and after if its rule and dedup string are, and the windows
 * overlap: a match more at the beginning moves a window without making another alert of it.
 */
export function comparedAlerts(rules: readonly RuleComparison[], alerts: Sides<readonly AlertWindow[]>): RuleComparison[] {
  const sides = { before: grouped(alerts.before, ({ ruleId }) => ruleId), after: grouped(alerts.after, ({ ruleId }) => ruleId) }
  return rules.map((rule) => {
    const [before, after] = [sides.before.get(rule.ruleId) ?? [], sides.after.get(rule.ruleId) ?? []]
    const added = withoutTwin(after, before)
    const removed = withoutTwin(before, after)
    return {
      ...rule,
      alerts: { before: before.length, after: after.length, added: added.length, removed: removed.length },
      addedAlerts: added.slice(0, MAX_ALERTS).map(listedAlert),
      removedAlerts: removed.slice(0, MAX_ALERTS).map(listedAlert),
    }
  })
}

function grouped(windows: readonly AlertWindow[], keyOf: (window: AlertWindow) => string): Map<string, AlertWindow[]> {
  const groups = new Map<string, AlertWindow[]>()
  for (const window of windows) {
    const key = keyOf(window)
    const group = groups.get(key)
    if (group) group.push(window)
    else groups.set(key, [window])
  }
  return groups
}

/** The windows of a rule with which none of the others shares a dedup string and overlaps, by start. */
function withoutTwin(windows: readonly AlertWindow[], others: readonly AlertWindow[]): AlertWindow[] {
  const spans = new Map([...grouped(others, ({ body }) => body.dedup)].map(([dedup, some]) => [dedup, new Spans(some)] as const))
  return windows
    .filter((one) => !spans.get(one.body.dedup)?.overlaps(one))
    .sort((a, b) => a.startMs - b.startMs || (a.alertId < b.alertId ? -1 : 1))
}

/** Finds out whether windows overlap another in logarithmic time: a rule can have tens of thousands with one dedup string. */
class Spans {
  readonly #starts: Float64Array
  /** For each start, the latest end of the windows up to there. */
  readonly #ends: Float64Array

  constructor(windows: readonly AlertWindow[]) {
    // Findings without an event have no time, so their windows overlap nothing.
    const sorted = windows.filter(({ startMs }) => !Number.isNaN(startMs)).sort((a, b) => a.startMs - b.startMs)
    this.#starts = Float64Array.from(sorted, ({ startMs }) => startMs)
    this.#ends = Float64Array.from(sorted, ({ endMs }) => endMs)
    for (let i = 1; i < this.#ends.length; i++) this.#ends[i] = Math.max(this.#ends[i]!, this.#ends[i - 1]!)
  }

  overlaps({ startMs, endMs }: AlertWindow): boolean {
    let [low, high] = [0, this.#starts.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#starts[middle]! < endMs) low = middle + 1
      else high = middle
    }
    return low > 0 && this.#ends[low - 1]! > startMs
  }
}

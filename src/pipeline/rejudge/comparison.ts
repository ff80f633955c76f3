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
  const groups = { before: byGroup(alerts.before), after: byGroup(alerts.after) }
  return rules.map((rule) => {
    const own = (some: readonly AlertWindow[]) => some.filter(({ ruleId }) => ruleId === rule.ruleId)
    const [before, after] = [own(alerts.before), own(alerts.after)]
    const added = withoutTwin(after, groups.before)
    const removed = withoutTwin(before, groups.after)
    return {
      ...rule,
      alerts: { before: before.length, after: after.length, added: added.length, removed: removed.length },
      addedAlerts: added.slice(0, MAX_ALERTS).map(listedAlert),
      removedAlerts: removed.slice(0, MAX_ALERTS).map(listedAlert),
    }
  })
}

function groupOf({ ruleId, body }: AlertWindow): string {
  return `${ruleId}\0${body.dedup}`
}

function byGroup(windows: readonly AlertWindow[]): Map<string, AlertWindow[]> {
  const groups = new Map<string, AlertWindow[]>()
  for (const window of windows) groups.set(groupOf(window), [...(groups.get(groupOf(window)) ?? []), window])
  return groups
}

function withoutTwin(windows: readonly AlertWindow[], others: ReadonlyMap<string, readonly AlertWindow[]>): AlertWindow[] {
  return windows
    .filter((one) => !others.get(groupOf(one))?.some(({ startMs, endMs }) => startMs < one.endMs && one.startMs < endMs))
    .sort((a, b) => a.startMs - b.startMs || (a.alertId < b.alertId ? -1 : 1))
}

import { type SystemProblem, systemProblem } from '../../model/system-problem.ts'
import type { LimitCount } from '../../state/limits.ts'

/** A limit counts as reached for this long. */
const LASTS_MS = 60 * 60_000

/** A problem for each rule that recently reached a limit. */
export function limitProblems(counts: readonly LimitCount[], nowMs: number): SystemProblem[] {
  const byRule = new Map<string, LimitCount[]>()
  for (const count of counts) {
    if (nowMs - count.lastMs >= LASTS_MS) continue
    byRule.set(count.ruleId, [...(byRule.get(count.ruleId) ?? []), count])
  }
  return [...byRule].map(([ruleId, reached]) => {
    const what = reached.map((one) => `${one.what} ${one.n} times`).join(', ')
    return systemProblem('RuleLimited', ruleId, `Rule ${ruleId} reached its limits (so far: ${what}).`)
  })
}

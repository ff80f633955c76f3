import type { OtherEffects } from '../model/batch.ts'
import type { Rule } from '../model/rule.ts'
import type { SystemProblem } from '../model/system-problem.ts'
import { groupProblems, systemAlert } from '../stages/alert/system.ts'
import { deliveriesOf, type EffectsDeps, NO_ALERTS } from './effects.ts'

/** A system alert is of no rule. */
const NO_RULES: ReadonlyMap<string, Rule> = new Map()

/** What these problems do: an alert for each cause that has none yet, with its deliveries; `undefined` when that is nothing. */
export async function effectsOfProblems(
  problems: readonly SystemProblem[],
  deps: Pick<EffectsDeps, 'store' | 'routes' | 'baseUrl' | 'nowMs'>,
): Promise<OtherEffects | undefined> {
  const { store, nowMs } = deps
  const groups = groupProblems(problems)
  if (groups.length === 0) return undefined
  const known = await store.find(
    groups.map(({ groupKey }) => groupKey),
    nowMs,
  )
  const alerts = groups.flatMap((group) => {
    const last = known.get(group.groupKey)?.at(-1)
    const window = systemAlert(group, last, nowMs)
    return window ? [{ window, notTo: new Set(group.problems.flatMap((problem) => problem.notTo ?? [])) }] : []
  })
  if (alerts.length === 0) return undefined
  const windows = alerts.map(({ window }) => window)
  return {
    ...NO_ALERTS,
    rows: [],
    windows,
    opened: windows,
    deliveries: alerts.flatMap(({ window, notTo }) =>
      deliveriesOf(window, NO_RULES, deps).filter(({ destination }) => !notTo.has(destination)),
    ),
    findings: { matches: new Map(), errors: new Map() },
    nowMs,
  }
}

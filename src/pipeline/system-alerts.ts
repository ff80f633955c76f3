import type { AlertWindow } from '../model/alert.ts'
import type { Decision, OtherEffects } from '../model/batch.ts'
import type { Rule } from '../model/rule.ts'
import type { SystemProblem } from '../model/system-problem.ts'
import { systemRuleId } from '../model/system-problem.ts'
import { groupProblems, systemAlert } from '../stages/alert/system.ts'
import { deliveriesOf } from './deliveries.ts'
import { type EffectsDeps, NO_ALERTS } from './effects.ts'

/** A system alert does not belong to a rule. */
const NO_RULES: ReadonlyMap<string, Rule> = new Map()

/** The effects of these problems: an alert for each cause that has none yet, with its deliveries; `undefined` if there are none. */
export function effectsOfProblems(
  problems: readonly SystemProblem[],
  deps: Pick<EffectsDeps, 'routes' | 'baseUrl' | 'nowMs'>,
): Decision<OtherEffects | undefined> {
  const { nowMs } = deps
  const groups = groupProblems(problems)
  return {
    groups: groups.map(({ groupKey, what }) => ({ groupKey, ruleId: systemRuleId(what) })),
    fromMs: nowMs,
    decide: (known) => {
      const alerts = groups.flatMap((group) => {
        const window = systemAlert(group, known.groups.get(group.groupKey) ?? { windows: [], nextNumber: 1 }, nowMs)
        return window ? [{ window, notTo: new Set(group.problems.flatMap((problem) => problem.notTo ?? [])) }] : []
      })
      return alerts.length > 0 ? effectsOfAlerts(alerts, deps) : undefined
    },
  }
}

function effectsOfAlerts(
  alerts: readonly { readonly window: AlertWindow; readonly notTo: ReadonlySet<string> }[],
  deps: Pick<EffectsDeps, 'routes' | 'baseUrl' | 'nowMs'>,
): OtherEffects {
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
    nowMs: deps.nowMs,
  }
}

import type { Condition } from '../../../model/condition/condition.ts'
import type { Necessary } from './prefilter.ts'

/** A row in the output of `_caracal/necessary.py`. */
type Row = readonly [logType: string, ruleId: string, condition: Condition, mayRaise: boolean, problem: string | null]

/** Log type → rule id → what is known about the rule. */
export type NecessaryByLogType = ReadonlyMap<string, ReadonlyMap<string, Necessary>>

/** The result of analysing the rules. */
export interface Reading {
  readonly byLogType: NecessaryByLogType
  /** Rules that could not be analysed because of a bug in the analyser; they see every event. */
  readonly problems: readonly string[]
}

/** Parses the output of `necessary()` in `_caracal/necessary.py`. */
export function readConditions(text: string): Reading {
  const byLogType = new Map<string, Map<string, Necessary>>()
  const problems = new Set<string>()
  for (const [logType, ruleId, condition, mayRaise, problem] of JSON.parse(text) as readonly Row[]) {
    const rules = byLogType.get(logType) ?? new Map<string, Necessary>()
    rules.set(ruleId, { condition, mayRaise })
    byLogType.set(logType, rules)
    if (problem !== null) problems.add(problem)
  }
  return { byLogType, problems: [...problems] }
}

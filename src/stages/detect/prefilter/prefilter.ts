import { compile } from '../../../model/condition/compile.ts'
import type { Condition } from '../../../model/condition/condition.ts'
import { createSharedReaders, type Readers } from '../../../model/condition/readers.ts'
import { createRuleIndex, type RuleIndex } from '../../../model/condition/rule-index.ts'
import type { JsonObject } from '../../../model/json.ts'

/** What is known about a rule without running it. */
export interface Necessary {
  /** Holds for every event that the rule matches, or on which it has side effects for later events. */
  readonly condition: Condition
  /** The rule may raise or return a non-boolean on events for which the condition does not hold. */
  readonly mayRaise: boolean
}

/**
 * `matching`: a rule does not see events that it cannot match, so errors it would raise on them go unnoticed. `exact`: every rule
 * that could fail sees every event.
 */
export type RuleErrorMode = 'matching' | 'exact'

/** Finds the rules that must see an event. */
export interface Prefilter {
  /** Ascending indexes into the list of rules. The returned list is reused by the next call. */
  candidates(event: JsonObject): readonly number[]
  /** Whether the rule may see the event at all, according to its own inline filters. */
  allows(rule: number, event: JsonObject): boolean
  /** From now on the rule sees every event that it may see. */
  distrust(rule: number): void
  /** The number of rules that see every event. */
  readonly alwaysShown: number
}

const ALWAYS: Condition = { op: 'always', value: true }

/**
 * A prefilter for the rules of one log type; a rule about which nothing is known sees every event. `filters`: the rules' own
 * inline filters, which hold for the events that a rule should judge.
 */
export function createPrefilter(
  rules: readonly (Necessary | undefined)[],
  ruleErrors: RuleErrorMode,
  filters: readonly (Condition | undefined)[] = [],
): Prefilter {
  const conditions = rules.map((rule, number) =>
    filtered(!rule || (ruleErrors === 'exact' && rule.mayRaise) ? ALWAYS : rule.condition, filters[number]),
  )
  const allowed = filters.map((filter) => filter && compile(filter))
  const readers = createSharedReaders()
  const tests = conditions.map((condition) => toTest(condition, readers))
  const found: number[] = []
  let index: RuleIndex = createRuleIndex(conditions, readers)
  return {
    candidates(event) {
      found.length = 0
      readers.nextEvent()
      for (const rule of index.candidates(event)) {
        const test = tests[rule]
        if (!test || test(event)) found.push(rule)
      }
      return found
    },
    allows(rule, event) {
      return allowed[rule]?.(event) ?? true
    },
    distrust(rule) {
      conditions[rule] = filtered(ALWAYS, filters[rule])
      tests[rule] = toTest(conditions[rule], readers)
      index = createRuleIndex(conditions, readers)
    },
    get alwaysShown() {
      return tests.filter((test) => test === undefined).length
    },
  }
}

function filtered(condition: Condition, filter: Condition | undefined): Condition {
  if (!filter) return condition
  return condition === ALWAYS ? filter : { op: 'and', of: [filter, condition] }
}

/** The whole condition as a predicate, which the few candidates from the index must also pass; `undefined` if it always holds. */
function toTest(condition: Condition, readers: Readers): ((event: JsonObject) => boolean) | undefined {
  return condition.op === 'always' && condition.value ? undefined : compile(condition, readers)
}

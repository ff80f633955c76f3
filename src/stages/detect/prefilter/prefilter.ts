import { compile } from '../../../model/condition/compile.ts'
import type { Condition } from '../../../model/condition/condition.ts'
import { createSharedReaders, type Readers } from '../../../model/condition/readers.ts'
import { createRuleIndex, type RuleIndex } from '../../../model/condition/rule-index.ts'
import type { JsonObject } from '../../../model/json.ts'

/** What is known of one rule without running it. */
export interface Necessary {
  /** Holds for every event that the rule matches, or on which it leaves something behind for later events. */
  readonly condition: Condition
  /** The rule may raise, or answer something other than a boolean, on events for which the condition does not hold. */
  readonly mayRaise: boolean
}

/**
 * `matching`: an event that a rule cannot match is not shown to it, so what the rule would have failed on is not seen.
 * `exact`: every rule that may fail sees every event.
 */
export type RuleErrorMode = 'matching' | 'exact'

/** Finds the rules that an event must be shown to. */
export interface Prefilter {
  /** Numbers of the rules in the list it was made of, ascending. The list is used again by the next call. */
  candidates(event: JsonObject): readonly number[]
  /** Whether the rule may see the event at all: nobody shows it what its own inline filters keep from it. */
  allows(rule: number, event: JsonObject): boolean
  /** From now on the rule is shown every event that it may see. */
  distrust(rule: number): void
  /** How many rules are shown every event. */
  readonly alwaysShown: number
}

const ALWAYS: Condition = { op: 'always', value: true }

/**
 * A prefilter over the rules of one log type; a rule of which nothing is known is shown every event. `filters`: the rules' own inline
 * filters, which hold for the events that a rule is to judge.
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

/** The whole condition as a predicate, which the index's few candidates must pass too; `undefined` when it always holds. */
function toTest(condition: Condition, readers: Readers): ((event: JsonObject) => boolean) | undefined {
  return condition.op === 'always' && condition.value ? undefined : compile(condition, readers)
}

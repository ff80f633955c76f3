import type { Decision } from '../model/batch.ts'
import type { Rule } from '../model/rule.ts'
import { type AlertClock, groupFindings } from '../stages/alert/step.ts'
import type { Correlated, Grouped } from './steps.ts'

/** Adds the alert windows that findings belong to. These are decided within the transaction that stores them. */
export function group<T extends Correlated>(
  found: T,
  rules: ReadonlyMap<string, Rule>,
  clock: AlertClock,
): Decision<T & Grouped> {
  return decided(groupFindings(found.judged, rules, clock), (alerts) => ({ ...found, alerts, nowMs: clock.nowMs }))
}

/** The decision, with a value derived from it. */
export function decided<A, B>(decision: Decision<A>, make: (decided: A) => B): Decision<B> {
  return { ...decision, decide: (known) => make(decision.decide(known)) }
}

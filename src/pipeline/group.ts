import type { Decision } from '../model/batch.ts'
import type { Rule } from '../model/rule.ts'
import { type AlertClock, groupFindings } from '../stages/alert/step.ts'
import type { Correlated, Grouped } from './steps.ts'

/** Adds the alert windows that findings fall into. Which these are is decided inside the transaction that keeps them. */
export function group<T extends Correlated>(
  found: T,
  rules: ReadonlyMap<string, Rule>,
  clock: AlertClock,
): Decision<T & Grouped> {
  return decided(groupFindings(found.judged, rules, clock), (alerts) => ({ ...found, alerts, nowMs: clock.nowMs }))
}

/** The decision with something made of what was decided. */
export function decided<A, B>(decision: Decision<A>, make: (decided: A) => B): Decision<B> {
  return { ...decision, decide: (known) => make(decision.decide(known)) }
}

import type { LoadedRule, LogTypeRules } from './rules.ts'

/**
 * Time spent per rule. Reading the clock takes longer than a single predicate, so the time of a batch is divided by how often
 * each rule was evaluated.
 */
export class Spent {
  readonly #seconds = new Map<string, number>()
  readonly #events = new Map<LogTypeRules, number>()

  /** A batch of `events` events was judged in `ms` milliseconds; `asked`: rule → number of events it was evaluated on. */
  add(group: LogTypeRules, asked: ReadonlyMap<LoadedRule, number>, ms: number, events: number): void {
    this.#events.set(group, (this.#events.get(group) ?? 0) + events)
    let total = 0
    for (const times of asked.values()) total += times
    for (const [{ rule }, times] of asked) {
      this.#seconds.set(rule.id, (this.#seconds.get(rule.id) ?? 0) + (ms / 1000) * (times / total))
    }
  }

  /** Seconds and events for every rule that evaluated an event since the last call. */
  take(): { readonly ruleId: string; readonly seconds: number; readonly events: number }[] {
    const seen = new Map<string, number>()
    for (const [{ rules }, events] of this.#events) {
      for (const { rule } of rules) seen.set(rule.id, (seen.get(rule.id) ?? 0) + events)
    }
    const list = [...seen].map(([ruleId, events]) => ({ ruleId, seconds: this.#seconds.get(ruleId) ?? 0, events }))
    this.#seconds.clear()
    this.#events.clear()
    return list
  }
}

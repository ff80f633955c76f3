import type { ByMember, Completion, Matcher } from './completion.ts'
import { countBetween, type Hit } from './hit.ts'
import { type CorrelationRule, canBeSpoilt } from './rule.ts'

/**
 * A group is complete at a hit if, in the look-back that ends with it, enough members have their `MinMatchCount`. Signals that
 * must not occur spoil it if they fit into one look-back together with the signals of the match, before or after.
 */
export class GroupMatcher implements Matcher {
  readonly #rule: CorrelationRule
  readonly #needed: number
  readonly #all: ByMember
  readonly #hits: Hit[][]
  readonly #canBeSpoilt: boolean

  constructor(rule: CorrelationRule, needed: number, all: ByMember) {
    this.#rule = rule
    this.#needed = needed
    this.#all = all
    this.#hits = rule.members.map(() => [])
    this.#canBeSpoilt = canBeSpoilt(rule)
  }

  complete(hit: Hit): Completion | undefined {
    this.#hits[hit.member]!.push(hit)
    const { lookbackMs } = this.#rule
    const own = this.#startOf(hit.member)
    if (own === undefined || own < hit.timeMs - lookbackMs) return undefined
    const others: number[] = []
    for (const [at, { isAbsent }] of this.#rule.members.entries()) {
      const start = isAbsent || at === hit.member ? undefined : this.#startOf(at)
      if (start !== undefined && start >= hit.timeMs - lookbackMs) others.push(start)
    }
    if (others.length + 1 < this.#needed) return undefined
    // The members that came last make the shortest match.
    others.sort((a, b) => b - a)
    const firstMs = Math.min(own, ...others.slice(0, this.#needed - 1))
    return {
      startMs: firstMs,
      frameMs: hit.timeMs,
      untilMs: this.#canBeSpoilt ? firstMs + lookbackMs : undefined,
      isSpoilt: () => this.#isSpoilt(hit.timeMs - lookbackMs, firstMs + lookbackMs),
    }
  }

  /** When the latest signals that make the member occur began. */
  #startOf(member: number): number | undefined {
    const hits = this.#hits[member]!
    return hits[hits.length - this.#rule.members[member]!.min]?.timeMs
  }

  #isSpoilt(fromMs: number, toMs: number): boolean {
    return this.#rule.members.some(({ isAbsent, min, max }, at) => {
      const most = isAbsent ? min - 1 : max
      return most !== undefined && countBetween(this.#all[at]!, fromMs, toMs) > most
    })
  }
}

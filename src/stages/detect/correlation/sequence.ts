import type { ByMember, Completion, Matcher } from './completion.ts'
import { countBetween, type Hit } from './hit.ts'
import { type CorrelationRule, canBeSpoilt, pairKey } from './rule.ts'

/** A completed step, with all steps before it. */
interface Reached {
  /** When the step's last signal happened. */
  readonly timeMs: number
  /** When the first signal of the first step happened, on the path that begins latest. */
  readonly startMs: number
}

/**
 * A sequence is complete at a hit of its last step if the earlier steps happened one after another, each with its `MinMatchCount`
 * latest signals. A step is complete with the last of them; time limits run from there to the completion of the next step. A step
 * with Absence must not occur between its neighbours.
 */
export class SequenceMatcher implements Matcher {
  readonly #rule: CorrelationRule
  readonly #within: ReadonlyMap<string, number>
  readonly #isStrict: boolean
  readonly #all: ByMember
  readonly #hits: Hit[][]
  readonly #reached: Reached[][]
  /** Indexes of the steps that must occur. */
  readonly #steps: readonly number[]

  constructor(rule: CorrelationRule, pattern: { within: ReadonlyMap<string, number>; isStrict: boolean }, all: ByMember) {
    this.#rule = rule
    this.#within = pattern.within
    this.#isStrict = pattern.isStrict
    this.#all = all
    this.#hits = rule.members.map(() => [])
    this.#reached = rule.members.map(() => [])
    this.#steps = rule.members.flatMap(({ isAbsent }, at) => (isAbsent ? [] : [at]))
  }

  complete(hit: Hit): Completion | undefined {
    const hits = this.#hits[hit.member]!
    hits.push(hit)
    const runMs = hits[hits.length - this.#rule.members[hit.member]!.min]?.timeMs
    if (runMs === undefined) return undefined
    const place = this.#steps.indexOf(hit.member)
    const startMs = place === 0 ? this.#begin(hit, runMs) : this.#latestStart(this.#steps[place - 1]!, hit, runMs)
    if (startMs === undefined) return undefined
    if (place < this.#steps.length - 1) {
      this.#reached[hit.member]!.push({ timeMs: hit.timeMs, startMs })
      return undefined
    }
    return this.#isTooOften(hit.timeMs) ? undefined : this.#completion(hit, startMs)
  }

  /** The first step; signals that must not precede it are searched for before its last signal. */
  #begin(hit: Hit, runMs: number): number | undefined {
    const { lookbackMs } = this.#rule
    if (runMs < hit.timeMs - lookbackMs) return undefined
    for (let at = 0; at < hit.member; at++) {
      const fromMs = hit.timeMs - this.#limit(at, hit.member)
      if (this.#occurs(at, fromMs - (this.#isStrict ? 1 : 0), runMs)) return undefined
    }
    return runMs
  }

  /** The latest-beginning way to complete the previous step. */
  #latestStart(before: number, hit: Hit, runMs: number): number | undefined {
    const earliestMs = hit.timeMs - this.#limit(before, hit.member)
    const reached = this.#reached[before]!
    let best: number | undefined
    for (let i = reached.length - 1; i >= 0; i--) {
      const { timeMs, startMs } = reached[i]!
      // Nothing begins after its completion.
      if (timeMs < earliestMs || (best !== undefined && timeMs <= best)) break
      const isBefore = this.#isStrict ? timeMs < runMs : timeMs <= runMs
      if (!isBefore || startMs < hit.timeMs - this.#rule.lookbackMs) continue
      if ((best === undefined || startMs > best) && !this.#isInterrupted(before, timeMs, hit, runMs)) best = startMs
    }
    return best
  }

  /** Whether a step with Absence occurs between two steps that must occur, within the limits of its own transitions. */
  #isInterrupted(before: number, doneMs: number, hit: Hit, runMs: number): boolean {
    for (let at = before + 1; at < hit.member; at++) {
      const open = this.#isStrict ? 1 : 0
      const fromMs = Math.max(doneMs, hit.timeMs - this.#limit(at, hit.member) - open)
      const toMs = Math.min(runMs, doneMs + this.#limit(before, at) + open)
      if (this.#occurs(at, fromMs, toMs)) return true
    }
    return false
  }

  #completion(hit: Hit, startMs: number): Completion {
    const trailing = this.#rule.members.flatMap((_, at) => (at > hit.member ? [at] : []))
    const untilMs = trailing.map((at) => hit.timeMs + this.#limit(hit.member, at))
    const frames = untilMs.filter((_, i) => this.#within.has(pairKey(hit.member, trailing[i]!)))
    // Signals that must not have occurred may still be on their way, so their absence is only certain a little later.
    return {
      startMs,
      frameMs: Math.max(hit.timeMs, ...frames),
      untilMs: canBeSpoilt(this.#rule) ? Math.max(hit.timeMs, ...untilMs) : undefined,
      isSpoilt: () => trailing.some((at, i) => this.#occurs(at, hit.timeMs, untilMs[i]! + (this.#isStrict ? 1 : 0))),
    }
  }

  /** `MaxMatchCount` counts a step's signals in the look-back that ends with the match. */
  #isTooOften(endMs: number): boolean {
    const fromMs = endMs - this.#rule.lookbackMs
    return this.#rule.members.some(({ max }, at) => max !== undefined && countBetween(this.#all[at]!, fromMs, endMs) > max)
  }

  /** Whether a step with Absence occurs between two times: both included, or excluded when a rule stands in two steps. */
  #occurs(at: number, fromMs: number, toMs: number): boolean {
    return countBetween(this.#all[at]!, fromMs, toMs, this.#isStrict) >= this.#rule.members[at]!.min
  }

  /** The longest time from one step to another, at most the look-back. */
  #limit(from: number, to: number): number {
    return Math.min(this.#within.get(pairKey(from, to)) ?? this.#rule.lookbackMs, this.#rule.lookbackMs)
  }
}

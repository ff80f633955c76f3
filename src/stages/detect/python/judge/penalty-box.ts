/** A rule that keeps ending or blocking children is suspended for a while, then runs again. */
export interface Penalty {
  readonly cause: 'timeout' | 'crash' | 'tampering'
  readonly untilMs: number
  readonly message: string
}

/** Consecutive strikes that lead to a penalty. */
export const STRIKES = 3

const FIRST_MS = 60_000
const LONGEST_MS = 60 * 60_000

/** Strikes and penalties by rule id. Time is passed in (milliseconds of any monotonic clock). */
export class PenaltyBox {
  readonly #strikes = new Map<string, number>()
  readonly #penalties = new Map<string, Penalty>()
  readonly #lengths = new Map<string, number>()

  /** A strike; the last of `STRIKES` in a row without `clear` between is a penalty. Returns true if the rule now has one. */
  strike(ruleId: string, cause: Penalty['cause'], message: string, nowMs: number, strikes = 1): boolean {
    const total = (this.#strikes.get(ruleId) ?? 0) + strikes
    this.#strikes.set(ruleId, total)
    if (total < STRIKES) return false
    const length = Math.min((this.#lengths.get(ruleId) ?? FIRST_MS / 2) * 2, LONGEST_MS)
    this.#lengths.set(ruleId, length)
    this.#strikes.delete(ruleId)
    const seconds = Math.round(length / 1000)
    this.#penalties.set(ruleId, {
      cause,
      untilMs: nowMs + length,
      message: `suspended for ${seconds} s, then retried: ${message}`,
    })
    return true
  }

  /** The rule ran through a whole batch: its strikes are cleared, but not the length of its next penalty. */
  clear(ruleId: string): void {
    this.#strikes.delete(ruleId)
  }

  /** Takes over the strikes and penalties of these rules from another box. */
  inherit(before: PenaltyBox, ruleIds: ReadonlySet<string>): void {
    for (const id of ruleIds) {
      copyEntry(before.#strikes, this.#strikes, id)
      copyEntry(before.#penalties, this.#penalties, id)
      copyEntry(before.#lengths, this.#lengths, id)
    }
  }

  /** All penalties in force, by rule id. */
  all(nowMs: number): readonly (readonly [ruleId: string, penalty: Penalty])[] {
    return [...this.#penalties].filter(([, { untilMs }]) => nowMs < untilMs)
  }

  /** The penalty in force, or `undefined`. */
  penalty(ruleId: string, nowMs: number): Penalty | undefined {
    const penalty = this.#penalties.get(ruleId)
    if (!penalty) return undefined
    if (nowMs < penalty.untilMs) return penalty
    this.#penalties.delete(ruleId)
    return undefined
  }
}

function copyEntry<V>(from: ReadonlyMap<string, V>, to: Map<string, V>, key: string): void {
  const value = from.get(key)
  if (value !== undefined) to.set(key, value)
}

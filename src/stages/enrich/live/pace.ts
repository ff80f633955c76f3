import type { AnswerLog } from './answer-log.ts'

export interface Limits {
  readonly perMinute: number
  readonly perDay: number
}

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS

/** How many addresses may be asked for now: at most `perMinute` within any minute, and `perDay` within a UTC day. */
export class Pace {
  readonly #limits: Limits
  readonly #log: AnswerLog

  constructor(limits: Limits, log: AnswerLog) {
    this.#limits = limits
    this.#log = log
  }

  leftToday(nowMs: number): number {
    return Math.max(0, this.#limits.perDay - this.#log.askedOn(nowMs))
  }

  allowed(nowMs: number): number {
    const lately = this.#log.askedLately(nowMs).reduce((sum, { n }) => sum + n, 0)
    return Math.max(0, Math.min(this.#limits.perMinute - lately, this.leftToday(nowMs)))
  }

  /** Milliseconds until more may be asked for. */
  waitMs(nowMs: number): number {
    if (this.allowed(nowMs) > 0) return 0
    if (this.leftToday(nowMs) === 0) return DAY_MS - (nowMs % DAY_MS)
    const oldest = Math.min(...this.#log.askedLately(nowMs).map(({ ms }) => ms))
    return Math.max(1, oldest + MINUTE_MS - nowMs)
  }
}

import type { Schedule } from '../../../model/schedule.ts'
import { lastRun, nextRun } from './schedule.ts'

/** When something with a schedule is due. What is due runs once, as of the last due time, however many went by in a stop. */
export class Due {
  readonly #schedule: Schedule
  #doneMs: number
  /** Nothing is due before; cron expressions take long to ask. */
  #nextMs = Number.NEGATIVE_INFINITY
  #askedMs = Number.NEGATIVE_INFINITY

  /** `doneMs`: the due time of the last run that began; before the first, when it was first seen. */
  constructor(schedule: Schedule, doneMs: number) {
    this.#schedule = schedule
    this.#doneMs = doneMs
  }

  /**
   * The due time of the run to make now, the same until it is `done`; `undefined` when there is none. A clock that was set back does not
   * repeat a run, unless it had been ahead by more than a period: then it counts from now on.
   */
  at(nowMs: number): number | undefined {
    if (nowMs < this.#askedMs) this.#nextMs = Number.NEGATIVE_INFINITY
    this.#askedMs = nowMs
    if (nowMs < this.#nextMs) return undefined
    const next = nextRun(this.#schedule, nowMs)
    if (next !== undefined && this.#doneMs > next) this.#doneMs = nowMs
    const due = lastRun(this.#schedule, nowMs)
    if (due !== undefined && due > this.#doneMs) return due
    this.#nextMs = next ?? Number.POSITIVE_INFINITY
    return undefined
  }

  done(dueMs: number): void {
    this.#doneMs = dueMs
    this.#nextMs = Number.NEGATIVE_INFINITY
  }
}

import type { Schedule } from '../../../model/schedule.ts'
import { lastRun, nextRun } from './schedule.ts'

/** When something with a schedule is due. It runs once, for the last due time, however many were missed during downtime. */
export class Due {
  readonly #schedule: Schedule
  #doneMs: number
  /** Nothing is due before this time; cached because cron expressions are slow to evaluate. */
  #nextMs = Number.NEGATIVE_INFINITY
  #askedMs = Number.NEGATIVE_INFINITY

  /** `doneMs`: the due time of the last run that began; before the first run, the time when the schedule was first seen. */
  constructor(schedule: Schedule, doneMs: number) {
    this.#schedule = schedule
    this.#doneMs = doneMs
  }

  /**
   * The due time of the next run, the same until it is `done`; `undefined` if none is due. Setting the clock back does not repeat
   * a run, unless it had been ahead by more than a period; then counting restarts from now.
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

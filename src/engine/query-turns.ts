import type { Schedule } from '../model/schedule.ts'
import { Due } from '../stages/detect/scheduled/plan.ts'
import { nextRun } from '../stages/detect/scheduled/schedule.ts'

/** A scheduled query, and the due time of its last completed run (before the first run: when it was first seen). */
export interface Queued {
  readonly name: string
  readonly schedule: Schedule
  readonly doneMs: number
}

/** A run that waits, or began, more than one period after it was due. */
export interface Overdue {
  readonly name: string
  readonly dueMs: number
  readonly lateMs: number
  readonly periodMs: number
}

interface Entry {
  readonly schedule: Schedule
  readonly due: Due
  /** The first due time that no run has covered, and the time from it to the next one. */
  oldest: { readonly dueMs: number; readonly periodMs: number } | undefined
  /** The due time of the run in progress. */
  runningMs: number | undefined
  /** When its run was requeued: it comes after those that have waited longer. */
  againMs: number
  pauseMs: number
  /** How late its last run began. */
  late: Overdue | undefined
}

/** Decides whose turn it is among scheduled queries: the run that has waited longest goes first, so no query starves another. */
export class QueryTurns {
  readonly #entries = new Map<string, Entry>()
  readonly #startMs: number

  /** `nowMs`: lateness counts from here at the earliest, since nothing could run while the program was down. */
  constructor(queries: readonly Queued[], nowMs: number) {
    this.#startMs = nowMs
    for (const query of queries) this.add(query)
  }

  /** Adds the query to those that take turns. */
  add({ name, schedule, doneMs }: Queued): void {
    const due = new Due(schedule, doneMs)
    const oldest = oldestAfter(schedule, doneMs)
    const againMs = Number.NEGATIVE_INFINITY
    this.#entries.set(name, { schedule, due, oldest, runningMs: undefined, againMs, pauseMs: 0, late: undefined })
  }

  /** Starts the turn of the query that has waited longest: returns it with the due time to run it for; `undefined` if none is due. */
  next(nowMs: number): { readonly name: string; readonly dueMs: number } | undefined {
    let first: { name: string; entry: Entry; dueMs: number; sinceMs: number } | undefined
    for (const [name, entry] of this.#entries) {
      if (entry.runningMs !== undefined || isPausing(entry, nowMs)) continue
      const dueMs = entry.due.at(nowMs)
      if (dueMs === undefined) continue
      const sinceMs = Math.max(Math.min(entry.oldest?.dueMs ?? dueMs, dueMs), Math.min(entry.againMs, nowMs))
      if (first === undefined || sinceMs < first.sinceMs) first = { name, entry, dueMs, sinceMs }
    }
    if (first === undefined) return undefined
    first.entry.late = this.#late(first.name, first.entry, nowMs)
    first.entry.runningMs = first.dueMs
    return { name: first.name, dueMs: first.dueMs }
  }

  /** The run is over, successful or not: the query waits for its next due time. */
  done(name: string): void {
    const entry = this.#entries.get(name)
    if (entry?.runningMs === undefined) return
    entry.due.done(entry.runningMs)
    entry.oldest = oldestAfter(entry.schedule, entry.runningMs)
    entry.runningMs = undefined
    entry.againMs = Number.NEGATIVE_INFINITY
  }

  /** The run must be repeated, no sooner than in `pauseMs`. */
  again(name: string, nowMs: number, pauseMs: number): void {
    const entry = this.#entries.get(name)
    if (!entry) return
    entry.runningMs = undefined
    entry.againMs = nowMs
    entry.pauseMs = pauseMs
  }

  /** Removes the query. */
  remove(name: string): void {
    this.#entries.delete(name)
  }

  /** Queries that have waited more than one period past their due time, and those whose last run began that late. */
  overdue(nowMs: number): Overdue[] {
    return [...this.#entries].flatMap(([name, entry]) => {
      const waiting = entry.runningMs === undefined ? this.#late(name, entry, nowMs) : undefined
      return waiting ?? entry.late ?? []
    })
  }

  #late(name: string, { oldest }: Entry, nowMs: number): Overdue | undefined {
    if (oldest === undefined) return undefined
    const lateMs = nowMs - Math.max(oldest.dueMs, this.#startMs)
    return lateMs > oldest.periodMs ? { name, ...oldest, lateMs } : undefined
  }
}

/** A clock that was set back does not prolong the pause. */
function isPausing({ againMs, pauseMs }: Entry, nowMs: number): boolean {
  return nowMs >= againMs && nowMs < againMs + pauseMs
}

function oldestAfter(schedule: Schedule, doneMs: number): Entry['oldest'] {
  const dueMs = nextRun(schedule, doneMs)
  const following = dueMs === undefined ? undefined : nextRun(schedule, dueMs)
  return dueMs === undefined || following === undefined ? undefined : { dueMs, periodMs: following - dueMs }
}

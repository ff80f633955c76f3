import type { Schedule } from '../../../model/schedule.ts'
import { lastRun, nextRun } from './schedule.ts'

/** How far a query has come; kept in state. */
export interface QueryProgress {
  /** The due time of the last run that began; before the first, the time at which the query was first seen. */
  readonly doneMs: number
  /** A run is under way. */
  readonly running: boolean
}

export type Decision =
  /** Run now, as of `dueMs`. `missed` earlier due times went by while nothing ran and are not made up for. */
  | { readonly kind: 'run'; readonly dueMs: number; readonly missed: number }
  /** Ask again at `untilMs`. */
  | { readonly kind: 'wait'; readonly untilMs: number }
  /** Ask again when the run under way has ended: a query never runs twice at once. */
  | { readonly kind: 'busy' }
  /** It is never due again. */
  | { readonly kind: 'never' }

/** Missed due times are counted up to here. */
const MAX_MISSED = 10_000

/**
 * What to do with a query at `nowMs`. After a stop, or a run that took longer than its period, one run catches up, as of
 * the last due time. A clock that was set back does not repeat a run, unless it had been ahead by more than a period.
 */
export function plan(schedule: Schedule, { doneMs, running }: QueryProgress, nowMs: number): Decision {
  if (running) return { kind: 'busy' }
  const next = nextRun(schedule, nowMs)
  const since = next !== undefined && doneMs > next ? nowMs : doneMs
  const due = lastRun(schedule, nowMs)
  if (due === undefined || due <= since) {
    const untilMs = nextRun(schedule, Math.max(since, nowMs))
    return untilMs === undefined ? { kind: 'never' } : { kind: 'wait', untilMs }
  }
  return { kind: 'run', dueMs: due, missed: missedBetween(schedule, since, due) }
}

/** Due times after `since` and before `due`. */
function missedBetween(schedule: Schedule, since: number, due: number): number {
  let missed = 0
  let at = nextRun(schedule, since)
  while (at !== undefined && at < due && missed < MAX_MISSED) {
    missed++
    at = nextRun(schedule, at)
  }
  return missed
}

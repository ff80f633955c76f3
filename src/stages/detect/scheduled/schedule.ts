import type { Schedule } from '../../../model/schedule.ts'
import { cronProblem, nextCronTime, readCron } from '../../../util/cron.ts'

const MINUTE_MS = 60_000

/** What is wrong with a schedule, for people; undefined if it is valid. */
export function scheduleProblem(schedule: Schedule): string | undefined {
  if ('rateMinutes' in schedule) {
    const { rateMinutes, timeoutMinutes } = schedule
    if (!Number.isInteger(rateMinutes) || rateMinutes < 2)
      return `RateMinutes is ${rateMinutes}: it must be a whole number above 1`
    return timeoutMinutes > rateMinutes
      ? `TimeoutMinutes is ${timeoutMinutes}, more than RateMinutes (${rateMinutes}): a run must finish before the next one`
      : undefined
  }
  return cronProblem(schedule.cron)
}

/**
 * The first due time after `afterMs`, both in milliseconds since 1970. Intervals count from 1970, not from startup, so due times
 * stay the same across restarts, and an hourly query is due on the hour. Cron is in UTC.
 */
export function nextRun(schedule: Schedule, afterMs: number): number | undefined {
  if ('cron' in schedule) return nextCronTime(schedule.cron, afterMs)
  const period = schedule.rateMinutes * MINUTE_MS
  return (Math.floor(afterMs / period) + 1) * period
}

/** The last due time at or before `atMs`. */
export function lastRun(schedule: Schedule, atMs: number): number | undefined {
  if ('cron' in schedule)
    return readCron(schedule.cron)
      .previousRuns(1, new Date(atMs + 1))[0]
      ?.getTime()
  const period = schedule.rateMinutes * MINUTE_MS
  return Math.floor(atMs / period) * period
}

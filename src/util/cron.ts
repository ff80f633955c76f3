import { Cron } from 'croner'
import { messageOf } from './errors.ts'

/** Reads a cron expression of five parts, in UTC. Throws if it is not one. */
export function readCron(text: string): Cron {
  return new Cron(text, { timezone: 'UTC', mode: '5-part', paused: true })
}

/** What is wrong with a cron expression, for people; `undefined` if it is valid. */
export function cronProblem(text: string): string | undefined {
  try {
    if (readCron(text).nextRun(new Date(0))) return undefined
    return `CronExpression '${text}' describes a time that never occurs`
  } catch (error) {
    return `CronExpression '${text}' cannot be read: ${messageOf(error)}; write five fields, such as '0 6 * * *' (UTC)`
  }
}

/** The first time after `afterMs`, both in milliseconds since 1970. */
export function nextCronTime(text: string, afterMs: number): number | undefined {
  return readCron(text).nextRun(new Date(afterMs))?.getTime()
}

/** More than one day of runs every minute. */
const MAX_RUNS = 1500
/** From one 29 February to the next but one. */
const MAX_SPAN_MS = 10 * 366 * 86_400_000

/** The longest time between two runs in a row, in minutes. */
export function longestGap(text: string): number {
  const cron = readCron(text)
  let before = cron.nextRun(new Date(0))
  let longest = 60_000
  for (let run = 0; before && run < MAX_RUNS && before.getTime() < MAX_SPAN_MS; run++) {
    const next = cron.nextRun(before)
    if (next) longest = Math.max(longest, next.getTime() - before.getTime())
    before = next
  }
  return longest / 60_000
}

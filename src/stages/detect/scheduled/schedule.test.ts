import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Schedule } from '../../../model/schedule.ts'
import { lastRun, nextRun, scheduleProblem } from './schedule.ts'

const at = (time: string) => Date.parse(time)
const rate = (rateMinutes: number, timeoutMinutes = 1): Schedule => ({ rateMinutes, timeoutMinutes })
const cron = (text: string): Schedule => ({ cron: text, timeoutMinutes: 1 })

test.each([
  { schedule: rate(60), after: '2024-04-19T11:59:59.999Z', gives: '2024-04-19T12:00:00Z' },
  { schedule: rate(60), after: '2024-04-19T12:00:00Z', gives: '2024-04-19T13:00:00Z' },
  { schedule: rate(1440), after: '2024-04-19T12:00:00Z', gives: '2024-04-20T00:00:00Z' },
  { schedule: cron('0 0 * * *'), after: '2024-04-19T00:00:00Z', gives: '2024-04-20T00:00:00Z' },
  { schedule: cron('0 */4 * * *'), after: '2024-04-19T00:00:01Z', gives: '2024-04-19T04:00:00Z' },
  { schedule: cron('30 6 * * 1'), after: '2024-04-19T00:00:00Z', gives: '2024-04-22T06:30:00Z' },
  { schedule: cron('0 0 29 2 *'), after: '2024-03-01T00:00:00Z', gives: '2028-02-29T00:00:00Z' },
])('the first time after $after is $gives', ({ schedule, after, gives }) => {
  expect(nextRun(schedule, at(after))).toBe(at(gives))
})

/** Checks minute by minute, with sets of minutes and hours, on all days. */
function oracle(minutes: readonly number[], hours: readonly number[], afterMs: number): number {
  for (let ms = (Math.floor(afterMs / 60_000) + 1) * 60_000; ; ms += 60_000) {
    const date = new Date(ms)
    if (minutes.includes(date.getUTCMinutes()) && hours.includes(date.getUTCHours())) return ms
  }
}

test('next and last run agree with checking the clock every minute', () => {
  const set = (max: number) => fc.uniqueArray(fc.integer({ min: 0, max }), { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(set(59), set(23), fc.integer({ min: at('2024-01-01'), max: at('2024-12-31') }), (minutes, hours, afterMs) => {
      const schedule = cron(`${minutes.join(',')} ${hours.join(',')} * * *`)
      const next = oracle(minutes, hours, afterMs)
      expect(nextRun(schedule, afterMs)).toBe(next)
      expect(lastRun(schedule, next)).toBe(next)
      expect(oracle(minutes, hours, lastRun(schedule, next - 1)!)).toBe(next)
    }),
    { seed: 11, numRuns: 100 },
  )
})

test.each([
  { schedule: rate(60), says: undefined },
  { schedule: cron('0 0 * * *'), says: undefined },
  { schedule: rate(1), says: 'RateMinutes is 1' },
  { schedule: rate(5, 6), says: 'TimeoutMinutes is 6' },
  { schedule: cron('0 0 30 2 *'), says: 'never occurs' },
  { schedule: cron('0 0 * *'), says: 'cannot be read' },
  { schedule: cron('* * * * * *'), says: 'five fields' },
  { schedule: cron('61 * * * *'), says: 'cannot be read' },
  { schedule: cron(''), says: 'cannot be read' },
])('$schedule is validated', ({ schedule, says }) => {
  if (says === undefined) expect(scheduleProblem(schedule)).toBeUndefined()
  else expect(scheduleProblem(schedule)).toContain(says)
})

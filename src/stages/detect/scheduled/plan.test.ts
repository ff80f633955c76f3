import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Schedule } from '../../../model/schedule.ts'
import { Due } from './plan.ts'
import { lastRun } from './schedule.ts'

const at = (time: string) => Date.parse(`2024-04-19T${time}Z`)
const hourly: Schedule = { rateMinutes: 60, timeoutMinutes: 1 }
const daily: Schedule = { cron: '0 6 * * *', timeoutMinutes: 1 }

test.each([
  { name: 'before its time nothing is due', schedule: hourly, done: '11:00:00', now: '11:59:59', gives: undefined },
  { name: 'at its time it is', schedule: hourly, done: '11:00:00', now: '12:00:00', gives: '12:00:00' },
  { name: 'a late run uses its due time', schedule: hourly, done: '11:00:00', now: '12:07:00', gives: '12:00:00' },
  {
    name: 'a new schedule waits for its time',
    schedule: hourly,
    done: '11:30:00',
    now: '11:30:00',
    gives: undefined,
  },
  { name: 'after downtime one run catches up', schedule: hourly, done: '02:00:00', now: '12:30:00', gives: '12:00:00' },
  {
    name: 'setting the clock back a little does not repeat a run',
    schedule: hourly,
    done: '12:00:00',
    now: '11:59:58',
    gives: undefined,
  },
  { name: 'cron runs at its time', schedule: daily, done: '05:00:00', now: '06:00:01', gives: '06:00:00' },
  {
    name: 'a time that never occurs is never due',
    schedule: { cron: '0 0 30 2 *', timeoutMinutes: 1 },
    done: '05:00:00',
    now: '06:00:00',
    gives: undefined,
  },
])('$name', ({ schedule, done, now, gives }) => {
  const due = new Due(schedule, at(done))
  // The same until it is done.
  for (let asked = 0; asked < 2; asked++) expect(due.at(at(now))).toBe(gives && at(gives))
})

/** Due times that run as the clock advances minute by minute. */
function runs(due: Due, from: string, to: string): string[] {
  const ran: string[] = []
  for (let now = at(from); now <= at(to); now += 60_000) {
    const dueMs = due.at(now)
    if (dueMs === undefined) continue
    ran.push(new Date(dueMs).toISOString().slice(11, 16))
    due.done(dueMs)
  }
  return ran
}

test('a clock that was far ahead does not lose a run', () => {
  expect(runs(new Due(hourly, at('20:00:00')), '11:30:00', '14:10:00')).toEqual(['12:00', '13:00', '14:00'])
})

test('setting the clock back while running repeats no run, and the schedule continues', () => {
  const due = new Due(hourly, at('10:00:00'))
  expect(runs(due, '10:30:00', '12:00:00')).toEqual(['11:00', '12:00'])
  expect(runs(due, '11:58:00', '13:05:00')).toEqual(['13:00'])
})

test('however the clock moves, each run uses the last due time, and none happens twice', () => {
  const step = fc.integer({ min: 1, max: 500 })
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 200 }), fc.array(step, { minLength: 1, maxLength: 60 }), (rateMinutes, steps) => {
      const schedule: Schedule = { rateMinutes, timeoutMinutes: 1 }
      let now = at('00:00:30')
      let before = now
      const due = new Due(schedule, now)
      for (const minutes of steps) {
        now += minutes * 60_000
        const last = lastRun(schedule, now)!
        expect(due.at(now)).toBe(last > before ? last : undefined)
        if (last > before) due.done(last)
        before = Math.max(before, last)
      }
    }),
    { seed: 5, numRuns: 200 },
  )
})

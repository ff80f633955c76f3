import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Schedule } from '../../../model/schedule.ts'
import { plan } from './plan.ts'

const at = (time: string) => Date.parse(`2024-04-19T${time}Z`)
const hourly: Schedule = { rateMinutes: 60, timeoutMinutes: 1 }
const daily: Schedule = { cron: '0 6 * * *', timeoutMinutes: 1 }

test.each([
  {
    name: 'before its time it waits',
    schedule: hourly,
    done: '11:00:00',
    now: '11:59:59',
    gives: { kind: 'wait', untilMs: at('12:00:00') },
  },
  {
    name: 'at its time it runs',
    schedule: hourly,
    done: '11:00:00',
    now: '12:00:00',
    gives: { kind: 'run', dueMs: at('12:00:00'), missed: 0 },
  },
  {
    name: 'a late run is as of its due time',
    schedule: hourly,
    done: '11:00:00',
    now: '12:07:00',
    gives: { kind: 'run', dueMs: at('12:00:00'), missed: 0 },
  },
  {
    name: 'a query seen for the first time waits for its time',
    schedule: hourly,
    done: '11:30:00',
    now: '11:30:00',
    gives: { kind: 'wait', untilMs: at('12:00:00') },
  },
  {
    name: 'after a stop one run catches up',
    schedule: hourly,
    done: '02:00:00',
    now: '12:30:00',
    gives: { kind: 'run', dueMs: at('12:00:00'), missed: 9 },
  },
  {
    name: 'a clock set back a little does not repeat a run',
    schedule: hourly,
    done: '12:00:00',
    now: '11:59:58',
    gives: { kind: 'wait', untilMs: at('13:00:00') },
  },
  {
    name: 'a clock that had been far ahead does not stop the query',
    schedule: hourly,
    done: '20:00:00',
    now: '11:30:00',
    gives: { kind: 'wait', untilMs: at('12:00:00') },
  },
  {
    name: 'cron runs at its time',
    schedule: daily,
    done: '05:00:00',
    now: '06:00:01',
    gives: { kind: 'run', dueMs: at('06:00:00'), missed: 0 },
  },
  {
    name: 'a time that never comes is never due',
    schedule: { cron: '0 0 30 2 *', timeoutMinutes: 1 },
    done: '05:00:00',
    now: '06:00:00',
    gives: { kind: 'never' },
  },
])('$name', ({ schedule, done, now, gives }) => {
  expect(plan(schedule, { doneMs: at(done), running: false }, at(now))).toEqual(gives)
})

test('a query under way is not begun again', () => {
  expect(plan(hourly, { doneMs: at('01:00:00'), running: true }, at('12:00:00'))).toEqual({ kind: 'busy' })
})

test('over any steps of the clock each due time is run or counted as missed, once', () => {
  const step = fc.integer({ min: 1, max: 500 })
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 200 }), fc.array(step, { minLength: 1, maxLength: 60 }), (rateMinutes, steps) => {
      const schedule: Schedule = { rateMinutes, timeoutMinutes: 1 }
      const start = at('00:00:30')
      let [now, doneMs, handled] = [start, start, 0]
      for (const minutes of steps) {
        now += minutes * 60_000
        const decision = plan(schedule, { doneMs, running: false }, now)
        if (decision.kind !== 'run') continue
        expect(decision.dueMs).toBeGreaterThan(doneMs)
        expect(decision.dueMs).toBeLessThanOrEqual(now)
        handled += 1 + decision.missed
        doneMs = decision.dueMs
      }
      const period = rateMinutes * 60_000
      expect(handled).toBe(Math.floor(now / period) - Math.floor(start / period))
    }),
    { seed: 5, numRuns: 200 },
  )
})

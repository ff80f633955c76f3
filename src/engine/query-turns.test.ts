import fc from 'fast-check'
import { expect, test } from 'vitest'
import { nextRun } from '../stages/detect/scheduled/schedule.ts'
import { QueryTurns, type Queued } from './query-turns.ts'

const MINUTE = 60_000
const START = Date.parse('2026-11-28T10:00:30Z')

function everyMinutes(name: string, rateMinutes: number, doneMs = START): Queued {
  return { name, schedule: { rateMinutes, timeoutMinutes: rateMinutes }, doneMs }
}

interface Run {
  readonly name: string
  readonly startMs: number
  /** Queries that were due but not running when a run began, with the first due time that each had missed. */
  readonly waiting: ReadonlyMap<string, number>
}

/** `places` queries run at a time, each for the minutes in its entry of `minutes`; the clock moves by half minutes. */
function simulate(queries: readonly Queued[], minutes: ReadonlyMap<string, number>, places: number, untilMs: number) {
  const turns = new QueryTurns(queries, START)
  const done = new Map(queries.map(({ name, doneMs }) => [name, doneMs]))
  const running = new Map<string, { endMs: number; dueMs: number }>()
  const runs: Run[] = []
  const overdue = new Set<string>()
  for (let now = START; now < untilMs; now += MINUTE / 2) {
    for (const [name, { endMs, dueMs }] of running) {
      if (endMs > now) continue
      running.delete(name)
      turns.done(name)
      done.set(name, dueMs)
    }
    while (running.size < places) {
      const turn = turns.next(now)
      if (!turn) break
      running.set(turn.name, { endMs: now + minutes.get(turn.name)! * MINUTE, dueMs: turn.dueMs })
      const waiting = queries
        .filter(({ name }) => !running.has(name))
        .map(({ name, schedule }) => [name, nextRun(schedule, done.get(name)!)!] as const)
        .filter(([, due]) => due <= now)
      runs.push({
        name: turn.name,
        startMs: now,
        waiting: new Map([
          ...waiting,
          [turn.name, nextRun(queries.find((q) => q.name === turn.name)!.schedule, done.get(turn.name)!)!],
        ]),
      })
    }
    for (const { name } of turns.overdue(now)) overdue.add(name)
  }
  return { runs, overdue }
}

const load = fc.record({
  queries: fc.array(fc.record({ rate: fc.integer({ min: 2, max: 60 }), minutes: fc.integer({ min: 1, max: 10 }) }), {
    minLength: 1,
    maxLength: 8,
  }),
  places: fc.integer({ min: 1, max: 3 }),
})

test('under any load, a run begins only if no other due run has waited longer', () => {
  fc.assert(
    fc.property(load, ({ queries, places }) => {
      const queued = queries.map(({ rate }, i) => everyMinutes(`q${i}`, rate))
      const minutes = new Map(queries.map(({ minutes }, i) => [`q${i}`, minutes]))
      for (const { name, waiting } of simulate(queued, minutes, places, START + 240 * MINUTE).runs) {
        for (const [other, since] of waiting)
          expect(since, `${other} had waited longer than ${name}`).toBeGreaterThanOrEqual(waiting.get(name)!)
      }
    }),
    { seed: 20261128, numRuns: 100 },
  )
})

test('under any load, no query waits longer than two runs of all the others, and waiting is reported', () => {
  fc.assert(
    fc.property(load, ({ queries, places }) => {
      const queued = queries.map(({ rate }, i) => everyMinutes(`q${i}`, rate))
      const minutes = new Map(queries.map(({ minutes }, i) => [`q${i}`, minutes]))
      const endMs = START + 240 * MINUTE
      const { runs, overdue } = simulate(queued, minutes, places, endMs)
      const roundMs = 2 * (queries.reduce((sum, query) => sum + query.minutes, 0) + 1) * MINUTE
      for (const [i, { rate }] of queries.entries()) {
        const starts = [START, ...runs.filter(({ name }) => name === `q${i}`).map(({ startMs }) => startMs), endMs]
        const gap = Math.max(...starts.slice(1).map((start, n) => start - starts[n]!))
        expect(gap).toBeLessThanOrEqual(rate * MINUTE + minutes.get(`q${i}`)! * MINUTE + roundMs)
        if (gap > (3 * rate + minutes.get(`q${i}`)!) * MINUTE) expect([...overdue]).toContain(`q${i}`)
      }
    }),
    { seed: 20261128, numRuns: 100 },
  )
})

test('with two places and four queries, each due every two minutes and a minute and a half long, all get the same share', () => {
  const names = ['a', 'b', 'c', 'd']
  const minutes = new Map(names.map((name) => [name, 1.5]))
  const { runs, overdue } = simulate(
    names.map((name) => everyMinutes(name, 2)),
    minutes,
    2,
    START + 40 * MINUTE,
  )
  for (const name of names) expect(runs.filter((run) => run.name === name).length).toBeGreaterThanOrEqual(12)
  expect(overdue.size).toBeGreaterThan(0)
})

test('a run that must be repeated queues after its pause, after those that have waited longer', () => {
  const turns = new QueryTurns([everyMinutes('fails', 2), everyMinutes('b', 2), everyMinutes('c', 2)], START)
  const now = START + 2 * MINUTE
  expect(turns.next(now)?.name).toBe('fails')
  turns.again('fails', now, 5000)
  expect([turns.next(now)?.name, turns.next(now)?.name, turns.next(now + 4999)]).toEqual(['b', 'c', undefined])
  expect(turns.next(now + 5000)).toEqual({ name: 'fails', dueMs: Date.parse('2026-11-28T10:02:00Z') })
})

test('a clock that is set back neither prolongs a pause nor keeps a query from its turn', () => {
  const turns = new QueryTurns([everyMinutes('a', 2)], START)
  const now = START + 60 * MINUTE
  turns.next(now)
  turns.again('a', now, 5000)
  const before = START + 10 * MINUTE
  expect(turns.next(before)).toEqual({ name: 'a', dueMs: Date.parse('2026-11-28T10:10:00Z') })
})

test('a run is overdue after more than one period, and stays reported until one begins in time', () => {
  const due = Date.parse('2026-11-28T10:02:00Z')
  const turns = new QueryTurns([everyMinutes('a', 2)], START)
  expect(turns.overdue(due + 2 * MINUTE)).toEqual([])
  const late = { name: 'a', dueMs: due, periodMs: 2 * MINUTE, lateMs: 2 * MINUTE + 1 }
  expect(turns.overdue(due + 2 * MINUTE + 1)).toEqual([late])
  turns.next(due + 3 * MINUTE)
  expect(turns.overdue(due + 3 * MINUTE)).toEqual([{ ...late, lateMs: 3 * MINUTE }])
  turns.done('a')
  expect(turns.overdue(due + 3 * MINUTE)).toHaveLength(1)
  turns.next(due + 4 * MINUTE)
  expect(turns.overdue(due + 4 * MINUTE)).toEqual([])
})

test('time before the start is not counted as late', () => {
  const turns = new QueryTurns([everyMinutes('a', 60, START - 10 * 24 * 60 * MINUTE)], START)
  expect(turns.overdue(START + 60 * MINUTE)).toEqual([])
  expect(turns.overdue(START + 61 * MINUTE)).toMatchObject([{ name: 'a', lateMs: 61 * MINUTE }])
})

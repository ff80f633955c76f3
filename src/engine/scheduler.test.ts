import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { ScheduledQuery } from '../model/query.ts'
import type { SearchRun } from '../model/search-run.ts'
import type { QueryRows } from '../stages/detect/scheduled/rows.ts'
import { NOW_PARAM } from '../stages/store/dialect/translate.ts'
import { LakeEnded, QueryBarred, type QueryResult } from '../stages/store/lake.ts'
import { RetryLater } from '../util/errors.ts'
import { Scheduler } from './scheduler.ts'

const DAILY: ScheduledQuery = {
  name: 'Daily',
  description: '',
  tags: [],
  sql: 'SELECT user FROM panther_logs.public.custom_login',
  dialect: 'any',
  hasLookback: false,
  file: '/content/daily.yml',
  enabled: true,
  schedule: { cron: '0 0 * * *', timeoutMinutes: 1 },
  email: undefined,
}
const LOGIN = {
  database: 'logs',
  table: 'custom_login',
  columns: [{ name: 'user', kind: 'string' }],
  timeColumn: 'p_event_time',
} as const
const ANSWER: QueryResult = { columns: [], rows: ['["ann"]'], truncated: false, ms: 1 }

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** One run of the program from `from` until `until`, with the state of earlier runs. */
async function runs(from: string, until: string, state: Map<string, number>): Promise<string[]> {
  vi.setSystemTime(new Date(from))
  const judged: QueryRows[] = []
  const scheduler = new Scheduler({
    queries: [DAILY],
    saved: new Map(),
    tables: [LOGIN],
    lake: { ensure: async () => {}, query: async () => ANSWER },
    loadDone: async (name) => state.get(name),
    saveSeen: async (name, seenMs) => void state.set(name, seenMs),
    judge: async (rows) => {
      judged.push(rows)
      state.set(rows.query, rows.dueMs)
      return { matches: 0 }
    },
    saveRun: async () => {},
    flush: async () => {},
    now: Date.now,
    onProblems: () => {},
  })
  await scheduler.start()
  await vi.advanceTimersByTimeAsync(new Date(until).getTime() - Date.now())
  await scheduler.stop()
  return judged.map(({ dueMs }) => new Date(dueMs).toISOString())
}

test('a query that has never run catches up on runs that fell due while the program was down', async () => {
  const state = new Map<string, number>()
  expect(await runs('2024-04-19T23:58:00Z', '2024-04-19T23:59:00Z', state)).toEqual([])
  expect(await runs('2024-04-20T00:01:00Z', '2024-04-20T00:02:00Z', state)).toEqual(['2024-04-20T00:00:00.000Z'])
  expect(await runs('2024-04-20T00:03:00Z', '2024-04-20T00:04:00Z', state)).toEqual([])
})

test('a query seen for the first time does not run for earlier due times', async () => {
  expect(await runs('2024-04-20T00:01:00Z', '2024-04-20T00:02:00Z', new Map())).toEqual([])
})

const QUARTERLY: ScheduledQuery = { ...DAILY, name: 'Quarterly', schedule: { rateMinutes: 15, timeoutMinutes: 1 } }

/** An hour of `QUARTERLY` and its outcome; `answer(n)` answers the n-th run. */
async function anHour(
  answer: (run: number) => Promise<QueryResult>,
  judge: () => Promise<{ matches: number }> = async () => ({ matches: 0 }),
  flush: () => Promise<void> = async () => {},
) {
  vi.setSystemTime(new Date('2024-04-19T10:00:30Z'))
  const asked: string[] = []
  const problems: (readonly string[])[] = []
  const scheduler = new Scheduler({
    queries: [QUARTERLY],
    saved: new Map(),
    tables: [LOGIN],
    lake: {
      ensure: async () => {},
      query: async (_, options) => {
        await options?.after
        asked.push(`${options?.params?.[NOW_PARAM]} at ${new Date().toISOString().slice(11, 19)}`)
        return answer(asked.length)
      },
    },
    loadDone: async () => undefined,
    saveSeen: async () => {},
    judge,
    saveRun: async () => {},
    flush,
    now: Date.now,
    onProblems: (all) => problems.push(all.map(({ message }) => message)),
  })
  await scheduler.start()
  await vi.advanceTimersByTimeAsync(60 * 60_000)
  await scheduler.stop()
  return { asked: asked.map((one) => one.replace(/^2024-04-19T(\d\d:\d\d):00.000Z/, '$1')), problems }
}

test('a run that the lake could not serve is repeated for the same due time', async () => {
  const { asked, problems } = await anHour(async (run) => {
    if (run <= 2) throw new RetryLater("the lake's process was replaced", run === 1 ? 3000 : undefined)
    return ANSWER
  })
  expect(asked).toEqual([
    '10:15 at 10:15:00',
    '10:15 at 10:15:03',
    '10:15 at 10:15:08',
    '10:30 at 10:30:00',
    '10:45 at 10:45:00',
    '11:00 at 11:00:00',
  ])
  expect(problems).toEqual([[expect.stringContaining("does not run: the lake's process was replaced")], []])
})

test('rows that cannot be stored delay a run by no more than a minute', async () => {
  const { asked, problems } = await anHour(
    async () => ANSWER,
    async () => ({ matches: 0 }),
    async () => {
      throw new RetryLater('the table logs.other takes no rows')
    },
  )
  expect(asked.slice(0, 2)).toEqual(['10:15 at 10:16:00', '10:30 at 10:31:00'])
  expect(problems[0]).toEqual([expect.stringContaining('does not run: the table logs.other takes no rows')])
})

test('a query whose result cannot be stored is repeated', async () => {
  let judged = 0
  const { asked } = await anHour(
    async () => ANSWER,
    async () => {
      if (judged++ === 0) throw new Error('the disk is full')
      return { matches: 0 }
    },
  )
  expect(asked.slice(0, 3)).toEqual(['10:15 at 10:15:00', '10:15 at 10:15:05', '10:30 at 10:30:00'])
})

test('a query whose text is refused because it ended the lake is switched off, and that is reported', async () => {
  const { asked, problems } = await anHour(async () => {
    throw new QueryBarred('it ended the process twice')
  })
  expect(asked).toHaveLength(1)
  expect(problems.at(-1)).toEqual([expect.stringMatching(/'Quarterly' .* is switched off .*: it ended the process twice/)])
})

test('a query that ends the lake in two consecutive runs is switched off, however far apart they are', async () => {
  const { asked, problems } = await anHour(async (run) => {
    if (run === 2) return ANSWER
    throw new LakeEnded('it did not stop')
  })
  expect(asked).toHaveLength(4)
  expect(problems.at(-1)).toEqual([expect.stringMatching(/is switched off .*: it did not stop/)])
})

/** A scheduler that is changed while it runs, with state and lake controlled by the test. */
function changeable() {
  vi.setSystemTime(new Date('2024-04-19T10:00:30Z'))
  const state = new Map<string, number>([[QUARTERLY.name, Date.parse('2024-04-19T10:00:00Z')]])
  const world = { saved: new Map(), tables: [LOGIN] }
  const judged: string[] = []
  const self = {
    isReadable: true,
    answer: async (): Promise<QueryResult> => ANSWER,
    problems: [] as readonly string[],
    judged,
    update: (...queries: readonly ScheduledQuery[]) => scheduler.update({ ...world, queries }),
  }
  const scheduler = new Scheduler({
    ...world,
    queries: [],
    lake: { ensure: async () => {}, query: () => self.answer() },
    loadDone: async (name) => {
      if (!self.isReadable) throw new Error('the disk is full')
      return state.get(name)
    },
    saveSeen: async (name, seenMs) => void state.set(name, seenMs),
    judge: async ({ query, dueMs }) => {
      judged.push(`${query} ${new Date(dueMs).toISOString().slice(11, 16)}`)
      state.set(query, dueMs)
      return { matches: 0 }
    },
    saveRun: async () => {},
    flush: async () => {},
    now: Date.now,
    onProblems: (now) => {
      self.problems = now.map(({ message }) => message)
    },
  })
  return { ...self, scheduler, self }
}

test('a query that cannot be added because the state cannot be read is reported, and added once it can', async () => {
  const { self, scheduler } = changeable()
  await scheduler.start()
  self.isReadable = false
  await self.update(QUARTERLY)
  expect(self.problems).toEqual([expect.stringContaining('does not run yet and will be retried: the disk is full')])
  await vi.advanceTimersByTimeAsync(20 * 60_000)
  expect(self.judged).toEqual([])
  self.isReadable = true
  await vi.waitFor(() => expect(self.judged).toEqual(['Quarterly 10:15']), 60_000)
  expect(self.problems).toEqual([])
  await scheduler.stop()
})

test('reports of a run whose query was changed or removed meanwhile are ignored', async () => {
  const { self, scheduler } = changeable()
  await scheduler.start()
  let fail: (error: Error) => void = () => {}
  self.answer = () => new Promise((_, reject) => (fail = reject))
  await self.update(QUARTERLY)
  await vi.advanceTimersByTimeAsync(15 * 60_000)
  // Changed while its run is in progress: it takes turns once that is over.
  const changed = { ...QUARTERLY, schedule: { rateMinutes: 5, timeoutMinutes: 1 } }
  await self.update(changed)
  self.answer = async () => ANSWER
  fail(new Error('no such column'))
  await vi.advanceTimersByTimeAsync(6 * 60_000)
  expect(self.problems).toEqual([])
  expect(self.judged).toEqual(['Quarterly 10:15', 'Quarterly 10:20'])

  self.answer = () => new Promise((_, reject) => (fail = reject))
  await vi.advanceTimersByTimeAsync(5 * 60_000)
  await self.update()
  fail(new Error('no such column'))
  await vi.advanceTimersByTimeAsync(60 * 60_000)
  expect(self.problems).toEqual([])
  expect(self.judged).toHaveLength(2)
  await scheduler.stop()
})

test('a run that somebody asks for is judged once, at its time, and the schedule goes on', async () => {
  vi.setSystemTime(new Date('2024-04-19T10:00:30Z'))
  const judged: string[] = []
  const kept: SearchRun[] = []
  let answer = async (): Promise<QueryResult> => ANSWER
  const scheduler = new Scheduler({
    queries: [QUARTERLY],
    saved: new Map(),
    tables: [LOGIN],
    lake: { ensure: async () => {}, query: () => answer() },
    loadDone: async () => Date.parse('2024-04-19T10:00:00Z'),
    saveSeen: async () => {},
    judge: async ({ dueMs, isAsked, rows }) => {
      judged.push(`${new Date(dueMs).toISOString().slice(11, 19)} ${isAsked ? 'asked' : 'due'}`)
      return { matches: rows.length }
    },
    saveRun: async (_, run) => void kept.push(run),
    flush: async () => {},
    now: Date.now,
    onProblems: () => {},
  })
  await scheduler.start()
  await vi.advanceTimersByTimeAsync(5 * 60_000)
  expect(await scheduler.runNow(QUARTERLY.name, 'ana')).toMatchObject({ rows: 1, matches: 1, by: 'ana' })
  await expect(scheduler.runNow('Unknown', 'ana')).rejects.toThrow("nothing is done with the rows of 'Unknown'")
  let end = (_: QueryResult) => {}
  answer = () => new Promise((resolve) => (end = resolve))
  const slow = scheduler.runNow(QUARTERLY.name, 'ana')
  await expect(scheduler.runNow(QUARTERLY.name, 'bo')).rejects.toThrow(RetryLater)
  await vi.advanceTimersByTimeAsync(10)
  end(ANSWER)
  await slow
  answer = () => Promise.reject(new Error('no such column'))
  await expect(scheduler.runNow(QUARTERLY.name, 'ana')).rejects.toThrow('no such column')
  answer = async () => ANSWER
  await vi.advanceTimersByTimeAsync(10 * 60_000)
  await scheduler.stop()
  expect(judged).toEqual(['10:05:30 asked', '10:05:30 asked', '10:15:00 due'])
  expect(kept.map(({ error, by }) => [error, by])).toEqual([
    [undefined, 'ana'],
    [undefined, 'ana'],
    ['no such column', 'ana'],
    [undefined, undefined],
  ])
})

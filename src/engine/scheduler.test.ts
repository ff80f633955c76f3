import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { ScheduledQuery } from '../model/query.ts'
import type { QueryRows } from '../stages/detect/scheduled/rows.ts'
import type { QueryResult } from '../stages/store/lake.ts'
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

/** The program from `from` on, until `until`, with what it left in state. */
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
    },
    flush: async () => {},
    now: Date.now,
    onProblems: () => {},
  })
  await scheduler.start()
  await vi.advanceTimersByTimeAsync(new Date(until).getTime() - Date.now())
  await scheduler.stop()
  return judged.map(({ dueMs }) => new Date(dueMs).toISOString())
}

test('a query that has never run catches up on what fell due while the program was down', async () => {
  const state = new Map<string, number>()
  expect(await runs('2024-04-19T23:58:00Z', '2024-04-19T23:59:00Z', state)).toEqual([])
  expect(await runs('2024-04-20T00:01:00Z', '2024-04-20T00:02:00Z', state)).toEqual(['2024-04-20T00:00:00.000Z'])
  expect(await runs('2024-04-20T00:03:00Z', '2024-04-20T00:04:00Z', state)).toEqual([])
})

test('a query seen for the first time does not run for what was due before it', async () => {
  expect(await runs('2024-04-20T00:01:00Z', '2024-04-20T00:02:00Z', new Map())).toEqual([])
})

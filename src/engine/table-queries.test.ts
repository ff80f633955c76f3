import { expect, test } from 'vitest'
import { NoContentYet, TableError } from '../stages/enrich/table.ts'
import { NOW_PARAM } from '../stages/store/dialect/translate.ts'
import type { Lake, QueryOptions, QueryResult } from '../stages/store/lake.ts'
import { Refused, RetryLater } from '../util/errors.ts'
import { TableQueries } from './table-queries.ts'

const LOGIN = {
  database: 'logs',
  table: 'custom_login',
  columns: [
    { name: 'p_event_time', kind: 'timestamp' },
    { name: 'user', kind: 'string' },
    { name: 'place', kind: 'json' },
  ],
  timeColumn: 'p_event_time',
} as const
const SQL = 'SELECT user, place FROM panther_logs.public.custom_login WHERE p_occurs_since(1d)'
const ROWS: QueryResult = { columns: [], rows: ['["ann","{\\"city\\":\\"Oslo\\"}"]'], truncated: false, ms: 1 }
const never = new AbortController().signal

function made(answer: () => Promise<QueryResult>, flush: () => Promise<void> = async () => {}) {
  const asked: QueryOptions[] = []
  const lake: Pick<Lake, 'ensure' | 'query'> = {
    ensure: async () => {},
    query: async (_, options = {}) => {
      await options.after
      asked.push(options)
      return answer()
    },
  }
  const queries = new TableQueries(
    { lake, flush, now: () => Date.parse('2024-04-19T10:00:30Z') },
    { saved: new Map(), tables: [LOGIN] },
  )
  const run = (sql = SQL, signal = never) => queries.run({ table: 'seen', sql, maxRows: 7 }, signal)
  return { asked, run, queries }
}

test('rows are objects with nested values; the query runs at the present time, within its limit of rows', async () => {
  const { run, asked } = made(async () => ROWS)
  expect(await run()).toEqual({ rows: [{ user: 'ann', place: { city: 'Oslo' } }], truncated: false })
  expect(asked).toMatchObject([{ maxRows: 7, params: { [NOW_PARAM]: '2024-04-19T10:00:30.000Z' } }])
})

test('rows that cannot be stored now do not keep a query of others from running', async () => {
  const { run } = made(
    async () => ROWS,
    () => Promise.reject(new RetryLater('the disk is full')),
  )
  expect((await run()).rows).toHaveLength(1)
})

test.each([
  {
    what: 'a log type that nobody sends yet',
    sql: 'SELECT * FROM okta_systemlog',
    Kind: NoContentYet,
    says: /waits for .*okta_systemlog/,
  },
  {
    what: 'what cannot be translated',
    sql: 'SELECT SOUNDEX(user) FROM custom_login',
    Kind: TableError,
    says: /cannot run: .*SOUNDEX/,
  },
  {
    what: 'a lake that is busy',
    error: new RetryLater('the process was replaced'),
    Kind: NoContentYet,
    says: /failed: the process/,
  },
  { what: 'a query that fails', error: new Refused('took too long'), Kind: TableError, says: /failed: took too long/ },
])('$what is distinguished from the others', async ({ sql, error, Kind, says }) => {
  const { run } = made(async () => {
    if (error) throw error
    return ROWS
  })
  const caught = await run(sql).catch((one: unknown) => one)
  expect(caught).toMatchObject({ constructor: Kind, message: expect.stringMatching(says) })
})

test('follows changed content', async () => {
  const { run, queries } = made(async () => ROWS)
  const sql = 'SELECT user FROM okta_systemlog'
  await expect(run(sql)).rejects.toThrow(NoContentYet)
  queries.update({ saved: new Map(), tables: [{ ...LOGIN, table: 'okta_systemlog' }] })
  expect((await run(sql)).rows).toHaveLength(1)
})

test('one runs at a time, and one that waits can be stopped', async () => {
  const open: (() => void)[] = []
  const { run, asked } = made(() => new Promise((resolve) => open.push(() => resolve(ROWS))))
  const first = run()
  const stop = new AbortController()
  const second = run(SQL, stop.signal)
  const third = run()
  stop.abort(new Error('stopped'))
  await expect(second).rejects.toThrow('stopped')
  await expect.poll(() => open.length).toBe(1)
  expect(asked).toHaveLength(1)
  open[0]!()
  await first
  await expect.poll(() => open.length).toBe(2)
  open[1]!()
  expect((await third).rows).toHaveLength(1)
  expect(asked).toHaveLength(2)
})

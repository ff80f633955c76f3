import { afterEach, beforeEach, expect, test } from 'vitest'
import { type FakeEngine, fakeEngine, TOKEN } from '../../../test/support/fake-engine.ts'
import type { QueryResult } from '../../stages/store/lake.ts'
import { createApp } from '../app.ts'

let engine: FakeEngine
let app: ReturnType<typeof createApp>

beforeEach(async () => {
  engine = await fakeEngine({ query_max_rows: 500, query_timeout_ms: 3000 })
  app = createApp(engine)
})

afterEach(() => engine.dispose())

const RESULT: QueryResult = {
  columns: [{ name: 'n', type: 'UInt64' }],
  rows: ['[18446744073709551615]', '["\\u2028, \\"]"]', '[1.0]'],
  truncated: true,
  ms: 4,
}

function ask(body: object, accept = 'application/json'): Promise<Response> {
  const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json', accept }
  return Promise.resolve(app.request('/api/v1/query', { method: 'POST', headers, body: JSON.stringify(body) }))
}

test('rows pass through with exact numbers', async () => {
  engine.answer = async () => RESULT
  const response = await ask({ sql: 'SELECT n', params: { a: 'x', b: 2 } })
  expect(await response.text()).toBe(
    '{"columns":[{"name":"n","type":"UInt64"}],"rows":[[18446744073709551615],["\\u2028, \\"]"],[1.0]],"truncated":true,"ms":4}',
  )
  expect(engine.queries[0]).toMatchObject({ sql: 'SELECT n', options: { params: { a: 'x', b: 2 }, fresh: true } })
})

test('as NDJSON, rows are lines between the columns and the rest', async () => {
  engine.answer = async () => RESULT
  const response = await ask({ sql: 'SELECT n' }, 'application/x-ndjson')
  expect(response.headers.get('content-type')).toBe('application/x-ndjson')
  expect((await response.text()).split('\n')).toEqual([
    '{"columns":[{"name":"n","type":"UInt64"}]}',
    ...RESULT.rows,
    '{"truncated":true,"ms":4}',
    '',
  ])
})

test('a result larger than one chunk is complete', async () => {
  const rows = Array.from({ length: 5000 }, (_, i) => `[${i},"${'x'.repeat(50)}"]`)
  engine.answer = async () => ({ ...RESULT, rows })
  const answer = (await (await ask({ sql: 'SELECT n' })).json()) as { rows: [number, string][] }
  expect(answer.rows.map(([n]) => n)).toEqual(rows.map((_, i) => i))
})

test.each<[object, number, number]>([
  [{}, 500, 3000],
  [{ max_rows: 7, timeout_ms: 100 }, 7, 100],
  [{ max_rows: 1_000_000, timeout_ms: 1_000_000 }, 1_000_000, 3000],
])('%j queries the lake for %i rows in %i ms', async (limits, maxRows, timeoutMs) => {
  await ask({ sql: 'SELECT 1', ...limits })
  expect(engine.queries[0]?.options).toMatchObject({ maxRows, timeoutMs })
})

test('a flood of queries is answered with 429 and does not fill memory', async () => {
  const waiting: (() => void)[] = []
  engine.answer = () => new Promise((resolve) => waiting.push(() => resolve(RESULT)))
  const calls = Array.from({ length: 40 }, () => ask({ sql: 'SELECT 1' }))
  await expect.poll(() => waiting.length).toBe(32)
  for (const end of waiting) end()
  const statuses = (await Promise.all(calls)).map((response) => response.status)
  expect(statuses.filter((status) => status === 200)).toHaveLength(32)
  expect(statuses.filter((status) => status === 429)).toHaveLength(8)
  engine.answer = async () => RESULT
  expect((await ask({ sql: 'SELECT 1' })).status).toBe(200)
})

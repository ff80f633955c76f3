import { join } from 'node:path'
import Database from 'libsql'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { TestConsole } from './support/console.ts'
import { longestTasks } from './support/tasks.ts'

const MANY = 100_000
/** Processor time after which a page feels stuck. */
const MAX_TASK_MS = 50

let console_: TestConsole
beforeAll(async () => {
  console_ = await TestConsole.start()
  const { caracal } = console_
  await caracal.end('SIGTERM')
  const state = new Database(join(caracal.dataDir, 'state.db'))
  const columns = state.prepare('PRAGMA table_info(alerts)').all() as { name: string }[]
  const values = columns.map(({ name }) => {
    if (name === 'alert_id') return "printf('%032x', n)"
    if (name === 'group_key') return "printf('%016x', n)"
    if (name === 'created_ms') return 'created_ms - n * 1000'
    return name === 'opened' ? '1' : name
  })
  state.exec(
    `WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${MANY})
     INSERT INTO alerts SELECT ${values.join(', ')} FROM (SELECT * FROM alerts WHERE opened = 1 LIMIT 1), numbers`,
  )
  state.close()
  await caracal.start()
})
afterAll(() => console_?.end())
afterEach(() => expect(console_.complaints.splice(0)).toEqual([]))

test('a list of 100,000 alerts stays smooth', async () => {
  const page = await console_.page('/alerts')
  const limits: number[] = []
  page.on('request', (request) => {
    const { pathname, searchParams } = new URL(request.url())
    if (pathname === '/api/v1/alerts') limits.push(Number(searchParams.get('limit')))
  })
  await page.getByText(/^100,0\d\d alerts$/).waitFor()
  let mostRows = 0
  const longest = await longestTasks(page, MAX_TASK_MS, async () => {
    for (let turn = 0; turn < 100; turn++) {
      await page.mouse.move(700, 500)
      await page.mouse.wheel(0, 2000)
      await page.evaluate('new Promise((done) => requestAnimationFrame(done))')
      mostRows = Math.max(mostRows, await page.locator('[data-index]').count())
    }
  })
  const reached = Number(await page.locator('[data-index]').last().getAttribute('data-index'))
  console.log(
    `scrolled to row ${reached}: at most ${mostRows} rows in the page, longest task of each run ${longest.map((ms) => ms.toFixed(0)).join(', ')} ms`,
  )
  expect(reached).toBeGreaterThan(1000)
  expect(mostRows).toBeLessThanOrEqual(200)
  expect(Math.max(...limits)).toBeLessThanOrEqual(500)
  expect(Math.min(...longest)).toBeLessThan(MAX_TASK_MS)
  await page.context().close()
})

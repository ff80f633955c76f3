import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { packageRoot } from '../../src/util/entry.ts'
import { until } from '../support/until.ts'
import { cells } from './support/cells.ts'
import { TestConsole } from './support/console.ts'
import { scrollSmoothly } from './support/scrolling.ts'

const MANY = 1_000_000

// Each event that is there already, with other times and ids.
const INSERT = `INSERT INTO logs.zeek_ssh
SELECT one.* REPLACE (p_event_time + toIntervalMillisecond(intDiv(number, 2)) AS p_event_time, lower(hex(number + 4294967296)) AS p_row_id)
FROM (SELECT * FROM logs.zeek_ssh ORDER BY p_row_id LIMIT 1) AS one, numbers(${MANY}) AS numbers`

let console_: TestConsole
beforeAll(async () => {
  console_ = await TestConsole.start()
  const { caracal } = console_
  await until(async () => Number((await caracal.query('SELECT count() FROM logs.zeek_ssh'))[0]![0]) === 47 || undefined)
  await caracal.end('SIGTERM')
  const script = `
    import { Session } from 'chdb'
    const session = new Session(process.argv[1])
    session.query(process.argv[2])
    session.close()`
  execFileSync(process.execPath, ['--input-type=module', '-e', script, join(caracal.dataDir, 'lake'), INSERT], {
    cwd: packageRoot(),
  })
  await caracal.start()
})
afterAll(() => console_?.end())
afterEach(() => expect(console_.complaints.splice(0)).toEqual([]))

const WAIT = { timeout: 30_000 }

test('a search with a million events stays smooth, and shows the last of them', async () => {
  const sorted = 'SELECT p_row_id FROM logs.zeek_ssh ORDER BY p_event_time DESC, p_row_id DESC LIMIT 1 OFFSET'
  const [[middle]] = (await console_.caracal.query(`${sorted} 567890`)) as [[string]]
  const [[last]] = (await console_.caracal.query(`${sorted} ${MANY - 1}`)) as [[string]]
  const page = await console_.page('/search?since=3650d&types=["Zeek.SSH"]&columns=["p_row_id"]')
  const limits: number[] = []
  page.on('request', (request) => {
    if (request.url().endsWith('/api/v1/search')) limits.push((request.postDataJSON() as { limit: number }).limit)
  })
  await page.getByRole('status').filter({ hasText: '1,000,047 events' }).waitFor(WAIT)
  await scrollSmoothly(page)

  const scrollTo = (row: number) =>
    page.evaluate(`{
      const rows = document.querySelector('section[aria-label="Rows"]')
      rows.scrollTop = (rows.scrollHeight - rows.clientHeight) * ${row / MANY}
    }`)
  await scrollTo(567_890)
  await expect.poll(() => cells(page, 567_890), WAIT).toContain(middle)
  await scrollTo(MANY)
  await expect.poll(() => cells(page, MANY - 1), WAIT).toContain(last)
  expect(limits.length).toBeGreaterThan(2)
  expect(Math.max(...limits)).toBeLessThanOrEqual(500)
})

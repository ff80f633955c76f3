import { readFileSync } from 'node:fs'
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet'
import type { Locator, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { cells } from './support/cells.ts'
import { TestConsole } from './support/console.ts'
import { paste } from './support/paste.ts'
import { scrollSmoothly } from './support/scrolling.ts'

let console_: TestConsole
beforeAll(async () => {
  console_ = await TestConsole.start()
})
afterAll(() => console_.end())
afterEach(() => expect(console_.complaints.splice(0)).toEqual([]))

/** Long enough for a machine that does much else. */
const WAIT = { timeout: 30_000 }

const inUrl = (page: Page, name: string): unknown => {
  const text = new URL(page.url()).searchParams.get(name)
  return text === null ? undefined : JSON.parse(/^[[{"]/.test(text) ? text : JSON.stringify(text))
}
const sqlUrl = (sql: string, more = '') => `/search?sql=${encodeURIComponent(JSON.stringify(sql))}${more}`
async function counted(page: Page, text: RegExp | string): Promise<void> {
  await page.getByRole('status').filter({ hasText: text }).waitFor()
}

test('SQL is completed: tables, columns of the tables that are named, functions', async () => {
  const page = await console_.page('/search?tab=sql')
  const editor = page.getByRole('textbox', { name: 'SQL' })
  await paste(page, editor, '')
  const option = (name: string) => page.getByRole('option').filter({ hasText: name }).first()
  await editor.pressSequentially('SELECT coun')
  await option('countIf').waitFor()
  await page.keyboard.press('Escape')
  await editor.pressSequentially('t() FROM logs.zeek_s')
  await option('zeek_ssh').click()
  await editor.pressSequentially(' WHERE auth_att')
  await option('auth_attempts').click()
  await editor.pressSequentially(' > 0')
  await expect.poll(() => editor.textContent(), WAIT).toMatch(/SELECT count\(\) FROM logs\.zeek_ssh WHERE auth_attempts > 0/)
  await page.keyboard.press('ControlOrMeta+Enter')
  await counted(page, '1 row')
  expect(inUrl(page, 'sql')).toContain('auth_attempts')
  const [[expected]] = (await console_.caracal.query('SELECT count() FROM logs.zeek_ssh WHERE auth_attempts > 0')) as [[number]]
  expect(await cells(page, 0)).toEqual([String(expected)])
})

test('tables that the server names late are in the list that waits for them', async () => {
  const page = await console_.page('/')
  let answer = () => {}
  const isAsked = new Promise<void>((asked) => {
    const isAnswered = new Promise<void>((resolve) => {
      answer = resolve
    })
    void page.route('**/api/v1/query', async (route) => {
      if (route.request().postData()?.includes('information_schema.columns')) {
        asked()
        await isAnswered
      }
      await route.continue()
    })
  })
  await page.goto(`${console_.url}${sqlUrl('SELECT 1')}`)
  const editor = page.getByRole('textbox', { name: 'SQL' })
  await paste(page, editor, 'SELECT count() FROM logs.zeek_s')
  await editor.press('s')
  await isAsked
  answer()
  await page.getByRole('option').filter({ hasText: 'zeek_ssh' }).first().click()
  await expect.poll(() => editor.textContent(), WAIT).toBe('SELECT count() FROM logs.zeek_ssh')
})

test('nothing is lost of what is typed faster than the page is drawn', async () => {
  const page = await console_.page('/search?tab=sql')
  const editor = page.getByRole('textbox', { name: 'SQL' })
  await paste(page, editor, '')
  const text = 'SELECT 1 AS one, 2 AS two, 3 AS three, 4 AS four, 5 AS five, 6 AS six, 7 AS seven '
  await page.evaluate(`(async () => {
    const { port1, port2 } = new MessageChannel()
    for (const [index, letter] of [...${JSON.stringify(text)}].entries()) {
      document.execCommand('insertText', false, letter)
      // One, two or three tasks later: before, between and after those in which the page is rendered and its effects run.
      for (let tasks = 0; tasks <= index % 3; tasks += 1) {
        const isRun = new Promise((resolve) => { port1.onmessage = resolve })
        port2.postMessage(undefined)
        await isRun
      }
    }
  })()`)
  await expect.poll(() => editor.textContent(), WAIT).toBe(text)
})

test('a query that takes long says how far it is, and is cancelled in the lake', async () => {
  const page = await console_.page(sqlUrl('SELECT sum(cityHash64(number)) FROM numbers(1000000000000)'))
  await page
    .getByRole('status', { name: 'Progress' })
    .getByText(/rows read/)
    .waitFor()
  await page.getByRole('button', { name: 'Cancel' }).click()
  await page.getByRole('heading', { name: 'Cancelled' }).waitFor()
  await page.getByRole('tab', { name: 'History' }).click()
  const row = page.getByRole('row').filter({ hasText: 'cityHash64' }).first()
  await row.getByText('cancelled', { exact: true }).waitFor()
})

test('a wrong query says what is wrong with it', async () => {
  const page = await console_.page(sqlUrl('SELECT nothing_like_it FROM logs.zeek_ssh'))
  await page.getByRole('alert').filter({ hasText: 'nothing_like_it' }).waitFor()
})

async function downloaded(page: Page, format: string): Promise<string> {
  await page.getByRole('button', { name: 'Export' }).click()
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('menuitem', { name: format, exact: true }).click(),
  ])
  return download.path()
}

test('a result is exported whole as CSV, NDJSON and Parquet', async () => {
  const page = await console_.page(sqlUrl("SELECT number AS n, concat('=', toString(number)) AS t FROM numbers(1500)"))
  await counted(page, '1,500 rows')
  const csv = readFileSync(await downloaded(page, 'CSV'), 'utf8')
    .trim()
    .split('\n')
  expect(csv).toHaveLength(1501)
  expect(csv.at(-1)).toMatch(/^1499,"?=1499"?\r?$/)
  expect(readFileSync(await downloaded(page, 'CSV for spreadsheets'), 'utf8')).toContain("'=1499")
  const lines = readFileSync(await downloaded(page, 'NDJSON'), 'utf8')
    .trim()
    .split('\n')
  expect(lines.map((line) => JSON.parse(line).n)).toEqual(Array.from({ length: 1500 }, (_, n) => n))
  const file = await asyncBufferFromFile(await downloaded(page, 'Parquet'))
  const rows = await parquetReadObjects({ file })
  expect(rows.map(({ t }) => t)).toEqual(Array.from({ length: 1500 }, (_, n) => `=${n}`))
})

test('rows are sorted by the lake, columns are hidden, a row is opened; all but the row is in the URL', async () => {
  const page = await console_.page(
    sqlUrl('SELECT number AS n, number % 7 AS m, toString(number) AS t FROM numbers(3000) -- all of them'),
  )
  await counted(page, '3,000 rows')
  expect(await cells(page, 0)).toEqual(['0', '0', '0'])
  await page.getByRole('columnheader').getByRole('button', { name: 'n', exact: true }).click()
  await page.getByRole('columnheader').getByRole('button', { name: 'n', exact: true }).click()
  await expect.poll(() => cells(page, 0), WAIT).toEqual(['2999', '3', '2999'])
  await page.getByRole('button', { name: 'Columns' }).click()
  await page.getByRole('checkbox', { name: 'm', exact: true }).click()
  await page.keyboard.press('Escape')
  await expect.poll(() => cells(page, 0), WAIT).toEqual(['2999', '2999'])
  await page.reload()
  await expect.poll(() => cells(page, 0), WAIT).toEqual(['2999', '2999'])
  await page.locator('[aria-rowindex="2"]').click()
  const drawer = page.getByRole('dialog', { name: 'Row 1' })
  await drawer.getByText('m', { exact: true }).waitFor()
})

test('a column is made wider with the keyboard', async () => {
  const page = await console_.page(sqlUrl('SELECT 1 AS narrow, 2 AS other'))
  const edge = page.getByRole('separator', { name: 'Width of narrow' })
  await edge.focus()
  const width = async () => Math.round((await page.getByRole('columnheader').first().boundingBox())!.width)
  const before = await width()
  for (let i = 0; i < 5; i++) await page.keyboard.press('ArrowRight')
  await expect.poll(width, WAIT).toBe(before + 80)
})

test('a million rows stay smooth, and the last one is reached', async () => {
  const page = await console_.page(
    sqlUrl("SELECT number AS n, concat('value ', toString(number)) AS t, n * 2 AS d FROM numbers(1000000)", '&most=1000000'),
  )
  const limits: number[] = []
  page.on('request', (request) => {
    if (request.url().includes('/rows?')) limits.push(Number(new URL(request.url()).searchParams.get('limit')))
  })
  await counted(page, '1,000,000 rows')
  await expect.poll(() => cells(page, 0), WAIT).toEqual(['0', 'value 0', '0'])
  await scrollSmoothly(page)
  await page.evaluate(`document.querySelector('section[aria-label="Rows"]').scrollTop = 1e9`)
  await expect.poll(() => cells(page, 999_999), WAIT).toEqual(['999999', 'value 999999', '1999998'])
  expect(limits.length).toBeGreaterThan(0)
  expect(Math.max(...limits)).toBeLessThanOrEqual(500)
})

async function fill(field: Locator, text: string): Promise<void> {
  await field.fill(text)
}

test('filters are built without SQL, show their SQL, and become SQL in the editor', async () => {
  const page = await console_.page('/search?since=3650d&types=["Zeek.SSH"]')
  await counted(page, '47 events')
  await page.getByRole('button', { name: 'Filter', exact: true }).click()
  const form = page.getByRole('form', { name: 'Filter' })
  await fill(form.getByLabel('Field'), 'auth_success')
  await fill(form.getByLabel(/^Value/), 'true')
  await form.getByRole('button', { name: 'Add' }).click()
  const [[expected]] = (await console_.caracal.query('SELECT count() FROM logs.zeek_ssh WHERE auth_success')) as [[number]]
  expect(expected).toBeGreaterThan(0)
  await counted(page, `${expected} event`)
  expect(inUrl(page, 'where')).toEqual([{ field: 'auth_success', op: 'equals', values: ['true'] }])
  await page.reload()
  await counted(page, `${expected} event`)
  await page.getByRole('button', { name: 'Show the SQL' }).click()
  await page.getByText(/FROM logs\.zeek_ssh WHERE/).waitFor()
  await page.getByRole('button', { name: 'Edit as SQL' }).click()
  await counted(page, `${expected} row`)
  expect(inUrl(page, 'sql')).toContain('auth_success')
})

test('a drag across the histogram narrows the time', async () => {
  const page = await console_.page('/search?since=2023-05-15T00:00:00.000Z&until=2023-05-16T00:00:00.000Z')
  const chart = page.getByRole('img', { name: /Events over time/ }).locator('.u-over')
  await chart.waitFor()
  const box = (await chart.boundingBox())!
  await page.mouse.move(box.x + box.width * 0.25, box.y + 20)
  await page.mouse.down()
  await page.mouse.move(box.x + box.width * 0.5, box.y + 30, { steps: 8 })
  await page.mouse.up()
  await expect.poll(() => String(inUrl(page, 'since')), WAIT).toMatch(/^2023-05-15T0[56]:/)
  expect(String(inUrl(page, 'until'))).toMatch(/^2023-05-15T1[12]:/)
  const between = `p_event_time >= parseDateTime64BestEffort('${inUrl(page, 'since')}', 9) AND p_event_time < parseDateTime64BestEffort('${inUrl(page, 'until')}', 9)`
  const [[expected]] = (await console_.caracal.query(`SELECT count() FROM logs.all WHERE ${between}`)) as [[number]]
  await counted(page, `${expected} events`)
})

test('a field shows its most frequent values, and one of them becomes a filter', async () => {
  const page = await console_.page('/search?since=3650d&types=["Zeek.HTTP"]')
  await page.getByRole('button', { name: /^method/ }).click()
  const values = page.getByRole('list', { name: 'Most frequent values of method' })
  const [[method, count]] = (await console_.caracal.query(
    'SELECT method, count() FROM logs.zeek_http GROUP BY 1 ORDER BY 2 DESC LIMIT 1',
  )) as [[string, number]]
  await values.getByRole('button', { name: `Only ${method}` }).click()
  await counted(page, `${count} events`)
  expect(inUrl(page, 'where')).toEqual([{ field: 'method', op: 'equals', values: [method] }])
  await page.getByRole('button', { name: `Remove the filter method is ${method}` }).click()
  await counted(page, '224 events')
})

test('without events, the page says what to do', async () => {
  const page = await console_.page('/search?since=2001-01-01T00:00:00.000Z&until=2001-01-02T00:00:00.000Z&types=["Zeek.SSH"]')
  await page.getByRole('button', { name: 'Search all time' }).click()
  await counted(page, '47 events')
})

// As SQL makes them: deeper and wider than any event may be.
const HOSTILE: readonly (readonly [what: string, sql: string, shown: string])[] = [
  ['a script', `SELECT '<script>window.hit = 1</script>' AS v`, '<script>window.hit = 1</script>'],
  ['markup', `SELECT '<img src=x onerror="window.hit = 1">' AS v`, '<img src=x onerror="window.hit = 1">'],
  ['a name that is markup', 'SELECT 1 AS "<b onclick=hit>"', '<b onclick=hit>'],
  ['marks that turn the direction', `SELECT 'abc\u202egnp.exe\u2066def' AS v`, 'abc\u202egnp.exe\u2066def'],
  ['a text of 1 MB', `SELECT repeat('x', 1000000) AS v`, 'x'.repeat(300)],
  ['JSON 500 deep', `SELECT concat(repeat('{"a":', 500), '1', repeat('}', 500)) AS v`, '{"a":{"a":{"a":'],
]

test.each(HOSTILE)('%s is text in the table, as JSON and in an opened row', async (_, sql, shown) => {
  for (const view of ['', '&view=json']) {
    const page = await console_.page(sqlUrl(sql, view))
    await counted(page, '1 row')
    const rows = page.getByRole('region', { name: /^Rows/ })
    if (view === '') await expect.poll(() => rows.textContent(), WAIT).toContain(shown)
    await rows.getByRole('button').last().click()
    const drawer = page.getByRole('dialog')
    await drawer.getByText('Fields', { exact: true }).waitFor()
    await drawer.getByText('JSON', { exact: true }).click()
    await drawer.locator('pre').waitFor()
    expect(await page.evaluate('window.hit')).toBeUndefined()
    expect(await page.locator('*').count()).toBeLessThan(2000)
    await page.context().close()
  }
})

test('of 5,000 columns the first are shown, and others are found by their name', async () => {
  const columns = Array.from({ length: 5000 }, (_, n) => `${n} AS c${n}_`).join(', ')
  const page = await console_.page('/search?tab=sql')
  await paste(page, page.getByRole('textbox', { name: 'SQL' }), `SELECT ${columns}`)
  await page.getByRole('button', { name: 'Run', exact: true }).click()
  await counted(page, '1 row')
  expect(await page.getByRole('columnheader').count()).toBeLessThan(100)
  await page.getByRole('button', { name: /of 5,000 columns/ }).click()
  await page.getByRole('textbox', { name: 'Find a column' }).fill('c4321_')
  await page.getByRole('checkbox', { name: 'c4321_' }).click()
  await page.keyboard.press('Escape')
  await page.getByRole('columnheader', { name: 'c4321_' }).waitFor()
  expect(await page.locator('*').count()).toBeLessThan(4000)
})

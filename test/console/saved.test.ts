import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { TestConsole } from './support/console.ts'
import { paste } from './support/paste.ts'

let console_: TestConsole
beforeAll(async () => {
  console_ = await TestConsole.start()
})
afterAll(() => console_.end())
afterEach(() => expect(console_.complaints.splice(0)).toEqual([]))

const sqlUrl = (sql: string) => `/search?sql=${encodeURIComponent(JSON.stringify(sql))}`
/** The file of a saved search or of a dashboard; `undefined` before it is saved. */
async function fileOf(kind: 'searches' | 'dashboards', name: string): Promise<string | undefined> {
  const response = await console_.caracal.fetch(`/api/v1/${kind}/${encodeURIComponent(name)}`)
  return response.ok ? ((await response.json()) as { source: { yaml: string } }).source.yaml : undefined
}

const WAIT = { timeout: 30_000 }

test('a query is saved with a schedule, run, changed, deleted, and brought back', async () => {
  const page = await console_.page(sqlUrl('SELECT count() AS logins FROM logs.zeek_ssh'))
  await page.getByRole('button', { name: 'Save…' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Name').fill('Logins by day')
  await dialog.getByText('By a cron expression').click()
  await dialog.getByLabel('Cron expression, in UTC').fill('30 5 * * *')
  await dialog.getByRole('combobox', { name: 'E-mail its rows to' }).fill('soc@example.com')
  await dialog.getByRole('combobox', { name: 'E-mail its rows to' }).press('Enter')
  await dialog.getByLabel('Attach the rows as a CSV file').check()
  await dialog.getByRole('button', { name: 'Save' }).click()
  await page.getByText(/Saved Logins by day/).waitFor()
  expect(await fileOf('searches', 'Logins by day')).toMatch(
    /AnalysisType: scheduled_query[\s\S]*CronExpression: ["']?30 5 \* \* \*[\s\S]*- soc@example\.com\n {2}SendEmpty: false\n {2}PreferAttachment: true/,
  )

  await page.getByRole('tab', { name: 'Saved' }).click()
  const row = page.getByRole('row').filter({ hasText: 'Logins by day' })
  await row.getByText(/30 5 \* \* \*/).waitFor()
  await row.getByRole('button', { name: 'Show rows of Logins by day' }).click()
  await page.getByRole('status').filter({ hasText: '1 row' }).waitFor()
  await page.getByRole('cell', { name: '47' }).waitFor()

  await page.getByRole('button', { name: 'Save changes…' }).click()
  await dialog.getByText('On demand').click()
  await dialog.getByRole('button', { name: 'Save' }).click()
  await expect.poll(async () => (await fileOf('searches', 'Logins by day')) ?? '', WAIT).toContain('AnalysisType: saved_query')

  await page.getByRole('tab', { name: 'Saved' }).click()
  await page.getByRole('button', { name: 'Delete Logins by day' }).click()
  await expect.poll(() => fileOf('searches', 'Logins by day'), WAIT).toBeUndefined()
  await page.getByRole('button', { name: 'Undo' }).last().click()
  await expect.poll(async () => (await fileOf('searches', 'Logins by day')) ?? '', WAIT).toContain('FROM logs.zeek_ssh')
})

test('filters are saved as SQL, with their span before each run', async () => {
  const page = await console_.page(
    '/search?since=7d&types=["Zeek.SSH"]&where=[{"field":"auth_success","op":"equals","values":["true"]}]',
  )
  await page.getByRole('button', { name: 'Save…' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Name').fill('Logins of the week')
  await dialog.getByRole('button', { name: 'Save' }).click()
  const row = page.getByRole('row').filter({ hasText: 'Logins of the week' })
  await row.waitFor()
  expect(await fileOf('searches', 'Logins of the week')).toMatch(/zeek_ssh[\s\S]*auth_success/)
  expect(await fileOf('searches', 'Logins of the week')).toContain('604800')
})

interface PanelOf {
  readonly title: string
  readonly kind: string
  readonly sql: string
}

async function addPanel(page: Page, { title, kind, sql }: PanelOf): Promise<void> {
  await page.getByRole('button', { name: 'Add a panel' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Title').fill(title)
  await dialog.getByLabel('Shows').click()
  await page.getByRole('option', { name: kind, exact: true }).click()
  await dialog.getByText('SQL', { exact: true }).click()
  await paste(page, dialog.getByRole('textbox', { name: 'SQL' }), sql)
  await dialog.getByRole('button', { name: 'Add', exact: true }).click()
  await dialog.waitFor({ state: 'detached' })
}

test('a dashboard is made, shows its panels, leads to their queries, and is changed', async () => {
  const page = await console_.page('/dashboards')
  await page.getByRole('link', { name: 'New dashboard' }).click()
  await page.getByRole('heading', { level: 1, name: 'New dashboard' }).waitFor()
  await page.getByRole('textbox', { name: /^Name/ }).fill('Of the test')
  await addPanel(page, { title: 'Connections', kind: 'Number', sql: 'SELECT count() AS n FROM logs.zeek_conn' })
  await addPanel(page, {
    title: 'Methods',
    kind: 'Bars',
    sql: 'SELECT method, count() AS n FROM logs.zeek_http GROUP BY 1 ORDER BY 2 DESC',
  })
  await addPanel(page, {
    title: 'By hour',
    kind: 'Line',
    sql: 'SELECT toStartOfHour(p_event_time) AS t, count() AS n FROM logs.zeek_conn GROUP BY 1 ORDER BY 1',
  })
  await addPanel(page, {
    title: 'Countries',
    kind: 'Map of countries',
    sql: "SELECT ['DE', 'Japan', 'nowhere'][number + 1] AS country, 10 - number AS n FROM numbers(3)",
  })
  await addPanel(page, { title: '<b onclick=hit>', kind: 'Table', sql: `SELECT '<img src=x onerror="window.hit = 1">' AS v` })
  await page.getByRole('button', { name: 'Move Methods to the front' }).click()
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await page.getByRole('heading', { name: 'Of the test', level: 1 }).waitFor()

  expect(await page.locator('main h2').allTextContents()).toEqual([
    'Methods',
    'Connections',
    'By hour',
    'Countries',
    '<b onclick=hit>',
  ])
  await page.getByRole('region', { name: 'Connections' }).getByText('316', { exact: true }).waitFor()
  const [[method]] = (await console_.caracal.query(
    'SELECT method, count() FROM logs.zeek_http GROUP BY 1 ORDER BY 2 DESC LIMIT 1',
  )) as [[string]]
  await page.getByRole('region', { name: 'Methods' }).getByText(method, { exact: true }).waitFor()
  await page.getByRole('region', { name: 'By hour' }).getByRole('img', { name: 'By hour: n 316' }).waitFor()
  await page.getByRole('region', { name: 'Countries' }).getByText('Germany', { exact: true }).last().waitFor()
  await page.getByRole('cell', { name: '<img src=x onerror="window.hit = 1">' }).waitFor()
  expect(await page.evaluate('window.hit')).toBeUndefined()
  expect(await fileOf('dashboards', 'Of the test')).toMatch(/Kind: map/)

  await page.getByRole('link', { name: 'Connections' }).click()
  await page.getByRole('cell', { name: '316' }).waitFor()
  await page.goBack()
  await page.getByRole('button', { name: 'Edit' }).click()
  await page.getByRole('button', { name: 'Remove Methods' }).click()
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await page.getByRole('button', { name: 'Edit' }).waitFor()
  await expect.poll(() => page.locator('main h2').allTextContents(), WAIT).not.toContain('Methods')
  expect(await fileOf('dashboards', 'Of the test')).not.toContain('Methods')
})

test('a dashboard that ships is copied, not changed', async () => {
  const page = await console_.page('/dashboards')
  await page.getByRole('link', { name: 'Network (Zeek)' }).first().click()
  await page.getByRole('region', { name: 'Connections', exact: true }).waitFor()
  expect(await page.getByRole('button', { name: 'Edit' }).count()).toBe(0)
  await page.getByRole('link', { name: 'Copy' }).click()
  await page.getByRole('textbox', { name: /^Name/ }).fill('My network')
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await page.getByRole('heading', { name: 'My network', level: 1 }).waitFor()
  await page.getByRole('button', { name: 'Edit' }).waitFor()
})

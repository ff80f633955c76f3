import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { SteppedClock } from '../support/stepped-clock.ts'
import { TestConsole } from './support/console.ts'

/** Tables on their pages: written, uploaded, compared and looked up as they were. */
const folder = mkdtempSync(join(tmpdir(), 'caracal-console-tables-'))
const content = join(folder, 'own')
const LONG = 'x'.repeat(3000)
const HOSTILE = ['<img src=x onerror="window.hit = 1">', '<script>window.hit = 1</script>', '\u202Ereversed\u202C', LONG]
let console_: TestConsole
let clock: SteppedClock
beforeAll(async () => {
  mkdirSync(join(content, 'tables'), { recursive: true })
  const table = (name: string) => ({
    AnalysisType: 'lookup_table',
    LookupName: name,
    Description: HOSTILE[1],
    Filename: `${name}.csv`,
    LogTypeMap: { PrimaryKey: 'ip' },
  })
  for (const name of ['offices', 'hostile']) writeFileSync(join(content, `tables/${name}.yml`), JSON.stringify(table(name)))
  writeFileSync(join(content, 'tables/offices.csv'), 'ip,city\n192.0.2.1,Bern\n192.0.2.2,Oslo\n')
  writeFileSync(join(content, 'tables/hostile.csv'), 'ip,note\n192.0.2.1,plain\n')
  clock = new SteppedClock(folder)
  const config = join(folder, 'caracal.yml')
  writeFileSync(config, '{}\n')
  const args = ['--content', content, '--config', config, '--no-demo']
  console_ = await TestConsole.start({ args, nodeArgs: clock.nodeArgs })
})
afterAll(async () => {
  await console_?.end()
  rmSync(folder, { recursive: true, force: true })
})
afterEach(() => expect(console_.complaints.splice(0)).toEqual([]))

const WAIT = { timeout: 60_000 }

async function upload(page: Page, text: string): Promise<void> {
  const buffer = Buffer.from(text)
  await page.locator('input[type=file]').setInputFiles({ name: 'rows.csv', mimeType: 'text/csv', buffer })
  await page.getByRole('button', { name: 'Show what changes' }).click()
}

async function lookUp(page: Page, key: string, asOf = ''): Promise<void> {
  await page.getByRole('textbox', { name: 'Key' }).fill(key)
  await page.getByLabel('As of').fill(asOf)
  await page.getByRole('button', { name: 'Look up' }).click()
}

test('a version is uploaded after its changes are shown, and the table is looked up as it was a week ago', async () => {
  const weekAgo = new Date(Date.now() + 60_000)
  await clock.stepTo(7 * 24 * 60)
  const page = await console_.page('/tables/offices')
  await upload(page, 'ip,city\n192.0.2.1,Basel\n192.0.2.3,Turin\n')
  await page.getByText('1 row added, 1 removed, 1 changed').waitFor(WAIT)
  await page.getByRole('row', { name: /changed 192\.0\.2\.1 city Bern Basel/ }).waitFor()
  await page.getByRole('button', { name: 'Put in force' }).click()
  await page.getByText('In force: 2 rows').waitFor(WAIT)
  // Who has uploaded it.
  await page
    .getByRole('row', { name: /ana@example/i })
    .first()
    .waitFor(WAIT)

  await lookUp(page, '192.0.2.1')
  await page.getByText('Basel').first().waitFor(WAIT)
  const local = new Date(weekAgo.getTime() - weekAgo.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
  await lookUp(page, '192.0.2.1', local)
  await page.getByText('Bern').first().waitFor(WAIT)

  await page.getByRole('button', { name: 'Compare' }).click()
  await page.getByText('1 row added, 1 removed, 1 changed').waitFor(WAIT)
  await page.context().close()
})

test('rows that cannot be used are refused in words, and change nothing', async () => {
  const page = await console_.page('/tables/offices')
  await upload(page, 'town\nBern\n')
  await page.getByRole('alert').getByText("no column 'ip'").waitFor(WAIT)
  expect(await page.getByRole('button', { name: 'Put in force' }).count()).toBe(0)
  await page.context().close()
})

test('hostile text in a table is shown as text', async () => {
  const page = await console_.page('/tables/hostile')
  await page.getByText(HOSTILE[1]!).first().waitFor(WAIT)
  const rows = HOSTILE.map((note, i) => `192.0.2.${i + 10},"${note.replaceAll('"', '""')}"`)
  await upload(page, `ip,note\n192.0.2.1,plain\n${rows.join('\n')}\n`)
  await page.getByText('4 rows added, 0 removed, 0 changed').waitFor(WAIT)
  for (const note of HOSTILE) await page.getByText(note).first().waitFor()
  await page.getByRole('button', { name: 'Put in force' }).click()
  await page.getByText('In force: 5 rows').waitFor(WAIT)
  for (const [i, note] of HOSTILE.entries()) {
    await lookUp(page, `192.0.2.${i + 10}`)
    await page.getByText(note.slice(0, 40)).first().waitFor(WAIT)
  }
  expect(await page.evaluate('window.hit')).toBeUndefined()
  // A long value does not make the page wider than the window.
  expect(await page.evaluate('document.documentElement.scrollWidth <= window.innerWidth')).toBe(true)
  await page.context().close()
})

test('a new table is written from pasted rows, and a row is added and removed', async () => {
  const page = await console_.page('/tables')
  await page.getByRole('link', { name: 'New table' }).click()
  await page.getByRole('heading', { level: 1, name: 'New table' }).waitFor(WAIT)
  await page.getByRole('textbox', { name: 'Name' }).fill('vip users')
  await page.getByRole('textbox', { name: 'Rows' }).fill('user,team\nada,red\n')
  await page.getByRole('button', { name: 'Check' }).click()
  await page.getByText('The table would have 1 row.').waitFor(WAIT)
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('heading', { level: 1, name: 'vip users' }).waitFor(WAIT)
  expect(readdirSync(join(content, 'tables'))).toEqual(expect.arrayContaining(['vip_users.csv', 'vip_users.yml']))

  await page.getByRole('textbox', { name: 'user', exact: true }).fill('grace')
  await page.getByRole('textbox', { name: 'team', exact: true }).fill('blue')
  await page.getByRole('button', { name: 'Add row' }).click()
  await page.getByText('The row was added').waitFor(WAIT)
  await lookUp(page, 'grace')
  await page.getByText('In the table').waitFor(WAIT)
  await page.getByRole('button', { name: 'Remove row' }).click()
  await page.getByText('Not in the table').waitFor(WAIT)
  await page.context().close()
})

test('somebody who only reads sees tables and packs, and nothing to change them with', async () => {
  const page = await console_.viewerPage('/tables/offices')
  await page.getByRole('heading', { level: 2, name: 'Look up' }).waitFor(WAIT)
  expect(await page.getByRole('button', { name: /Add row|Show what changes/ }).count()).toBe(0)
  await page.goto(`${console_.url}/packs`)
  await page.getByText('Caracal.Netstat').waitFor(WAIT)
  expect(await page.getByRole('button', { name: /Turn o/ }).count()).toBe(0)
  await page.context().close()
})

test('a pack is turned off after what stops is said, and on again', async () => {
  const page = await console_.page('/packs')
  await page.getByRole('button', { name: 'Turn off Caracal.Netstat' }).click()
  const dialog = page.getByRole('dialog', { name: 'Turn off Caracal.Netstat' })
  await dialog.getByText('Netstat.UnexpectedPort').waitFor()
  await dialog.getByText('allowed_ports').waitFor()
  await dialog.getByRole('button', { name: 'Turn off' }).click()
  await page.getByText('Caracal.Netstat is off').waitFor(WAIT)
  const tables = async () => {
    const { results } = (await (await console_.caracal.fetch('/api/v1/tables?limit=500')).json()) as {
      results: { name: string }[]
    }
    return results.map(({ name }) => name)
  }
  expect(await tables()).not.toContain('allowed_ports')
  await page.getByRole('button', { name: 'Turn on Caracal.Netstat' }).click()
  await page.getByText('Caracal.Netstat is on').waitFor(WAIT)
  expect(await tables()).toContain('allowed_ports')
  await page.context().close()
})

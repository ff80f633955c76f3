import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { packageRoot } from '../../src/util/entry.ts'
import { TestConsole } from './support/console.ts'

const content = mkdtempSync(join(tmpdir(), 'caracal-console-schemas-'))
let console_: TestConsole
beforeAll(async () => {
  cpSync(join(packageRoot(), 'starter/content/schemas'), join(content, 'schemas'), { recursive: true })
  const config = join(content, 'caracal.yml')
  writeFileSync(config, 'sources: [{ type: http, id: sign-ins, log_types: [Example.SignIn] }]\n')
  console_ = await TestConsole.start({ args: ['--content', content, '--config', config] })
})
afterAll(async () => {
  await console_.end()
  rmSync(content, { recursive: true, force: true })
})
afterEach(() => expect(console_.complaints.splice(0)).toEqual([]))

const WAIT = { timeout: 30_000 }

const DOORS = [
  { time: '2026-01-05T08:00:00Z', door: 'north', badge: 17, address: '192.0.2.4', note: '<img src=x onerror="window.hit = 1">' },
  { time: '2026-01-05T08:01:00Z', door: 'south', badge: 18, address: '192.0.2.5', note: 'opened' },
]
  .map((record) => JSON.stringify(record))
  .join('\n')

test('a schema is written from pasted records, saved, and reads records without a restart', async () => {
  const page = await console_.page('/schemas')
  await page.getByRole('link', { name: 'New schema' }).click()
  // The list that is left has a box with almost this name.
  await page.getByRole('heading', { level: 1, name: 'New schema' }).waitFor(WAIT)
  await page.getByRole('textbox', { name: 'Log type', exact: true }).fill('Custom.Door')
  await page.getByRole('textbox', { name: 'Records', exact: true }).fill(DOORS)
  await page.getByRole('button', { name: 'Write a schema' }).click()
  await page.getByText('All 2 records read').waitFor(WAIT)
  // Untrusted text in the events that were read.
  await page.getByText('<img src=x onerror="window.hit = 1">').first().waitFor()
  expect(await page.evaluate('window.hit')).toBeUndefined()
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('heading', { level: 1, name: 'Custom.Door' }).waitFor(WAIT)
  const files = readdirSync(content, { recursive: true, encoding: 'utf8' })
  const file = files.find(
    (one) => one.endsWith('.yml') && readFileSync(join(content, one), 'utf8').includes('schema: Custom.Door'),
  )
  expect(file && existsSync(join(content, file))).toBeTruthy()

  await page.getByRole('textbox', { name: /Try it on records/ }).fill(`${DOORS}\n{"door":"no time"}`)
  await page.getByRole('button', { name: 'Read them' }).click()
  await page.getByText('1 of 3 records refused').waitFor(WAIT)
})

test('fields that a schema does not have are shown where it is edited, and a viewer cannot edit it', async () => {
  const record = { time: new Date().toISOString(), user: 'ana', address: '192.0.2.7', success: true, colour: 'teal' }
  await console_.caracal.fetch('/ingest/sign-ins', { method: 'POST', body: JSON.stringify(record) })
  await expect
    .poll(async () => (await console_.caracal.query('SELECT count() FROM logs.example_signin')).flat().map(Number), WAIT)
    .not.toEqual([0])
  const page = await console_.viewerPage('/schemas/Example.SignIn')
  await page.getByRole('row', { name: /colour/ }).waitFor(WAIT)
  await page.getByRole('row', { name: /^is_admin/ }).waitFor(WAIT)
  await page.getByText(/\d+ events? in the last day/).waitFor(WAIT)
  expect(await page.getByRole('button', { name: 'Save' }).count()).toBe(0)
  expect(await page.getByRole('button', { name: 'Read them' }).count()).toBe(0)
})

test('an unknown field is adopted after its diff is shown, and becomes a column without a restart', async () => {
  const send = (colour: string) => {
    const record = { time: new Date().toISOString(), user: 'ana', address: '192.0.2.7', success: true, paint: colour }
    return console_.caracal.fetch('/ingest/sign-ins', { method: 'POST', body: JSON.stringify(record) })
  }
  await send('red')
  const stored = () => console_.caracal.query("SELECT count() FROM logs.example_signin WHERE extra LIKE '%paint%'")
  await expect.poll(async () => (await stored()).flat().map(Number), WAIT).toEqual([1])
  const page = await console_.page('/schemas/Example.SignIn')
  await page.getByRole('checkbox', { name: 'Adopt the field paint' }).check(WAIT)
  await page.getByRole('button', { name: 'Adopt…' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.locator('.cm-changedLine', { hasText: 'paint' }).waitFor(WAIT)
  await dialog.getByRole('button', { name: 'Adopt', exact: true }).click()
  await page.getByText('Adopted, and in force').waitFor(WAIT)
  await expect.poll(() => page.getByRole('checkbox', { name: 'Adopt the field paint' }).count(), WAIT).toBe(0)
  await send('green')
  const values = () => console_.caracal.query('SELECT paint FROM logs.example_signin WHERE paint IS NOT NULL')
  await expect.poll(values, WAIT).toEqual([['green']])
})

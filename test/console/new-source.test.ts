import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { TestConsole } from './support/console.ts'

const folder = mkdtempSync(join(tmpdir(), 'caracal-console-sources-'))
const config = join(folder, 'caracal.yml')
let console_: TestConsole
beforeAll(async () => {
  writeFileSync(config, '# Where logs come from.\nsources:\n  - { type: http, id: first }\n')
  console_ = await TestConsole.start({ args: ['--config', config] })
})
afterAll(async () => {
  await console_.end()
  rmSync(folder, { recursive: true, force: true })
})
afterEach(() => expect(console_.complaints.splice(0)).toEqual([]))

const WAIT = { timeout: 30_000 }

/** Posts to the address and with the token of the curl line that the page shows. */
async function sendAs(line: string, body: string): Promise<number> {
  const [, token] = /Bearer ([^"'\s]+)/.exec(line) ?? []
  const [, url] = /(http:\/\/\S+?\/ingest\/[\w-]+)/.exec(line) ?? []
  const response = await fetch(url!, { method: 'POST', headers: { authorization: `Bearer ${token}` }, body })
  await response.arrayBuffer()
  return response.status
}

const CONN = {
  ts: 1684130000.5,
  uid: 'CHhAvVGS1DHFjwGM9',
  'id.orig_h': '192.0.2.9',
  'id.orig_p': 5353,
  'id.resp_h': '198.51.100.7',
  'id.resp_p': 53,
  proto: 'udp',
}

test('a source is added, its lines work as they are, and its first event and what cannot be parsed are shown', async () => {
  const page = await console_.page('/sources')
  await page.getByRole('link', { name: 'Add a source' }).click()
  await page.getByRole('heading', { level: 1, name: 'Add a source' }).waitFor()
  await page.getByRole('radio', { name: 'Zeek' }).check()
  await page.getByRole('textbox', { name: 'Name' }).fill('sensor-1')
  await page.getByRole('combobox', { name: 'Log types' }).fill('Zeek.Conn')
  await page.getByRole('option', { name: 'Zeek.Conn', exact: true }).click()
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: 'Add the source' }).click()
  await page.getByText('Waiting for the first record').waitFor(WAIT)
  expect(readFileSync(config, 'utf8')).toMatch(/^# Where logs come from\.[\s\S]*sensor-1/)

  await page.getByRole('tab', { name: 'curl' }).click()
  const line = (await page.getByRole('tabpanel').locator('pre').textContent()) ?? ''
  await page.getByRole('tab', { name: 'Fluent Bit' }).click()
  const [, token = ''] = /Bearer ([^"'\s]+)/.exec(line) ?? []
  expect(await page.getByRole('tabpanel').locator('pre').textContent()).toContain(token)

  expect(await sendAs(line, JSON.stringify(CONN))).toBeLessThan(300)
  await page.getByText('CHhAvVGS1DHFjwGM9').first().waitFor(WAIT)
  await page.getByText('Zeek.Conn').first().waitFor()

  expect(await sendAs(line, '{"ts":"<img src=x onerror=\\"window.hit = 1\\">"}')).toBeLessThan(300)
  await page.getByText('Records that could not be parsed').waitFor(WAIT)
  await page.getByText('<img src=x').first().waitFor()
  expect(await page.evaluate('window.hit')).toBeUndefined()
})

test('a name that is taken is refused with what to do, and nothing of the form is lost', async () => {
  const page = await console_.page('/sources/new')
  await page.getByRole('textbox', { name: 'Name' }).fill('first')
  await page.getByRole('button', { name: 'Add the source' }).click()
  await page.getByRole('alert').filter({ hasText: 'choose another id' }).waitFor(WAIT)
  expect(await page.getByRole('textbox', { name: 'Name' }).inputValue()).toBe('first')
})

test('for a bucket, the lines of the configuration file are shown', async () => {
  const page = await console_.page('/sources/new')
  await page.getByRole('radio', { name: 'S3 bucket' }).check()
  await page.getByRole('button', { name: 'Show the lines' }).click()
  await page.getByText('type: s3').waitFor()
})

test('a viewer is not offered to add a source', async () => {
  const page = await console_.viewerPage('/sources')
  await page.getByRole('link', { name: 'first' }).waitFor()
  expect(await page.getByRole('link', { name: 'Add a source' }).count()).toBe(0)
})

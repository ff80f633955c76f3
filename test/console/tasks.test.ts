import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { TestServer } from '../support/servers.ts'
import { SteppedClock } from '../support/stepped-clock.ts'
import { TestConsole } from './support/console.ts'

/** What somebody new wants to do, from the first page alone: each way is a list of the texts that they read and click. */
const folder = mkdtempSync(join(tmpdir(), 'caracal-tasks-'))
const config = join(folder, 'caracal.yml')
let console_: TestConsole
let clock: SteppedClock
beforeAll(async () => {
  writeFileSync(config, 'sources:\n  - { type: http, id: door, log_types: [Custom.Netstat], drop_off_minutes: 15 }\n')
  clock = new SteppedClock(folder)
  console_ = await TestConsole.start({ args: ['--config', config], nodeArgs: clock.nodeArgs })
})
afterAll(async () => {
  await console_?.end()
  rmSync(folder, { recursive: true, force: true })
})
afterEach(() => expect(console_.complaints.splice(0)).toEqual([]))

/** Resolves when the page is shown: while it loads, the one before stays. */
async function goTo(page: Page, place: string): Promise<void> {
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: place }).click()
  await page.getByRole('heading', { level: 1, name: place }).waitFor()
}

test('find who connected from Tor, why that is an alert, and everything that address did', async () => {
  const page = await console_.page('/')
  await page
    .getByRole('link', { name: /SSH Connection Established from TOR Exit Node/ })
    .first()
    .click()

  // Who: the address is in the title, and a button among the entities.
  await page.getByRole('button', { name: '45.139.122.241', exact: true }).waitFor()

  // Why: the line of the rule that returned, and the row of the table.
  await page.getByRole('heading', { name: 'Why' }).waitFor()
  await page.getByText('is in the table').waitFor()
  await page.getByText('It matches: is_from_exit(event) is True.').waitFor()

  // What else: all logs that name the address.
  await page.getByRole('button', { name: '45.139.122.241', exact: true }).click()
  await page
    .getByRole('dialog')
    .getByRole('button', { name: /Zeek\.Conn/ })
    .waitFor()
  await page.context().close()
})

test('mute a noisy rule for a week with a reason', async () => {
  const page = await console_.page('/')
  await goTo(page, 'Alerts')
  await page.getByRole('link', { name: 'Unexpected Port Opened: 21' }).click()
  await page.getByRole('button', { name: 'More' }).click()
  await page.getByRole('menuitem', { name: /Mute/ }).click()
  const dialog = page.getByRole('dialog', { name: 'Mute' })
  await dialog.getByText(/^Everything that the rule/).click()
  await dialog.getByRole('textbox', { name: 'Reason' }).fill('The FTP server moves next week')
  await dialog.getByRole('button', { name: 'Mute' }).click()
  await page.getByText('Muted for a week').waitFor()
  await goTo(page, 'Mutes')
  await page.getByText('The FTP server moves next week').waitFor()
  await page.context().close()
  // The other tasks need the rule.
  const { results } = (await (await console_.caracal.fetch('/api/v1/mutes')).json()) as { results: { mute_id: string }[] }
  for (const { mute_id: id } of results)
    expect((await console_.caracal.fetch(`/api/v1/mutes/${id}/end`, { method: 'POST' })).status).toBe(200)
})

test('find out why a rule did not fire', async () => {
  const page = await console_.page('/')
  await goTo(page, 'Detections')
  await page
    .getByRole('link', { name: /Unexpected Port/i })
    .first()
    .click()
  await page.getByRole('heading', { level: 1, name: /Unexpected Port/i }).waitFor()
  const record = { protocol: 'tcp', local_address: '127.0.0.1:8125', foreign_address: '0.0.0.0:*', state: 'LISTEN' }
  await page.getByRole('textbox', { name: 'Record' }).fill(JSON.stringify(record))
  await page.getByRole('button', { name: 'Explain' }).click()
  await page
    .getByText(/does not match/i)
    .first()
    .waitFor()
  await page.context().close()
})

test('add a colleague who can only read', async () => {
  const page = await console_.page('/')
  await goTo(page, 'Access')
  await page.getByRole('button', { name: /Add a person/ }).click()
  const dialog = page.getByRole('dialog', { name: 'Add a person' })
  await dialog.getByRole('textbox', { name: 'Email' }).fill('col@example.org')
  await dialog.getByRole('button', { name: 'Add' }).click()
  // The link is shown once; the colleague opens it and chooses a password.
  const link = await page
    .getByRole('dialog')
    .getByText(/\/setup\?code=/)
    .first()
    .textContent()
  const password = 'a long password of col'
  await console_.post('/api/v1/sign-in/link', { code: new URL(link ?? '').searchParams.get('code'), password })
  const theirs = await console_.visitor({ storageState: await console_.signedIn({ email: 'col@example.org', password }) })
  await theirs.goto(`${console_.url}/alerts`)
  await theirs.getByRole('link', { name: 'Unexpected Port Opened: 21' }).click()
  await theirs.getByRole('heading', { name: 'Why' }).waitFor()
  expect(await theirs.getByRole('button', { name: 'Resolve…' }).count()).toBe(0)
  await theirs.context().close()
  await page.context().close()
})

test('find which logs stopped arriving', async () => {
  const page = await console_.page('/')
  await clock.stepTo(30)
  await page
    .getByText(/1 .*(problem|silent)/)
    .first()
    .waitFor()
  await goTo(page, 'Sources')
  await page
    .getByRole('row', { name: /door/ })

    .getByText('has not sent any record since it was configured')
    .waitFor()
  await page.context().close()
})

test('get alerts into Slack', async () => {
  const chat = await new TestServer().listen()
  chat.answer = (response) => void response.end('ok')
  const page = await console_.page('/')
  await goTo(page, 'Destinations')
  await page.getByRole('button', { name: 'Add a destination' }).click()
  const dialog = page.getByRole('dialog', { name: 'Add a destination' })
  const lines = (await dialog.locator('pre').textContent()) ?? ''

  // What the page says: the lines into the file, the secret into the environment, a restart.
  appendFileSync(config, lines)
  process.env[/env: (\w+)/.exec(lines)![1]!] = `${chat.url}/services/T0/B0/x`
  await console_.caracal.end('SIGTERM')
  await console_.caracal.start()
  await page.goto(`${console_.url}/destinations`)
  await page.getByRole('row', { name: /chat/ }).getByRole('button', { name: 'Send a test' }).click()
  await page.getByText('Accepted', { exact: true }).waitFor()
  expect(chat.received.map(({ url }) => url)).toEqual(['/services/T0/B0/x'])
  await page.context().close()
  await chat.close()
})

test('see what the lake costs in disk', async () => {
  const page = await console_.page('/')
  await goTo(page, 'Health')
  await page.getByText(/^The lake takes \d/).waitFor()
  await page.getByRole('row', { name: /Zeek\.Conn .* kB/ }).waitFor()
  await page.context().close()
})

test('add an allowed port', async () => {
  const listen = (port: number) => {
    const socket = {
      protocol: 'tcp',
      local_address: `0.0.0.0:${port}`,
      foreign_address: '0.0.0.0:*',
      state: 'LISTEN',
      host: 'web-7',
    }
    return console_.caracal.fetch('/ingest/door', { method: 'POST', body: JSON.stringify(socket) })
  }
  const titles = async () => (await console_.alerts('rule=Netstat.UnexpectedPort&limit=100')).map(({ title }) => title)
  const page = await console_.page('/')
  await goTo(page, 'Tables')
  await page.getByRole('link', { name: 'allowed_ports' }).click()
  await page.getByRole('textbox', { name: 'port', exact: true }).fill('8443')
  await page.getByRole('textbox', { name: 'note', exact: true }).fill('admin page')
  await page.getByRole('button', { name: 'Add row' }).click()
  await page.getByText('The row was added').waitFor({ timeout: 60_000 })

  await listen(8443)
  await listen(8444)
  await expect.poll(titles, { timeout: 60_000 }).toContain('Unexpected Port Opened: 8444')
  expect(await titles()).not.toContain('Unexpected Port Opened: 8443')
  await page.context().close()
})

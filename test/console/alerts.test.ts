import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { ADMIN, TestConsole } from './support/console.ts'

let console_: TestConsole
beforeAll(async () => {
  console_ = await TestConsole.start()
})
afterAll(() => console_.end())
afterEach(() => expect(console_.complaints.splice(0)).toEqual([]))

test("the sample's Tor alert, from the list over evidence and indicator to a comment and to resolved", async () => {
  const page = await console_.page('/alerts')
  await page.getByRole('link', { name: /SSH Connection Established from TOR/ }).click()
  await page.getByRole('heading', { level: 1, name: /SSH Connection Established from TOR/ }).waitFor()
  await page.getByText('is in the table').waitFor()
  await page.getByText('It matches: is_from_exit(event) is True.').waitFor()
  await page.getByText('Raw', { exact: true }).first().click()
  await page.getByText('"id.orig_h":"45.139.122.241"').waitFor()

  await page.getByRole('button', { name: '45.139.122.241', exact: true }).click()
  const drawer = page.getByRole('dialog')
  await drawer.getByRole('button', { name: /Zeek\.Conn/ }).waitFor()
  await page.keyboard.press('Escape')

  await page.getByRole('textbox', { name: 'Comment' }).fill('Asked ana, it was not her.')
  await page.getByRole('button', { name: 'Comment' }).click()
  await page.getByText('Asked ana, it was not her.').last().waitFor()

  await page.getByRole('button', { name: 'Resolve…' }).click()
  await page.getByText('Useful', { exact: true }).click()
  await page.getByRole('textbox', { name: 'Reason' }).fill('Account locked')
  await page.getByRole('button', { name: 'Resolve', exact: true }).click()
  await page.getByText('status: OPEN → RESOLVED').waitFor()
  const [alert] = await console_.alerts('severity=CRITICAL')
  expect(alert).toMatchObject({ status: 'RESOLVED', quality: 'USEFUL', reason: 'Account locked' })

  await page.getByRole('button', { name: 'Undo' }).click()
  await page.getByText('status: RESOLVED → OPEN').waitFor()
})

test('filters show how many alerts they would leave, and are in the URL', async () => {
  const page = await console_.page('/alerts')
  await page.getByRole('button', { name: /^High 1$/ }).click()
  await page.getByText('1 alert', { exact: true }).waitFor()
  expect(new URL(page.url()).search).toContain('HIGH')
  await page.getByRole('link', { name: 'Unexpected Port Opened: 21' }).waitFor()
  expect(await page.getByRole('listitem').filter({ hasText: 'TOR' }).count()).toBe(0)
  await page.reload()
  await page.getByRole('link', { name: 'Unexpected Port Opened: 21' }).waitFor()
})

test('keys move through the list, choose alerts and change them', async () => {
  const page = await console_.page('/alerts?severity=MEDIUM&text=TOR')
  await page.getByRole('link', { name: /TOR Exit Node/ }).waitFor()
  await page.keyboard.press('j')
  await page.keyboard.press('x')
  await page.getByText('1 chosen').waitFor()
  await page.keyboard.press('a')
  await page.getByText('Took 1 alert').waitFor()
  await expect.poll(async () => (await console_.alerts('severity=MEDIUM&text=TOR'))[0]?.['owner']).toBe(ADMIN.email)
  await page.keyboard.press('?')
  await page.getByRole('dialog', { name: 'Keys' }).waitFor()
})

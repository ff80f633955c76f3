import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { TestConsole } from './support/console.ts'

let console_: TestConsole
beforeAll(async () => {
  console_ = await TestConsole.start()
})
afterAll(() => console_?.end())
afterEach(() => expect(console_.complaints.splice(0)).toEqual([]))

test('an administrator sees the sessions of a person and ends them', async () => {
  const theirs = await console_.viewerPage('/alerts')
  await theirs.getByRole('heading', { level: 1, name: 'Alerts' }).waitFor()
  const page = await console_.page('/access')
  const row = page.getByRole('row', { name: /vera@example\.org/ })
  await row.getByText(/^1\s*last used/).waitFor()
  await row.getByRole('button', { name: 'Change Vera' }).click()
  await page.getByRole('menuitem', { name: 'End their sessions' }).click()
  await page.getByText('1 session of Vera ended').waitFor()
  await row.getByText('none', { exact: true }).waitFor()

  await theirs.reload()
  await theirs.getByRole('heading', { name: 'Sign in to Caracal' }).waitFor()
})

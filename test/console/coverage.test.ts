import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { TestConsole } from './support/console.ts'

let console_: TestConsole
beforeAll(async () => {
  console_ = await TestConsole.start()
})
afterAll(() => console_.end())
afterEach(() => expect(console_.complaints.splice(0)).toEqual([]))

test('a cell of the matrix counts rules and matches, and leads to the rules', async () => {
  const page = await console_.page('/coverage')
  // Rules of the sample's matches: SSH from Tor is use of valid accounts.
  const cell = page.getByRole('link', { name: /^T1078\s*Valid Accounts\s/ }).first()
  await expect.poll(() => cell.getAttribute('data-heat')).not.toBe('0')
  await cell.click()
  const drawer = page.getByRole('dialog', { name: 'T1078 · Valid Accounts · Initial Access' })
  expect(await drawer.getByRole('row').count()).toBe(4)
  expect(new URL(page.url()).search).toContain('technique=T1078')
  await drawer.getByRole('link', { name: 'SSH login from a Tor exit node' }).click()
  await page.getByRole('heading', { level: 1, name: 'SSH login from a Tor exit node' }).waitFor()
  await page.getByText('Valid Accounts, Initial Access').waitFor()
  await page.getByRole('link', { name: 'T1078', exact: true }).click()
  await page.getByRole('dialog', { name: 'T1078 · Valid Accounts · Initial Access' }).waitFor()
})

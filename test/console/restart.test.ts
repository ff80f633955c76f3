import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { TestConsole } from './support/console.ts'

let console_: TestConsole
beforeAll(async () => {
  console_ = await TestConsole.start()
})
afterAll(() => console_.end())
afterEach(() => expect(console_.complaints.splice(0)).toEqual([]))

test('a server that restarts under the page: it says so, keeps what was typed, and goes on by itself', async () => {
  const page = await console_.page('/alerts?severity=HIGH')
  await page.getByRole('link', { name: 'Unexpected Port Opened: 21' }).click()
  await page.getByRole('heading', { level: 1, name: 'Unexpected Port Opened: 21' }).waitFor()
  const comment = page.getByRole('textbox', { name: 'Comment' })
  await comment.fill('Is this the new printer?')
  const notice = page.getByText('What you see may be out of date')
  await console_.caracal.end('SIGKILL')
  await notice.waitFor()
  await page.getByRole('button', { name: 'Comment' }).click()
  await page.getByText('it may be restarting').first().waitFor()
  expect(await comment.inputValue()).toBe('Is this the new printer?')
  await console_.caracal.start()
  await notice.waitFor({ state: 'hidden' })
  await page.getByRole('button', { name: 'Comment' }).click()
  await expect.poll(() => comment.inputValue()).toBe('')
  await page.getByText('Is this the new printer?').last().waitFor()

  // What others do is shown without a reload again.
  const [alert] = await console_.alerts('severity=HIGH')
  await console_.post(`/api/v1/alerts/${alert!['alert_id']}/comments`, { text: 'It is the printer.' })
  await page.getByText('It is the printer.').last().waitFor()
  await page.context().close()
})

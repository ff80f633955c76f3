import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { ADMIN, TestConsole } from './support/console.ts'

let console_: TestConsole
beforeAll(async () => {
  console_ = await TestConsole.start()
})
afterAll(() => console_.end())
afterEach(() => expect(console_.complaints.splice(0)).toEqual([]))

test('signing in with a wrong password says so; with the right one the page appears that was asked for', async () => {
  const page = await console_.visitor()
  await page.goto(`${console_.url}/tables`)
  await page.getByRole('textbox', { name: 'Email' }).fill(ADMIN.email)
  await page.locator('input[type=password]').fill('something else')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('alert').waitFor()
  await page.locator('input[type=password]').fill(ADMIN.password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('heading', { name: 'Tables' }).waitFor()
  await page.getByRole('button', { name: /^Account/ }).click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  await page.getByRole('heading', { name: 'Sign in to Caracal' }).waitFor()
})

test('a session that ends in the middle of a form loses nothing of it', async () => {
  const state = await console_.signedIn(ADMIN)
  const page = await console_.visitor({ storageState: state })
  await page.goto(`${console_.url}/alerts?severity=HIGH`)
  await page.getByRole('link', { name: 'Unexpected Port Opened: 21' }).click()
  await page.getByRole('heading', { level: 1, name: 'Unexpected Port Opened: 21' }).waitFor()
  await page.getByRole('textbox', { name: 'Comment' }).fill('A long thought about port 21')
  await page.context().request.post(`${console_.url}/api/v1/sign-out`, { headers: { origin: console_.url } })
  await page.getByRole('button', { name: 'Comment' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('Your session has ended').waitFor()
  await dialog.getByRole('textbox', { name: 'Email' }).fill(ADMIN.email)
  await dialog.locator('input[type=password]').fill(ADMIN.password)
  await dialog.getByRole('button', { name: 'Sign in' }).click()
  await dialog.waitFor({ state: 'hidden' })
  expect(await page.getByRole('textbox', { name: 'Comment' }).inputValue()).toBe('A long thought about port 21')
  await page.getByRole('button', { name: 'Comment' }).click()
  await page.getByText('A long thought about port 21').last().waitFor()
  await expect.poll(() => page.getByRole('textbox', { name: 'Comment' }).inputValue()).toBe('')
})

test('a page that nobody touches says so with what it reads again, until somebody does', async () => {
  const page = await console_.visitor({ storageState: await console_.signedIn(ADMIN) })
  await page.clock.install()
  await page.goto(`${console_.url}/health`)
  await page.getByRole('heading', { name: 'Health' }).waitFor()
  await console_.settled(page)
  await page.mouse.move(200, 200)
  const marks: (string | undefined)[] = []
  page.on('request', (request) => {
    if (request.url().includes('/api/v1/health')) marks.push(request.headers()['caracal-unattended'])
  })
  const nextMark = async () => {
    const request = page.waitForRequest(/\/api\/v1\/health/)
    await page.clock.runFor(6000)
    await request
    await console_.settled(page)
    return marks.at(-1)
  }
  expect(await nextMark()).toBeUndefined()
  await page.clock.runFor(60_000)
  await console_.settled(page)
  expect(await nextMark()).toBe('1')
  await page.mouse.move(300, 300)
  expect(await nextMark()).toBeUndefined()
})

test('a viewer sees what may be read and is offered nothing that changes it', async () => {
  const { link } = (await console_.post('/api/v1/users', { email: 'vic@example.org', name: 'Vic', role: 'viewer' })) as {
    link: string
  }
  const password = 'a long password of vic'
  await console_.post('/api/v1/sign-in/link', { code: new URL(link).searchParams.get('code'), password })
  const page = await console_.visitor({ storageState: await console_.signedIn({ email: 'vic@example.org', password }) })
  await page.goto(`${console_.url}/alerts`)
  await page.getByRole('link', { name: 'Unexpected Port Opened: 21' }).click()
  await page.getByRole('heading', { level: 1, name: 'Unexpected Port Opened: 21' }).waitFor()
  await page.getByRole('heading', { name: 'Why' }).waitFor()
  for (const name of ['Take', 'Triage', 'Resolve…', 'More', 'Comment'])
    expect(await page.getByRole('button', { name, exact: true }).count()).toBe(0)
  expect(await page.getByRole('link', { name: 'Access' }).count()).toBe(0)
  await page.goto(`${console_.url}/access`)
  await page.getByText('Not for this account').first().waitFor()
})

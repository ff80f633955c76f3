import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { packageRoot } from '../../src/util/entry.ts'
import { TestConsole } from './support/console.ts'
import { paste } from './support/paste.ts'

const content = mkdtempSync(join(tmpdir(), 'caracal-console-content-'))
let console_: TestConsole
beforeAll(async () => {
  cpSync(join(packageRoot(), 'starter/content/schemas'), join(content, 'schemas'), { recursive: true })
  cpSync(join(packageRoot(), 'test/console/content/rules'), join(content, 'rules'), { recursive: true })
  const config = join(content, 'caracal.yml')
  writeFileSync(config, 'sources: [{ type: http, id: sign-ins, log_types: [Example.SignIn] }]\n')
  console_ = await TestConsole.start({ args: ['--content', content, '--config', config] })
})
afterAll(async () => {
  await console_.end()
  rmSync(content, { recursive: true, force: true })
})
afterEach(() => expect(console_.complaints.splice(0)).toEqual([]))

const sendSignIn = (user: string) =>
  console_.caracal.fetch('/ingest/sign-ins', {
    method: 'POST',
    body: JSON.stringify({ time: new Date().toISOString(), user, address: '192.0.2.7', success: true }),
  })

const WAIT = { timeout: 30_000 }

test('a rule is edited, its test fails, it is fixed, saved, and fires without a restart', async () => {
  const page = await console_.page('/detections')
  await page.getByRole('link', { name: 'Sign-in whose texts are hostile' }).click()
  await page.getByRole('heading', { level: 1, name: 'Sign-in whose texts are hostile' }).waitFor()
  const editor = page.getByRole('textbox', { name: 'Code' })
  await editor.waitFor()
  const before = readFileSync(join(content, 'rules/hostile.py'), 'utf8')
  await paste(page, editor, before.replace('is not None', '== "nobody"'))
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('alert').waitFor()
  await page.getByLabel('failed').waitFor()
  expect(readFileSync(join(content, 'rules/hostile.py'), 'utf8')).toBe(before)

  await paste(page, editor, before.replace('Sign-in of', 'Signed in:'))
  await page.getByRole('button', { name: 'Run the tests' }).click()
  await expect.poll(() => page.getByLabel('passed').count(), WAIT).toBe(2)
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText('Saved, and in force').waitFor()
  expect(readFileSync(join(content, 'rules/hostile.py'), 'utf8')).toContain('Signed in:')

  await sendSignIn('bo')
  await expect.poll(async () => (await console_.alerts('rule=Console.Hostile'))[0]?.['title'], WAIT).toBe('Signed in: bo')
})

test('the list of rules shows how often each matches, hour by hour', async () => {
  await sendSignIn('ann')
  await sendSignIn('bo')
  const sql = "SELECT count() FROM signals.correlation_signals WHERE p_rule_id = 'Console.Hostile'"
  const matches = async () => Number((await console_.caracal.query(sql))[0]![0])
  await expect.poll(matches, WAIT).toBeGreaterThanOrEqual(2)
  const page = await console_.page('/detections')
  const row = page.getByRole('row').filter({ hasText: 'Console.Hostile' })
  await row.getByRole('img', { name: /^At most \d+ an hour$/ }).waitFor()
  expect(await row.locator('svg rect[height="16"]').count()).toBeGreaterThan(0)
  expect(await row.getByRole('cell').nth(3).textContent()).toContain(String(await matches()))
})

test('a rule is turned off and on again with undo', async () => {
  const page = await console_.page('/detections/Console.Hostile')
  await page.getByRole('switch', { name: 'On' }).press(' ')
  await page.getByText('The rule is off').waitFor()
  await page.getByRole('button', { name: 'Undo' }).click()
  await page.getByText('The rule is on').waitFor()
})

test('a changed rule is run on history, and the difference is shown; nothing is stored', async () => {
  await sendSignIn('historic')
  await expect
    .poll(async () => (await console_.alerts('rule=Console.Hostile')).some(({ dedup }) => dedup === 'historic'), WAIT)
    .toBe(true)
  const before = (await console_.alerts('rule=Console.Hostile&limit=100')).length
  const page = await console_.page('/detections/Console.Hostile')
  await page.getByRole('button', { name: 'Run on history', exact: true }).click()
  await page.getByText(/\d+ match(es)?, \d+ of them stored already/).waitFor(WAIT)

  const editor = page.getByRole('textbox', { name: 'Code' })
  const text = readFileSync(join(content, 'rules/hostile.py'), 'utf8')
  await paste(page, editor, text.replace('is not None', '== "never"'))
  await page.getByRole('button', { name: 'Run on history and compare' }).click()
  await page.getByText('Alerts that would be gone').waitFor(WAIT)
  const counts = page.getByRole('row', { name: /^Matches/ })
  const [inForce, edited, added, gone] = await counts.getByRole('cell').allTextContents()
  expect(Number(inForce)).toBeGreaterThan(0)
  expect([edited, added, gone]).toEqual(['0', '0', inForce])
  expect((await console_.alerts('rule=Console.Hostile&limit=100')).length).toBe(before)
})

test('versions of a rule show who changed what, and one is restored', async () => {
  const path = '/api/v1/rules/Console.Hostile'
  const detail = async () => (await (await console_.caracal.fetch(path)).json()) as { source: Record<string, string> }
  const { source } = await detail()
  const saved = await console_.caracal.fetch(path, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ yaml: `${source['yaml']}# once more\n`, code: source['code'], revision: source['revision'] }),
  })
  expect(saved.status).toBe(200)
  const page = await console_.page('/detections/Console.Hostile')
  const versions = page.getByRole('region', { name: 'Versions' })
  await versions
    .getByRole('button', { name: /^Show the version/ })
    .first()
    .click()
  await versions.getByText('# once more').waitFor()
  expect(await versions.getByRole('button', { name: 'Restore this version' }).count()).toBe(0)
  await versions.getByRole('button', { name: /^Hide the version/ }).click()
  await versions
    .getByRole('button', { name: /^Show the version/ })
    .nth(1)
    .click()
  await versions.getByText('What has changed since').click()
  await versions.locator('.cm-changedLine', { hasText: '# once more' }).waitFor()
  await versions.getByRole('button', { name: 'Restore this version' }).click()
  await page.getByText('Restored, and in force').waitFor(WAIT)
  expect((await detail()).source['yaml']).toBe(source['yaml'])
  await expect.poll(() => versions.getByRole('row').nth(1).textContent()).toContain('ana@example.org')
})

test('the list of rules shows alerts, the share of useful ones, errors and cost', async () => {
  await sendSignIn('listed')
  await expect
    .poll(async () => (await console_.alerts('rule=Console.Hostile')).some(({ dedup }) => dedup === 'listed'), WAIT)
    .toBe(true)
  const alert = (await console_.alerts('rule=Console.Hostile')).find(({ dedup }) => dedup === 'listed')!
  await console_.caracal.fetch(`/api/v1/alerts/${String(alert['alert_id'])}`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ quality: 'USEFUL' }),
  })
  const page = await console_.page('/detections')
  const row = page.getByRole('row', { name: /Console\.Hostile/ })
  await expect.poll(() => row.getByRole('cell').nth(6).textContent()).toBe('100\u00a0%')
  expect(Number(await row.getByRole('cell').nth(5).textContent())).toBeGreaterThan(0)
  expect(await row.getByRole('cell').nth(4).textContent()).toMatch(/ ago$/)
})

// Of each, the text that must be on the page as it is.
const HOSTILE: readonly (readonly [what: string, user: string])[] = [
  ['a script', '<script>window.hit = 1</script>'],
  ['an image that runs code', '<img src=x onerror="window.hit = 1">'],
  ['markdown', '[a](javascript:window.hit=1) **b**'],
  ['marks that turn the direction', 'abc\u202egnp.exe\u2066def'],
]

test.each(HOSTILE)('%s in an event is text on every page that shows it', async (_, user) => {
  await sendSignIn(user)
  await expect
    .poll(async () => (await console_.alerts('rule=Console.Hostile')).some(({ dedup }) => dedup === user), WAIT)
    .toBe(true)
  const alert = (await console_.alerts('rule=Console.Hostile')).find(({ dedup }) => dedup === user)!
  const id = String(alert['alert_id'])
  const sql = encodeURIComponent('SELECT user FROM logs.example_signin')
  await expect
    .poll(async () => (await console_.caracal.query('SELECT user FROM logs.example_signin')).flat(), WAIT)
    .toContain(user)
  for (const path of [
    '/',
    '/alerts',
    `/alerts/${id}`,
    `/search?sql=${sql}`,
    `/search?indicator=${encodeURIComponent(user)}`,
    '/search?columns=["user"]',
  ]) {
    const page = await console_.page(path)
    await expect
      .poll(async () => ((await page.locator('body').textContent()) ?? '').includes(user), { ...WAIT, message: path })
      .toBe(true)
    await console_.settled(page)
    expect(await page.evaluate('window.hit')).toBeUndefined()
    await page.context().close()
  }
})

test('a field of 1 MB, 5,000 fields and JSON 50 deep leave the page usable', async () => {
  const deep = (depth: number): unknown => (depth === 0 ? 'end' : { a: deep(depth - 1) })
  const many = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`field_${i}`, i]))
  const base = { time: new Date().toISOString(), address: '192.0.2.7', success: true }
  for (const [user, extra] of [
    ['long', { note: 'x'.repeat(1_000_000) }],
    ['many', many],
    // Deeper ones become dead letters.
    ['deep', { note: deep(50) }],
  ] as const)
    await console_.caracal.fetch('/ingest/sign-ins', { method: 'POST', body: JSON.stringify({ ...base, user, ...extra }) })
  for (const user of ['long', 'many', 'deep']) {
    await expect
      .poll(async () => (await console_.alerts('rule=Console.Hostile')).some(({ dedup }) => dedup === user), WAIT)
      .toBe(true)
    const alert = (await console_.alerts('rule=Console.Hostile')).find(({ dedup }) => dedup === user)!
    const page = await console_.page(`/alerts/${String(alert['alert_id'])}`)
    await page.getByRole('heading', { name: 'Events' }).waitFor()
    await console_.settled(page)
    // Few elements, however large the event is.
    expect(await page.locator('*').count()).toBeLessThan(4000)
    await page.context().close()
  }
  for (const path of [
    '/search',
    '/search?view=json',
    '/search?sql=SELECT+*+FROM+logs.example_signin',
    '/search?sql=SELECT+*+FROM+logs.example_signin&view=json',
  ]) {
    const page = await console_.page(path)
    await page.getByText('many').first().waitFor()
    await console_.settled(page)
    expect(await page.locator('*').count(), path).toBeLessThan(4000)
    await page.context().close()
  }
})

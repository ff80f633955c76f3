import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { TestServer } from '../support/servers.ts'
import { until } from '../support/until.ts'
import { violations } from './support/axe.ts'
import { TestConsole } from './support/console.ts'
import { DASHBOARD_NAME, HOSTILE, HOSTILE_NAME, MARK, sqlText, writeHostileContent } from './support/hostile-content.ts'
import { tasksDuring } from './support/tasks.ts'

/** Everything that can be hostile is: events, content, what people write, what other services answer. */
const folder = mkdtempSync(join(tmpdir(), 'caracal-hostile-'))
let receiver: TestServer
let console_: TestConsole
const alertIds: Record<string, string> = {}

beforeAll(async () => {
  receiver = await new TestServer().listen()
  receiver.answer = (response) => void response.writeHead(403).end(HOSTILE_NAME)
  writeHostileContent(join(folder, 'content'))
  const config = join(folder, 'caracal.yml')
  const destination = { type: 'webhook', id: 'soc', url: `${receiver.url}/${encodeURIComponent(HOSTILE)}`, severities: ['HIGH'] }
  const source = { type: 'http', id: 'sign-ins', label: HOSTILE, log_types: ['Example.SignIn'] }
  writeFileSync(config, JSON.stringify({ sources: [source], destinations: [destination] }))
  console_ = await TestConsole.start({ args: ['--content', join(folder, 'content'), '--config', config] })
  await send()
  await write()
})
afterAll(async () => {
  await console_?.end()
  await receiver.close()
  rmSync(folder, { recursive: true, force: true })
})
afterEach(() => expect(console_.complaints.splice(0)).toEqual([]))

/** A record, and the dedup string of its alert. */
const RECORDS: readonly (readonly [user: string, more: object])[] = [
  [HOSTILE, { [HOSTILE]: HOSTILE_NAME, note: { [HOSTILE]: [HOSTILE_NAME] } }],
  ['long', { note: 'x'.repeat(1_000_000) }],
  ['many', Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`field_${i}`, i]))],
  // Deeper ones become dead letters.
  ['deep', { note: nested(50) }],
  ['too deep', { note: nested(500) }],
]

function nested(depth: number): unknown {
  return depth === 0 ? HOSTILE : { [HOSTILE]: nested(depth - 1) }
}

async function send(): Promise<void> {
  const base = { time: new Date().toISOString(), address: '192.0.2.7', success: true }
  for (const [user, more] of RECORDS) {
    const body = JSON.stringify({ ...base, user, ...more })
    const { status } = await console_.caracal.fetch('/ingest/sign-ins', { method: 'POST', body })
    expect(status).toBeLessThan(300)
  }
  for (const user of [HOSTILE, 'long', 'many', 'deep'])
    alertIds[user] = await until(async () => {
      const found = (await console_.alerts('rule=Console.Hostile&limit=100')).find(({ dedup }) => dedup === user)
      return found && String(found['alert_id'])
    })
  await until(async () => {
    const [[count]] = (await console_.caracal.query('SELECT count() FROM logs.example_signin')) as [[number]]
    return Number(count) === 4 || undefined
  })
}

/** What people and programs write. */
async function write(): Promise<void> {
  await console_.post(`/api/v1/alerts/${alertIds[HOSTILE]}/comments`, { text: HOSTILE_NAME })
  const expires = new Date(Date.now() + 86_400_000).toISOString()
  await console_.post('/api/v1/mutes', { match: { title: HOSTILE }, owner: HOSTILE, reason: HOSTILE_NAME, expires })
  await console_.post('/api/v1/users', { email: 'mallory@example.org', name: MARK, role: 'viewer' })
  // It fails, with a hostile message.
  const judged = await console_.caracal.fetch(`${named('/api/v1/searches', `Scheduled ${HOSTILE}`)}/judge`, { method: 'POST' })
  expect(judged.status).toBe(400)
  await until(async () => {
    const { results } = (await (await console_.caracal.fetch('/api/v1/deliveries')).json()) as { results: { state: string }[] }
    return results.some(({ state }) => state !== 'pending') || undefined
  })
}

const search = (query: Record<string, unknown>) =>
  `/search?${Object.entries(query)
    .map(([name, value]) => `${name}=${encodeURIComponent(JSON.stringify(value))}`)
    .join('&')}`
const named = (path: string, name: string) => `${path}/${encodeURIComponent(name)}`
const SQL = `SELECT ${sqlText(HOSTILE_NAME)} AS "${HOSTILE.replaceAll('"', "'")}"`

/** Pages, and whether `HOSTILE` is shown there. */
const PAGES: readonly (readonly [name: string, isShown: boolean, path: () => string])[] = [
  ['overview', true, () => '/'],
  ['alerts', true, () => '/alerts'],
  [
    'alerts, filtered',
    true,
    () => `/alerts?text=${encodeURIComponent(JSON.stringify(HOSTILE))}&indicator=${encodeURIComponent(JSON.stringify(HOSTILE))}`,
  ],
  ['alert', true, () => `/alerts/${alertIds[HOSTILE]}`],
  ['alert with 1 MB', false, () => `/alerts/${alertIds['long']}`],
  ['alert with 5,000 fields', false, () => `/alerts/${alertIds['many']}`],
  ['alert with nested JSON', true, () => `/alerts/${alertIds['deep']}`],
  ['alert, unknown', false, () => named('/alerts', HOSTILE)],
  ['events', false, () => search({ since: '7d', types: ['Example.SignIn'] })],
  ['events, columns', true, () => search({ since: '7d', types: ['Example.SignIn'], columns: ['user', 'extra'] })],
  ['events as JSON', true, () => search({ since: '7d', types: ['Example.SignIn'], view: 'json' })],
  ['events, filtered', true, () => search({ since: '7d', where: [{ field: 'user', op: 'equals', values: [HOSTILE] }] })],
  ['events, unknown field', true, () => search({ since: '7d', where: [{ field: HOSTILE, op: 'equals', values: [HOSTILE] }] })],
  ['events, text', true, () => search({ since: '7d', types: ['Example.SignIn'], text: HOSTILE })],
  ['SQL', true, () => search({ sql: SQL })],
  ['SQL as JSON', true, () => search({ sql: SQL, view: 'json' })],
  ['SQL that fails', true, () => search({ sql: `SELECT throwIf(1, ${sqlText(HOSTILE_NAME)})` })],
  ['indicator', true, () => search({ indicator: HOSTILE, since: '7d' })],
  ['saved searches', true, () => search({ tab: 'saved' })],
  ['history of queries', true, () => search({ tab: 'history' })],
  ['dashboards', true, () => '/dashboards'],
  ['dashboard', true, () => named('/dashboards', DASHBOARD_NAME)],
  ['dashboard, unknown', true, () => named('/dashboards', `Unknown ${HOSTILE}`)],
  ['detections', true, () => '/detections'],
  ['rule', true, () => '/detections/Console.Hostile'],
  ['rule with errors', true, () => '/detections/Console.Failing'],
  ['rule, unknown', true, () => named('/detections', HOSTILE)],
  ['coverage', false, () => '/coverage'],
  ['rules of a technique', true, () => '/coverage?tactic=TA0001&technique=T1078'],
  ['tables', false, () => '/tables'],
  ['table', true, () => '/tables/hostile_table'],
  ['schemas', false, () => '/schemas'],
  ['schema', true, () => '/schemas/Custom.Hostile'],
  ['schema with unknown fields', true, () => '/schemas/Example.SignIn'],
  ['schema, unknown', true, () => named('/schemas', HOSTILE)],
  ['sources', false, () => '/sources'],
  ['source', false, () => '/sources/sign-ins'],
  ['source, unknown', true, () => named('/sources', HOSTILE)],
  ['destinations', false, () => '/destinations'],
  ['deliveries', true, () => '/deliveries'],
  ['mutes', true, () => '/mutes'],
  ['health', false, () => '/health'],
  ['audit', true, () => '/audit'],
  ['access', true, () => '/access'],
  ['help, unknown', false, () => named('/help', HOSTILE)],
  ['no such page', false, () => named('', HOSTILE)],
]

/** Processor time of a task after which a page hangs, in milliseconds. What axe takes is not counted. */
const MAX_TASK_MS = 500

/** Texts with marks of direction that are followed by others on their line, and not isolated from them. */
const TURNED = `(() => {
  const found = []
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (walker.nextNode()) {
    const text = walker.currentNode
    if (!/[\\u202e\\u2066]/.test(text.data) || text.parentElement.closest('script, style, textarea, .cm-editor')) continue
    for (let node = text; ; node = node.parentElement) {
      if (node !== text) {
        const { display, unicodeBidi } = getComputedStyle(node)
        if (display !== 'inline' || /isolate|plaintext/.test(unicodeBidi)) break
      }
      let next = node.nextSibling
      while (next && next.textContent.trim() === '') next = next.nextSibling
      if (next && !isBlock(next)) found.push(text.parentElement.outerHTML.slice(0, 300))
    }
  }
  function isBlock(node) { return node.nodeType === 1 && !getComputedStyle(node).display.startsWith('inline') }
  return found
})()`

const TOO_WIDE = 'Math.max(0, document.documentElement.scrollWidth - document.documentElement.clientWidth)'

async function textOf(page: Page): Promise<string> {
  return (await page.evaluate(
    `document.body.textContent + [...document.querySelectorAll('input, textarea')].map((one) => one.value)`,
  )) as string
}

test.each(PAGES)('%s shows hostile text as text, and stays whole', async (_, isShown, path) => {
  const page = await console_.page('/health')
  await console_.settled(page)
  const tasks = await tasksDuring(page, async () => {
    await page.goto(`${console_.url}${path()}`)
    await console_.settled(page)
  })
  if (isShown) await expect.poll(() => textOf(page), { timeout: 20_000 }).toContain(MARK)
  expect(await page.evaluate('window.hit')).toBeUndefined()
  expect(await page.evaluate(TURNED)).toEqual([])
  expect(await page.evaluate(TOO_WIDE)).toBe(0)
  expect(await page.locator('*').count()).toBeLessThan(5000)
  expect(Math.max(...tasks)).toBeLessThan(MAX_TASK_MS)
  expect(await violations(page)).toEqual([])
  await page.setViewportSize({ width: 390, height: 844 })
  await console_.settled(page)
  expect(await page.evaluate(TOO_WIDE)).toBe(0)
  await page.context().close()
})

test('an event with hostile names of fields is opened, and so is what it says', async () => {
  const page = await console_.page(search({ since: '7d', where: [{ field: 'user', op: 'equals', values: [HOSTILE] }] }))
  await page.locator('[aria-rowindex="2"]').click()
  const drawer = page.getByRole('dialog')
  await drawer.getByText(HOSTILE.slice(0, 30)).first().waitFor()
  expect(await page.evaluate(TURNED)).toEqual([])
  expect(await page.evaluate('window.hit')).toBeUndefined()
  expect(await violations(page)).toEqual([])
  await page.context().close()
})

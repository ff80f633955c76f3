import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { violations } from './support/axe.ts'
import { ADMIN, TestConsole } from './support/console.ts'
import { PAGES } from './support/pages.ts'

/** Layout shift below which a page counts as stable. */
const MAX_SHIFT = 0.05
/** Compressed bytes that the first load may take. */
const MAX_FIRST_LOAD = 350_000

let console_: TestConsole
let torAlert: string
beforeAll(async () => {
  console_ = await TestConsole.start()
  torAlert = String((await console_.alerts('severity=CRITICAL'))[0]!['alert_id'])
})
afterAll(() => console_.end())
afterEach(() => expect(console_.complaints.splice(0)).toEqual([]))

const WATCH_SHIFTS = `
  window.shift = 0
  new PerformanceObserver((list) => { for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value })
    .observe({ type: 'layout-shift', buffered: true })`

for (const scheme of ['light', 'dark'] as const)
  test.each(PAGES)(`the page %s has nothing that axe calls serious, and does not jump (${scheme})`, async (_, path) => {
    const page = await console_.page('/health', { colorScheme: scheme })
    await page.context().addInitScript(WATCH_SHIFTS)
    await page.goto(`${console_.url}${path(torAlert)}`)
    await console_.settled(page)
    expect(await violations(page)).toEqual([])
    expect(await page.evaluate('window.shift')).toBeLessThan(MAX_SHIFT)
    await page.context().close()
  })

test('the first load of the alerts takes few bytes, and the editor comes only when it is needed', async () => {
  const page = await console_.visitor({ storageState: await console_.signedIn(ADMIN) })
  let bytes = 0
  const names: string[] = []
  page.on('response', (response) => {
    const path = new URL(response.url()).pathname
    if (!path.startsWith('/api/')) names.push(path)
    bytes += Number(response.headers()['content-length'] ?? 0)
  })
  await page.goto(`${console_.url}/alerts`)
  await console_.settled(page)
  console.log(`first load of the alerts page: ${bytes} bytes in ${names.length} files`)
  expect(bytes).toBeGreaterThan(50_000)
  expect(bytes).toBeLessThan(MAX_FIRST_LOAD)
  expect(names.filter((name) => name.includes('editor'))).toEqual([])
  await page.context().close()
})

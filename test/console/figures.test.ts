import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { ADMIN, TestConsole } from './support/console.ts'
import { type Figures, figuresOf, tableOf } from './support/figures.ts'

/** Layout shift from which on a page counts as unstable. */
const MAX_SHIFT = 0.05
/** Compressed bytes of files that a first visit of a page may load; the editor is the largest of them. */
const MAX_BYTES = 700_000

const MAIN = [
  ['overview', '/'],
  ['alerts', '/alerts'],
  ['alert', '/alerts/TOR'],
  ['search', '/search?since=3650d'],
  ['SQL', '/search?tab=sql'],
  ['dashboard', '/dashboards/Network%20(Zeek)?since=2023-05-15T00:00:00Z&until=2023-05-16T00:00:00Z'],
  ['detections', '/detections'],
  ['rule', '/detections/Tor.SSH.Login'],
  ['coverage', '/coverage'],
  ['tables', '/tables'],
  ['table', '/tables/tor_exit_nodes'],
  ['schemas', '/schemas'],
  ['sources', '/sources'],
  ['destinations', '/destinations'],
  ['deliveries', '/deliveries'],
  ['mutes', '/mutes'],
  ['health', '/health'],
  ['audit', '/audit'],
  ['access', '/access'],
  ['help', '/help'],
] as const

let console_: TestConsole
let tor: string
let storageState: Awaited<ReturnType<TestConsole['signedIn']>>
const found: Figures[] = []
beforeAll(async () => {
  console_ = await TestConsole.start()
  storageState = await console_.signedIn(ADMIN)
  tor = String((await console_.alerts('severity=CRITICAL'))[0]!['alert_id'])
})
afterAll(async () => {
  console.log(tableOf(found))
  await console_?.end()
})
afterEach(() => expect(console_.complaints.splice(0)).toEqual([]))

test.each(MAIN)('the first visit of %s is measured, and nothing jumps', async (name, path) => {
  const page = await console_.visitor({ storageState })
  const figures = await figuresOf(page, name, `${console_.url}${path.replace('TOR', tor)}`, () => console_.settled(page))
  found.push(figures)
  expect(figures.requests).toBeGreaterThan(5)
  expect(figures.bytes).toBeGreaterThan(50_000)
  expect(figures.bytes).toBeLessThan(MAX_BYTES)
  expect(figures.firstMs).toBeGreaterThan(0)
  expect(figures.usefulMs).toBeGreaterThanOrEqual(figures.firstMs)
  expect(figures.shift).toBeLessThan(MAX_SHIFT)
  await page.context().close()
})

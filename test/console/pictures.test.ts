import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { packageRoot } from '../../src/util/entry.ts'
import { TestConsole } from './support/console.ts'
import { difference, pictureOf } from './support/picture.ts'

/** Pictures of the main pages as they should look, in this repository. `PICTURES=write npm run test:console -- pictures` makes them again. */
const FOLDER = join(packageRoot(), 'test/console/pictures')
const isWriting = process.env['PICTURES'] === 'write'
/** Numbers, times and the letters of other machines may differ; a style that is missing changes far more. */
const MAX_DIFFERENCE = 0.03

const MAIN = [
  ['overview', '/'],
  ['alerts', '/alerts'],
  ['alert', '/alerts/TOR'],
  ['search', '/search'],
  ['detections', '/detections'],
  ['sources', '/sources'],
  ['tables', '/tables'],
] as const

let console_: TestConsole
let tor: string
beforeAll(async () => {
  console_ = await TestConsole.start()
  tor = String((await console_.alerts('severity=CRITICAL'))[0]!['alert_id'])
  if (isWriting) mkdirSync(FOLDER, { recursive: true })
})
afterAll(() => console_?.end())

/** The picture once nothing moves any more: what is read may lead to further calls. */
async function atRest(page: Page): Promise<Buffer> {
  let before: Buffer | undefined
  for (;;) {
    await console_.settled(page)
    const picture = await pictureOf(page)
    if (before?.equals(picture)) return picture
    before = picture
  }
}

for (const colorScheme of ['light', 'dark'] as const)
  test.each(MAIN)(`%s looks as it should (${colorScheme})`, async (name, path) => {
    const page = await console_.page(path.replace('TOR', tor), { colorScheme })
    const picture = await atRest(page)
    const kept = join(FOLDER, `${name}-${colorScheme}.png`)
    if (isWriting) writeFileSync(kept, picture)
    expect(existsSync(kept)).toBe(true)
    const share = await difference(page, picture, kept)
    console.log(`${name}, ${colorScheme}: ${(share * 100).toFixed(2)} % differ`)
    expect(share).toBeLessThan(MAX_DIFFERENCE)
    await page.context().close()
  })

import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, test } from 'vitest'
import { TestConsole } from './support/console.ts'
import { PAGES } from './support/pages.ts'

// `npm run screenshots -- FOLDER` sets it.
const folder = process.env['SCREENSHOTS']

const SIZES = { wide: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } } as const

let console_: TestConsole
beforeAll(async () => {
  if (folder === undefined) return
  mkdirSync(folder, { recursive: true })
  console_ = await TestConsole.start()
})
afterAll(() => console_?.end())

test.skipIf(folder === undefined).each(PAGES)('pictures of %s', async (name, path) => {
  const id = String((await console_.alerts('severity=CRITICAL'))[0]!['alert_id'])
  for (const colorScheme of ['light', 'dark'] as const)
    for (const [size, viewport] of Object.entries(SIZES)) {
      const page = await console_.page(path(id), { colorScheme, viewport })
      await console_.settled(page)
      await page.screenshot({ path: join(resolve(folder!), `${name}-${size}-${colorScheme}.png`) })
      await page.context().close()
    }
})

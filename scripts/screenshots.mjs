// `npm run screenshots -- FOLDER`: pictures of every page of the console, in light and dark, wide and on a phone.
import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'

const folder = process.argv[2]
if (folder === undefined) {
  console.error('Name the folder that the pictures are written to: npm run screenshots -- FOLDER')
  process.exit(2)
}
const options = ['vitest', 'run', '--config', 'vitest.console.config.ts', 'test/console/screenshots.test.ts']
const { status } = spawnSync('npx', options, { stdio: 'inherit', env: { ...process.env, SCREENSHOTS: resolve(folder) } })
process.exit(status ?? 1)

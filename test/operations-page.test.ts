import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { configSchema } from '../src/config/config.ts'
import { freePort } from './support/caracal.ts'
import { runWith } from './support/cli.ts'

const page = readFileSync(join(import.meta.dirname, '../docs/operations.md'), 'utf8')
const home = process.cwd()
let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'caracal-operations-'))
  process.chdir(folder)
})
afterAll(() => {
  process.chdir(home)
  process.exitCode = 0
  rmSync(folder, { recursive: true, force: true })
})

/** The commands of all blocks and sentences, in order. */
const commands = [...page.matchAll(/^(?:\$ |sudo )?caracal (.+)$|`caracal ([a-z][^`]*)`/gm)].map(
  ([, line, span]) => (line ?? span)!,
)
/** Run by other tests (test/e2e.test.ts starts the server), or needs root. */
const ELSEWHERE = /^(?:up|service install --config)\b/

test('every command that docs/operations.md names works, in the order of the page', async () => {
  const run = [...new Set(commands.filter((command) => !ELSEWHERE.test(command)))]
  expect(run).toEqual(
    expect.arrayContaining(['init detections', 'test', 'config retention', 'doctor', 'service install --print']),
  )
  // Another program may have the default port.
  const env = { XDG_CACHE_HOME: join(tmpdir(), 'caracal-test-cache'), CARACAL_LISTEN: `127.0.0.1:${await freePort()}` }
  for (const command of run) {
    const words = command === 'service install' || command === 'init' ? [...command.split(' '), '--help'] : command.split(' ')
    const { code, err } = await runWith(env, words)
    expect([command, code, code === 0 ? '' : err]).toEqual([command, 0, ''])
    if (command === 'init detections') process.chdir('detections')
  }
}, 120_000)

test('every configuration on it is accepted', () => {
  const blocks = [...page.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, text]) => text!)
  expect(blocks.length).toBeGreaterThan(1)
  for (const block of blocks) expect(configSchema.safeParse(parse(block)).error?.issues).toBeUndefined()
})

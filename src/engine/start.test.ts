import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { type Config, configSchema } from '../config/config.ts'
import { startEngine } from './start.ts'

const folder = mkdtempSync(join(tmpdir(), 'caracal-start-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function config(more: Partial<Config> = {}): Config {
  return { ...configSchema.parse({}), data_dir: join(folder, 'data'), ...more }
}

test('a failed start ends what it had started: the same data folder can be started again, and stops once however often stop is called', async () => {
  const { sources } = configSchema.parse({ sources: [{ type: 'http', id: 'odd', log_types: ['Odd.Type'] }] })
  await expect(startEngine(config({ sources }), { demo: false })).rejects.toThrow("names the log type 'Odd.Type'")
  const engine = await startEngine(config(), { demo: false })
  expect(engine.content.rules.length).toBeGreaterThan(0)
  await Promise.all([engine.stop(), engine.stop()])
  await engine.stop()
  // The lock is free again.
  const again = await startEngine(config(), { demo: false })
  await again.stop()
})

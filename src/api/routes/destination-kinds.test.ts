import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { type FakeEngine, fakeEngine, TOKEN } from '../../../test/support/fake-engine.ts'
import { loadConfig } from '../../config/load.ts'
import { destinations } from '../../stages/deliver/index.ts'
import { createApp } from '../app.ts'

const folder = mkdtempSync(join(tmpdir(), 'caracal-kinds-'))
let engine: FakeEngine
beforeAll(async () => {
  engine = await fakeEngine()
})
afterAll(async () => {
  await engine.dispose()
  rmSync(folder, { recursive: true, force: true })
})

test('the lines of each kind of destination are a configuration', async () => {
  const response = await createApp(engine).request('/api/v1/destinations/kinds', {
    headers: { authorization: `Bearer ${TOKEN}`, host: '127.0.0.1:4848' },
  })
  const { results } = (await response.json()) as { results: { type: string; lines: string }[] }
  expect(results.map(({ type }) => type)).toEqual(destinations.map(({ type }) => type))
  for (const { type, lines } of results) {
    const file = join(folder, 'caracal.yml')
    writeFileSync(file, lines)
    const config = loadConfig(file, {})
    expect(config.destinations).toEqual([expect.objectContaining({ ...parse(lines).destinations[0], type })])
  }
})

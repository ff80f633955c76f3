import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { packageRoot } from '../src/util/entry.ts'
import { Caracal, freePort } from './support/caracal.ts'

const folder = mkdtempSync(join(tmpdir(), 'caracal-demo-'))
let caracal: Caracal

beforeAll(async () => {
  const port = await freePort()
  caracal = new Caracal({ port, dataDir: join(folder, 'data'), cwd: folder, args: [] })
  writeFileSync(join(folder, 'caracal.yml'), JSON.stringify({ listen: `127.0.0.1:${port}`, data_dir: join(folder, 'data') }))
  await caracal.start()
})
afterAll(async () => {
  await caracal.end('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

test('demo --remove also ends after a restart, when the sample is no longer read, and may be repeated', async () => {
  while (!caracal.output.includes('What next')) await new Promise((resolve) => setTimeout(resolve, 50))
  expect(await caracal.end('SIGTERM')).toBe(0)
  await caracal.start()
  const remove = () =>
    spawnSync(process.execPath, [join(packageRoot(), 'bin/caracal.js'), 'demo', '--remove'], {
      cwd: folder,
      encoding: 'utf8',
      timeout: 25_000,
    })
  const removed = remove()
  expect([removed.status, removed.stdout], removed.stderr).toEqual([0, 'The demo was removed: its events, alerts and counts.\n'])
  expect(await caracal.query("SELECT count() FROM logs.all WHERE p_source_id = 'demo'")).toEqual([[0]])
  const list = (await (await caracal.fetch('/api/v1/alerts')).json()) as { results: unknown[] }
  expect(list.results).toEqual([])
  const again = remove()
  expect(again.stderr + again.stdout).toMatch(/no source 'demo'|The demo was removed/)
})

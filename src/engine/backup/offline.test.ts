import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { afterAll, expect, test } from 'vitest'
import { runWith } from '../../../test/support/cli.ts'
import { openState } from '../../state/db.ts'
import { backUpStopped } from './offline.ts'

const top = mkdtempSync(join(tmpdir(), 'caracal-offline-'))
afterAll(() => rmSync(top, { recursive: true, force: true }))

async function world() {
  const folder = mkdtempSync(join(top, 'world-'))
  const [dataDir, to] = [join(folder, 'data'), join(folder, 'backup')]
  mkdirSync(join(dataDir, 'lake/store'), { recursive: true })
  for (let i = 0; i < 300; i++) writeFileSync(join(dataDir, `lake/store/${i}`), 'rows')
  await (await openState(dataDir)).destroy()
  return { dataDir, to }
}

test('a backup of a stopped data folder that is aborted while it copies leaves nothing, and another one works', async () => {
  const { dataDir, to } = await world()
  const ending = new AbortController()
  const backup = backUpStopped(dataDir, to, ending.signal).catch((error: unknown) => error)
  while (!existsSync(join(to, 'data/lake'))) await setImmediate()
  ending.abort(new Error('stopped'))
  expect(await backup).toEqual(new Error('stopped'))
  expect(existsSync(to)).toBe(false)
  expect(await backUpStopped(dataDir, to, new AbortController().signal)).toMatchObject({ files: 301 })
  expect(existsSync(join(to, 'manifest.json'))).toBe(true)
})

test('Ctrl-C stops the command, which says that nothing is left, and takes away only what it wrote', async () => {
  const { dataDir, to } = await world()
  mkdirSync(to)
  const { code, err } = await runWith({}, ['backup', to, '--data-dir', dataDir], 100, (run) => run())
  expect([code, err]).toEqual([1, 'caracal: the backup was stopped, and nothing is left of it\n'])
  expect([existsSync(to), existsSync(join(to, 'unfinished')), existsSync(join(to, 'data'))]).toEqual([true, false, false])
})

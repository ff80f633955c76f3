import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterAll, expect, test } from 'vitest'
import { Order } from '../../pipeline/order.ts'
import { openState } from '../../state/db.ts'
import { openSqlite } from '../../state/sqlite.ts'
import type { PipelineThread, SpoolThread } from '../threads.ts'
import { Backups } from './backups.ts'

const top = mkdtempSync(join(tmpdir(), 'caracal-backups-'))
afterAll(() => rmSync(top, { recursive: true, force: true }))

/** A data folder whose threads and lake only record what is called; `before` runs before a call is answered. */
async function world(before: (call: string) => unknown = () => {}) {
  const folder = mkdtempSync(join(top, 'world-'))
  const dataDir = join(folder, 'data')
  const lakeFiles = join(folder, 'snapshot')
  mkdirSync(join(lakeFiles, 'store/t'), { recursive: true })
  writeFileSync(join(lakeFiles, 'store/t/part'), 'rows')
  mkdirSync(dataDir)
  writeFileSync(join(dataDir, 'token'), 'secret\n')
  const state = await openState(dataDir)
  await state.insertInto('meta').values({ key: 'k', value: 'v' }).execute()
  await state.destroy()
  const calls: string[] = []
  const call = async (method: string, isPaused?: boolean): Promise<void> => {
    const name = isPaused === false ? 'resumeFlushes' : method
    calls.push(name)
    await before(name)
  }
  const backups = new Backups({
    dataDir,
    stateType: 'sqlite',
    lake: {
      snapshot: async () => {
        await call('snapshot')
        return lakeFiles
      },
      dropSnapshot: () => call('dropSnapshot'),
    },
    pipeline: { rpc: { call } } as unknown as PipelineThread,
    spool: { rpc: { call } } as unknown as SpoolThread,
    deletions: new Order(),
    log: pino({ level: 'silent' }),
  })
  return { backups, calls, dataDir, to: join(folder, 'backup') }
}

const never = new AbortController().signal
const ORDER = ['pauseFlushes', 'keepBodies', 'snapshot', 'freeBodies', 'resumeFlushes', 'dropSnapshot']

test('state, spool and lake are copied while nothing moves between them', async () => {
  const { backups, calls, dataDir, to } = await world((call) => {
    // Both are still held when the state has been copied.
    if (call === 'freeBodies') expect(existsSync(join(to, 'data/state.db'))).toBe(true)
    if (call === 'snapshot') expect(existsSync(join(to, 'data/state.db'))).toBe(false)
  })
  const running = await backups.begin(to, never)
  const { files, token } = await running.done
  expect(calls).toEqual(ORDER)
  expect([files, token]).toEqual([3, true])
  expect(running.progress().files).toBe(3)
  expect(readdirSync(to).sort()).toEqual(['data', 'manifest.json'])
  const copy = openSqlite(join(to, 'data/state.db'), { readonly: true })
  expect(copy.prepare("SELECT value FROM meta WHERE key = 'k'").all([])).toEqual([{ value: 'v' }])
  copy.close()
  expect(JSON.parse(readFileSync(join(to, 'manifest.json'), 'utf8'))).toMatchObject({ running: true, token: true })
  // The original is unharmed, and its database was not locked.
  await (await openState(dataDir)).destroy()
})

test.each(['pauseFlushes', 'keepBodies', 'snapshot'])(
  'a failure of %s leaves no backup, and lets everything move again',
  async (failing) => {
    const { backups, calls, to } = await world((call) => {
      if (call === failing) throw new Error('the lake is away')
    })
    await expect((await backups.begin(to, never)).done).rejects.toThrow('the lake is away')
    expect(existsSync(to)).toBe(false)
    expect(calls.slice(-3)).toEqual(ORDER.slice(-3))
    // Another one can begin.
    await expect((await backups.begin(to, never)).done).rejects.toThrow('the lake is away')
  },
)

test('one runs at a time; ending it leaves nothing, and what it waits for does not hold it up', async () => {
  const { backups, calls, to } = await world((call) => (call === 'pauseFlushes' ? new Promise(() => {}) : undefined))
  const ending = new AbortController()
  const running = await backups.begin(to, ending.signal)
  await expect(backups.begin(`${to}-2`, never)).rejects.toThrow(`a backup to ${to} is running`)
  ending.abort(new Error('enough'))
  await expect(running.done).rejects.toThrow('enough')
  expect(existsSync(to)).toBe(false)
  expect(calls.slice(-3)).toEqual(ORDER.slice(-3))
})

test('stopping the program ends a backup', async () => {
  const { backups, to } = await world((call) => (call === 'snapshot' ? new Promise(() => {}) : undefined))
  const running = await backups.begin(to, never)
  await backups.stop()
  await expect(running.done).rejects.toThrow('Caracal was stopped before the backup had finished')
  expect(existsSync(to)).toBe(false)
})

test.each(['relative', './x'])('%j is refused: the server has a working folder of its own', async (path) => {
  const { backups } = await world()
  await expect(backups.begin(path, never)).rejects.toThrow('is not an absolute path')
})

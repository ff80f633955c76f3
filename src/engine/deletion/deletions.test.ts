import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { Deletion } from '../../model/deletion.ts'
import { Order } from '../../pipeline/order.ts'
import { StorageError } from '../../util/errors.ts'
import { Deletions, type DeletionsDeps } from './deletions.ts'

const folder = mkdtempSync(join(tmpdir(), 'caracal-deletions-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const NONE = { rows: {}, held: [] }

/** Deletions from parts that contain nothing, with what the audit receives. */
function deletionsWith(erase: () => Promise<number>): { deletions: Deletions; audited: unknown[]; meta: Map<string, string> } {
  const meta = new Map<string, string>()
  const audited: unknown[] = []
  const calls: Record<string, (ask: never) => unknown> = {
    setMeta: ({ key, value }: { key: string; value: string }) => meta.set(key, value),
    eraseState: () => NONE,
    ends: () => ({}),
    waits: () => false,
  }
  const rpc = { call: async (name: string, ask: never) => calls[name]?.(ask) }
  const deps = {
    dataDir: folder,
    lake: { find: async () => [], erase: async () => [], scrub: async () => {} },
    pipeline: { rpc },
    spool: { rpc },
    keeper: { erase },
    jobs: { erase: async () => 0 },
    order: new Order(),
    heldAlerts: async () => [],
    getMeta: async (key: string) => meta.get(key),
    backups: () => [],
    inContentHistory: async () => 0,
    audit: async (entry: unknown) => void audited.push(entry),
    log: { info: () => {}, warn: () => {} },
    now: () => 1,
  }
  return { deletions: new Deletions(deps as unknown as DeletionsDeps), audited, meta }
}

const ask = (value: string) => ({ value, type: undefined, reason: 'request 14', by: 'ana', isDry: false })

async function ended(deletions: Deletions, id: string): Promise<Deletion> {
  await expect.poll(async () => (await deletions.get(id))?.state).not.toBe('running')
  return (await deletions.get(id))!
}

test('a deletion that failed is finished before another one begins, and is not forgotten', async () => {
  let isBroken = true
  const { deletions, audited, meta } = deletionsWith(async () => {
    if (isBroken) throw new StorageError('the disk is full')
    return 0
  })
  const first = await deletions.add(ask('ana.lima'))
  expect(await ended(deletions, first.id)).toMatchObject({
    state: 'failed',
    message: expect.stringContaining('the disk is full'),
  })
  isBroken = false
  await expect(deletions.add(ask('rui.costa'))).rejects.toThrow('an earlier deletion was not finished, and now continues')
  expect(await ended(deletions, first.id)).toMatchObject({ state: 'done', message: undefined })
  const second = await deletions.add(ask('rui.costa'))
  expect(await ended(deletions, second.id)).toMatchObject({ state: 'done' })
  expect(audited).toHaveLength(2)
  expect(meta.get('deletion')).toBe('')
})

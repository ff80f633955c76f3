import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { onEachState } from '../../test/support/states.ts'
import type { BatchEffects } from '../model/batch.ts'
import type { CacheWrite } from '../model/match.ts'
import { recordBatch } from './batches.ts'
import { loadCache } from './cache.ts'
import { commitBatch } from './commit.ts'
import type { StateDb } from './db.ts'

onEachState(({ open }) => {
  let folder: string
  let db: StateDb
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'caracal-cache-'))
    db = await open(folder)
  })
  afterEach(async () => {
    await db.destroy()
    rmSync(folder, { recursive: true })
  })

  const keep = (effects: BatchEffects) => commitBatch(db, effects.batch, { groups: [], fromMs: 0, decide: () => effects })
  let lastId = 0
  async function commit(cacheWrites: readonly CacheWrite[], nowMs = 1000): Promise<BatchEffects> {
    const batch = { batchId: String(++lastId).padStart(20, '0'), sourceId: 's', extent: { kind: 'x' }, receivedMs: 1 }
    const effects: BatchEffects = {
      batch,
      cursor: { place: 'p', value: {} },
      rows: [],
      windows: [],
      opened: [],
      deliveries: [],
      counts: [],
      unknownFields: new Map(),
      cacheWrites,
      correlation: { saved: [], removed: [] },
      findings: { matches: new Map(), errors: new Map() },
      nowMs,
    }
    await recordBatch(db, batch)
    await keep(effects)
    return effects
  }

  test('the cache is the result of the committed batches', async () => {
    await commit([
      { key: 'a', entry: '1', expiresMs: 5000 },
      { key: 'b', entry: '2', expiresMs: undefined },
      { key: 'c', entry: '3', expiresMs: 1e300 },
    ])
    await commit([
      { key: 'a', entry: '4', expiresMs: 6000 },
      { key: 'b', entry: undefined },
      { key: 'never there', entry: undefined },
    ])
    expect((await loadCache(db, 1000)).sort((x, y) => x.key.localeCompare(y.key))).toEqual([
      { key: 'a', entry: '4', expiresMs: 6000 },
      { key: 'c', entry: '3', expiresMs: undefined },
    ])
  })

  test('entries are loaded in the order in which they were written, not by expiry', async () => {
    const write = (key: string, expiresMs: number) => ({ key, entry: '{}', expiresMs })
    await commit([write('a', 3000), write('b', 2000), write('c', 5000)])
    await commit([write('a', 2000), write('d', 1500)])
    expect((await loadCache(db, 1000)).map(({ key }) => key)).toEqual(['b', 'c', 'a', 'd'])
  })

  test('rules can specify any number as a time', async () => {
    const times = { fraction: 1500.7, huge: 1e300, long: 2 ** 53 + 2, past: -1e300, small: 1000.000001 }
    await commit(Object.entries(times).map(([key, expiresMs]) => ({ key, entry: '{}', expiresMs })))
    expect((await loadCache(db, 1000)).map(({ key, expiresMs }) => [key, expiresMs]).sort()).toEqual([
      ['fraction', 1500],
      ['huge', undefined],
      ['long', undefined],
    ])
  })

  test('a batch that is already done changes nothing', async () => {
    const effects = await commit([{ key: 'a', entry: '1', expiresMs: undefined }])
    await commit([{ key: 'a', entry: '2', expiresMs: undefined }])
    expect(await keep(effects)).toBeUndefined()
    expect(await loadCache(db, 1000)).toEqual([{ key: 'a', entry: '2', expiresMs: undefined }])
  })

  test('expired entries are not loaded, and the next write removes them', async () => {
    await commit([{ key: 'a', entry: '1', expiresMs: 2000 }])
    expect(await loadCache(db, 1999)).toHaveLength(1)
    expect(await loadCache(db, 2000)).toEqual([])
    await commit([{ key: 'b', entry: '1', expiresMs: undefined }], 2000)
    expect(await db.selectFrom('rule_cache').selectAll().execute()).toHaveLength(1)
  })

  test('keys and entries can be any text: NUL, lone surrogates, thousands of them', async () => {
    const keys = ['\0', '\ud800', '\udc00', '\ufffd', "';--", '__proto__', ...Array.from({ length: 1000 }, (_, i) => `k${i}`)]
    const writes = keys.map((key) => ({ key, entry: `entry of ${key}`, expiresMs: undefined }))
    await commit(writes)
    const loaded = new Map((await loadCache(db, 0)).map(({ key, entry }) => [key, entry]))
    expect(loaded).toEqual(new Map(writes.map(({ key, entry }) => [key, entry])))
    await commit(keys.map((key) => ({ key, entry: undefined })))
    expect(await loadCache(db, 0)).toEqual([])
  })
})

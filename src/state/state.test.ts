import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { sql } from 'kysely'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { onEachState } from '../../test/support/states.ts'
import type { CrowdRef } from '../model/alert.ts'
import type { BatchEffects } from '../model/batch.ts'
import { StorageError } from '../util/errors.ts'
import { changeAlerts } from './alert-changes.ts'
import { listAlerts } from './alert-list.ts'
import { findAlert } from './alerts.ts'
import { addCounts, cursorsOf } from './batches.ts'
import { openState, type StateDb } from './db.ts'
import { saveDeliveryResults } from './deliveries.ts'
import { waitingDestinations } from './delivery-queue.ts'
import { readGroups } from './groups.ts'
import { pipelineState } from './pipeline-state.ts'
import { getMeta, removeSource, setMeta, sourceCounts, unknownFields } from './sources.ts'
import { commitTo, delivery, effectsIn, knownTo, rows, window } from './state.fixture.ts'
import { loadTableState, recordTableVersion, saveTableState } from './table-status.ts'

onEachState(({ open, read, type }) => {
  const folder = mkdtempSync(join(tmpdir(), 'caracal-state-'))
  let dataDir: string
  let db: StateDb
  let state: ReturnType<typeof pipelineState>

  beforeEach(async () => {
    dataDir = mkdtempSync(join(folder, 'data-'))
    db = await open(dataDir)
    state = pipelineState(db)
  })
  afterEach(() => db.destroy())

  const commit = (made: BatchEffects) => commitTo(state, made)
  const effects = (sourceId: string, part: Partial<BatchEffects> = {}) => effectsIn(state, sourceId, part)
  const known = (keys: readonly string[], fromMs: number) => knownTo(db, keys, fromMs)

  let lastAlert = 0

  test('an existing state is reopened unchanged', async () => {
    const made = await effects('s', { rows: [rows('t', '["a"]\n')] })
    await commit(made)
    await db.destroy()
    db = await open(dataDir)
    state = pipelineState(db)
    expect((await state.outboxSize()).rows).toBe(1)
    expect(await cursorsOf(db, 's')).toEqual([made.cursor])
  })

  test.skipIf(type !== 'sqlite')('a state whose migration failed on a full disk is migrated later', async () => {
    for (let maxPages = 4; ; maxPages += 3) {
      const file = mkdtempSync(join(folder, 'half-'))
      const failure = await openState(file, { maxPages }).then(
        (opened) => opened.destroy(),
        (error: unknown) => error,
      )
      const later = await openState(file)
      expect(await later.selectFrom('content_texts').selectAll().execute()).toEqual([])
      await later.destroy()
      if (failure === undefined) break
      expect(failure).toBeInstanceOf(StorageError)
    }
  })

  test('a batch committed twice has its effects once', async () => {
    const one = await effects('s', {
      rows: [rows('t', '["a"]\n["b"]\n')],
      counts: [{ sourceId: 's', outcome: 'received', reason: '', n: 2 }],
      windows: [window()],
      deliveries: [delivery('d1', 'soc')],
    })
    expect(await commit(one)).toBe(true)
    expect(await commit(one)).toBe(false)
    expect((await state.outboxSize()).rows).toBe(2)
    expect((await sourceCounts(db)).get('s')).toMatchObject({ received: 2 })
    expect(await state.openBatches()).toEqual([])
    await state.recordBatch(one.batch)
    expect(await state.openBatches()).toEqual([])
  })

  test('counts of one outcome that come in pieces are added up', async () => {
    const received = (n: number) => ({ sourceId: 's', outcome: 'received', reason: '', n }) as const
    for (const counts of [[received(2), received(3)], [received(4), received(-4)], [received(1)]])
      await commit(await effects('s', { counts }))
    expect((await sourceCounts(db)).get('s')).toMatchObject({ received: 6 })
  })

  test('more rows than one statement takes keep their order', async () => {
    const texts = Array.from({ length: 450 }, (_, i) => `["${i}"]\n`)
    await commit(await effects('s', { rows: texts.map((text, i) => rows(i % 2 === 0 ? 't' : 'u', text)) }))
    const parts = await state.flushParts((await state.beginFlush(1e9, 1))!)
    const of = (rest: number) => texts.filter((_, i) => i % 2 === rest).join('')
    expect(parts.map(({ blocks }) => Buffer.concat(blocks).toString())).toEqual([of(0), of(1)])
  })

  test('open batches are read back in the order they were recorded, with their extents', async () => {
    const made = [await effects('b'), await effects('a'), await effects('b')]
    expect(await state.openBatches()).toEqual(made.map(({ batch }) => batch))
    await commit(made[1]!)
    expect(await state.openBatches()).toEqual([made[0]!.batch, made[2]!.batch])
    expect(await state.lastBatchId()).toBe(made[2]!.batch.batchId)
  })

  test('the last batch id outlives its batch, so that ids keep increasing', async () => {
    const one = await effects('s')
    await commit(one)
    expect(await state.openBatches()).toEqual([])
    expect(await state.lastBatchId()).toBe(one.batch.batchId)
  })

  test('outbox ids are never reused, even after the outbox was emptied and the file reopened', async () => {
    const seen = new Set<string>()
    for (let round = 0; round < 3; round++) {
      await commit(await effects('s', { rows: [rows('t', '["a"]\n'), rows('u', '["b"]\n')] }))
      const flush = (await state.beginFlush(1e9, 1))!
      for (const { token } of await state.flushParts(flush)) {
        expect(seen.has(token)).toBe(false)
        seen.add(token)
      }
      await state.endFlush(flush, { rows: [], counts: [], waiting: [] }, 1)
      expect(await state.beginFlush(1e9, 1)).toBeUndefined()
      await db.destroy()
      db = await open(dataDir)
      state = pipelineState(db)
    }
  })

  test('another state database never repeats the tokens of the first, because the lake would drop its rows', async () => {
    const tokens = []
    for (const name of ['one', 'two']) {
      const other = await open(mkdtempSync(join(folder, name)))
      const own = pipelineState(other)
      const saved = state
      state = own
      await commit(await effects('s', { rows: [rows('t', '["a"]\n')] }))
      state = saved
      tokens.push((await own.beginFlush(1e9, 1))!.flushId)
      await other.destroy()
    }
    expect(tokens[0]).not.toBe(tokens[1])
  })

  test('a started flush never changes: same range, same token, same bytes, whatever is added after it', async () => {
    await commit(await effects('s', { rows: [rows('t', '["a"]\n'), rows('t', '["b","c"]\n', 2), rows('t', '["d"]\n')] }))
    const flush = (await state.beginFlush(1e9, 1))!
    const parts = await state.flushParts(flush)
    await commit(await effects('s', { rows: [rows('t', '["later"]\n')] }))
    expect(await state.beginFlush(1, 2)).toMatchObject(flush)
    expect(await state.flushParts(flush)).toEqual(parts)
    expect(parts.map(({ token, blocks, count }) => [token, Buffer.concat(blocks).toString(), count])).toEqual([
      [`${flush.flushId}/logs.t`, '["a"]\n["d"]\n', 2],
      [`${flush.flushId}/logs.t/1`, '["b","c"]\n', 1],
    ])
    await state.endFlush(flush, { rows: [], counts: [], waiting: [] }, 3)
    expect((await state.outboxSize()).rows).toBe(1)
  })

  test('a flush contains about the maximum number of bytes, and at least one row', async () => {
    await commit(await effects('s', { rows: Array.from({ length: 5 }, (_, i) => rows(`t${i}`, `["${'x'.repeat(100)}"]\n`)) }))
    const sizes = []
    for (let flush = await state.beginFlush(250, 1); flush; flush = await state.beginFlush(250, 1)) {
      sizes.push((await state.flushParts(flush)).length)
      await state.endFlush(flush, { rows: [], counts: [], waiting: [] }, 1)
    }
    expect(sizes).toEqual([2, 2, 1])
  })

  test('rewriting a window keeps what users set', async () => {
    await commit(await effects('s', { windows: [window()] }))
    const resolve = (alertIds: string[]) => changeAlerts(db, { alertIds, change: { status: 'RESOLVED' }, by: 'ana', nowMs: 150 })
    expect(await resolve([window().alertId, 'nobody'])).toEqual([
      { alertId: window().alertId, outcome: 'changed' },
      { alertId: 'nobody', outcome: 'not_found' },
    ])
    await commit(await effects('s', { windows: [window({ eventCount: 7, updatedMs: 180 })] }))
    expect(await findAlert(db, 'aaaa')).toMatchObject({ status: 'RESOLVED', event_count: 7, updated_ms: 180 })
    expect(await findAlert(db, 'aaa%')).toBeUndefined()
  })

  test('windows are found until they end', async () => {
    await commit(await effects('s', { windows: [window(), window({ alertId: 'b'.repeat(32), startMs: 200, endMs: 300 })] }))
    const starts = async (at: number) => (await known(['g', 'other'], at)).get('g')!.windows.map(({ startMs }) => startMs)
    expect(await starts(199)).toEqual([100, 200])
    expect(await starts(200)).toEqual([200])
    expect(await starts(300)).toEqual([])
  })

  test('windows of replays do not count toward live limits, nor the other way round', async () => {
    const retroactive = { ...window({ alertId: 'b'.repeat(32), groupKey: 'past' }), retroactive: true as const }
    await commitTo(
      state,
      await effectsIn(state, 'web', { windows: [window(), retroactive, window({ alertId: 'c'.repeat(32) })] }),
    )
    const crowds = async (kind: { retroactive?: true }) => {
      const asked = { groups: [], fromMs: 0, crowds: [{ ruleIds: ['R'], fromMs: 0, toMs: 1000, ...kind }] }
      return (await db.transaction().execute((tx) => readGroups(tx, asked))).crowds.get('R')
    }
    expect([await crowds({}), await crowds({ retroactive: true })]).toEqual([2, 1])
    expect((await known(['past'], 0)).get('past')?.windows).toMatchObject([retroactive])
  })

  test('alerts are listed newest first, page by page, without windows that are not alerts yet', async () => {
    const ids = ['1', '2', '3', '4', '5'].map((digit) => digit.repeat(32))
    const windows = ids.map((alertId, i) => window({ alertId, groupKey: alertId, createdMs: i < 3 ? 10 : 20, opened: i !== 1 }))
    await commit(await effects('s', { windows }))
    const seen: string[] = []
    let before: { createdMs: number; alertId: string } | undefined
    for (;;) {
      const page = await listAlerts(db, { limit: 2, ...(before ? { before } : {}) })
      if (page.length === 0) break
      seen.push(...page.map(({ alert_id }) => alert_id[0]!))
      const last = page.at(-1)!
      before = { createdMs: last.created_ms, alertId: last.alert_id }
    }
    expect(seen).toEqual(['5', '4', '3', '1'])
  })

  test('counts can increase and decrease', async () => {
    const add = (n: number) =>
      db.transaction().execute((tx) => addCounts(tx, [{ sourceId: 's', outcome: 'dead_lettered', reason: 'internal', n }]))
    await add(5)
    await add(0)
    await add(-2)
    expect((await sourceCounts(db)).get('s')).toEqual({
      received: 0,
      stored: 0,
      filtered: 0,
      deadLettered: 3,
      reasons: { internal: 3 },
      guessed: {},
      filters: {},
    })
  })

  test('stored records whose log type was guessed are counted separately and also among the stored ones', async () => {
    const stored = (reason: string, n: number) => ({ sourceId: 'g', outcome: 'stored' as const, reason, n })
    const counts = [stored('', 5), stored('Zeek.Conn', 2), stored('Zeek.DNS', 1)]
    await db.transaction().execute((tx) => addCounts(tx, counts))
    expect((await sourceCounts(db)).get('g')).toMatchObject({ stored: 8, guessed: { 'Zeek.Conn': 2, 'Zeek.DNS': 1 } })
  })

  test('removing a source deletes everything of that source and nothing of others', async () => {
    const both = window({ alertId: 'c'.repeat(32), groupKey: 'c', body: { ...window().body, sourceLabels: ['web', 'db'] } })
    const counts = ['s', 'other'].map((sourceId) => ({ sourceId, outcome: 'received' as const, reason: '', n: 1 }))
    await commit(await effects('other', { counts }))
    await commit(
      await effects('s', {
        windows: [window(), both],
        deliveries: [delivery('d1', 'soc')],
        unknownFields: new Map([['T\tf', 1]]),
      }),
    )
    await removeSource(db, 's', 'web')
    expect((await listAlerts(db, { limit: 10 })).map(({ alert_id }) => alert_id)).toEqual([both.alertId])
    expect(await waitingDestinations(db)).toEqual([])
    expect(await cursorsOf(db, 's')).toEqual([])
    expect([...(await sourceCounts(db)).keys()]).toEqual(['other'])
    expect((await cursorsOf(db, 'other')).length).toBe(1)
  })

  test('unknown fields are counted, and hostile ones cannot fill the state', async () => {
    const many = new Map(Array.from({ length: 1200 }, (_, i) => [`T\tfield${i}`, 1] as const))
    await commit(await effects('s', { unknownFields: many }))
    await commit(await effects('s', { unknownFields: new Map([['T\tfield0', 4]]) }))
    const fields = (await unknownFields(db)).get('s')!
    expect(fields.length).toBe(1001)
    expect(fields[0]).toEqual({ logType: '', field: 'further fields', count: 200 })
    expect(fields[1]).toEqual({ logType: 'T', field: 'field0', count: 5 })
  })

  test('a table version is added to the outbox only when it has changed', async () => {
    const record = (version: string) => recordTableVersion(db, 'tor', version, rows('table_versions', '["x"]\n'), 1)
    expect([await record('1'), await record('1'), await record('2'), await record('1')]).toEqual([true, false, true, true])
    await saveTableState(db, 'tor', '{"a":1}', [], 1)
    await saveTableState(db, 'tor', '{"a":2}', [rows('table_refreshes', '["x"]\n')], 1)
    expect(await loadTableState(db, 'tor')).toBe('{"a":2}')
    await setMeta(db, 'k', 'v')
    expect(await getMeta(db, 'k')).toBe('v')
  })

  test('the read-only connection sees committed data and cannot write', async () => {
    await commit(await effects('s', { windows: [window()] }))
    const reader = await read(dataDir)
    expect((await listAlerts(reader, { limit: 5 })).length).toBe(1)
    const close = { alertIds: [window().alertId], change: { status: 'CLOSED' as const }, by: 'ana', nowMs: 1 }
    await expect(changeAlerts(reader, close)).rejects.toThrow(/read-?only/)
    await commit(await effects('s', { windows: [window({ alertId: 'b'.repeat(32), groupKey: 'h' })] }))
    expect((await listAlerts(reader, { limit: 5 })).length).toBe(2)
    await reader.destroy()
  })

  const hostile = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.constantFrom(
      '__proto__',
      'constructor',
      'a\0b',
      '\ud800',
      '\udfff\ud800',
      '\u202e',
      '"; DROP TABLE alerts; --',
      'x'.repeat(64 * 1024),
    ),
  )

  test('any text survives in every place where untrusted text can occur', async () => {
    await fc.assert(
      fc.asyncProperty(hostile, hostile, hostile, async (a, b, c) => {
        const alertId = String(++lastAlert).padStart(32, '0')
        const body = {
          ...window().body,
          title: a,
          dedup: b,
          context: JSON.stringify({ [c]: a }),
          functionErrors: { [b]: c },
          sourceLabels: [a],
        }
        const made = await effects('s', {
          windows: [window({ alertId, groupKey: alertId, body })],
          deliveries: [{ ...delivery(`d${alertId}`, 'soc'), body: JSON.stringify({ [a]: b }) }],
          unknownFields: new Map([[`T\t${a}`, 1]]),
          cursor: { place: alertId, value: { [a]: b, context: c } },
          rows: [rows('t', `${JSON.stringify([a, b, c])}\n`)],
        })
        expect(await commit(made)).toBe(true)
        await saveDeliveryResults(db, [{ deliveryId: `d${alertId}`, kind: 'again', tries: 1, nextMs: 1, error: c }])
        const [found] = (await known([alertId], 150)).get(alertId)!.windows
        expect(found!.body).toEqual(body)
        const cursor = (await cursorsOf(db, 's')).find(({ place }) => place === alertId)!
        expect(cursor.value).toEqual({ [a]: b, context: c })
      }),
      { numRuns: 60, seed: 7 },
    )
    await unknownFields(db)
  })

  test.skipIf(type !== 'sqlite')('on a full disk no batch is half stored, and it succeeds once there is space', async () => {
    await db.destroy()
    db = await openState(dataDir, { maxPages: 60 })
    state = pipelineState(db)
    const big = await effects('s', {
      rows: Array.from({ length: 20 }, (_, i) => rows(`t${i}`, `["${'x'.repeat(50_000)}"]\n`)),
      counts: [{ sourceId: 's', outcome: 'received', reason: '', n: 20 }],
      windows: [window()],
      deliveries: [delivery('d1', 'soc')],
    })
    for (let i = 0; i < 3; i++) {
      await expect(commit(big)).rejects.toThrow(StorageError)
    }
    expect(await state.outboxSize()).toEqual({ rows: 0, bytes: 0, oldestMs: undefined })
    expect(await sourceCounts(db)).toEqual(new Map())
    expect(await listAlerts(db, { limit: 1 })).toEqual([])
    expect(await state.openBatches()).toEqual([big.batch])
    await sql`PRAGMA max_page_count = 100000`.execute(db)
    expect(await commit(big)).toBe(true)
    expect((await state.outboxSize()).rows).toBe(20)
  })

  test('windows are counted for the requested rules and times only', async () => {
    const windows = [100, 200, 300].flatMap((endMs) =>
      ['R', 'Q'].map((ruleId) =>
        window({ alertId: `${ruleId}${endMs}`, ruleId, groupKey: `${ruleId}${endMs}`, startMs: 0, endMs }),
      ),
    )
    await commit(await effects('s', { windows }))
    const groups = [{ groupKey: 'x', ruleId: 'Q' }]
    const count = async (...crowds: CrowdRef[]) =>
      [...(await db.transaction().execute((tx) => readGroups(tx, { groups, fromMs: 0, crowds }))).crowds].sort()
    expect(await count()).toEqual([])
    expect(await count({ ruleIds: ['R'], fromMs: 100, toMs: 200 })).toEqual([['R', 1]])
    expect(await count({ ruleIds: ['R'], fromMs: 0, toMs: 200 }, { ruleIds: ['Q'], fromMs: 0, toMs: 300 })).toEqual([
      ['Q', 3],
      ['R', 2],
    ])
  })
})

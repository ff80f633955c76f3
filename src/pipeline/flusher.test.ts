import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { BatchEffects, FinishedRows } from '../model/batch.ts'
import type { TableSpec } from '../model/column.ts'
import type { LakeWriter } from '../stages/store/lake.ts'
import { openState, type StateDb } from '../state/db.ts'
import { pipelineState } from '../state/pipeline-state.ts'
import { sourceCounts } from '../state/sources.ts'
import { Refused, RetryLater } from '../util/errors.ts'
import { MemoryLake } from './flusher.fixture.ts'
import { Flusher } from './flusher.ts'
import type { PipelineState } from './pipeline-state.ts'
import { rowsOf } from './rows.ts'

const folder = mkdtempSync(join(tmpdir(), 'caracal-flusher-'))
let db: StateDb
let state: PipelineState
let dataDir: string
beforeEach(async () => {
  dataDir = mkdtempSync(join(folder, 'data-'))
  db = await openState(dataDir)
  state = pipelineState(db)
})
afterEach(() => db.destroy())

const spec = (table: string, columns = ['p_row_id', 'p_source_id']): TableSpec => ({
  database: 'logs',
  table,
  columns: columns.map((name) => ({ name, kind: 'string' as const })),
  timeColumn: 'p_row_id',
})
const rows = (table: string, ids: readonly string[], columns?: string[]): FinishedRows =>
  rowsOf(
    spec(table, columns),
    ids.map((id) => [id, 's']),
  )[0]!

let lastId = 0
async function commit(flusher: Flusher, finished: readonly FinishedRows[]): Promise<void> {
  const batch = { batchId: String(++lastId).padStart(20, '0'), sourceId: 's', extent: { kind: 'x' }, receivedMs: 1 }
  await state.recordBatch(batch)
  const n = finished.reduce((sum, { count }) => sum + count, 0)
  const effects = {
    batch,
    cursor: { place: 'p', value: {} },
    rows: finished,
    windows: [],
    opened: [],
    deliveries: [],
    counts: [
      { sourceId: 's', outcome: 'received', reason: '', n },
      { sourceId: 's', outcome: 'stored', reason: '', n },
    ],
    unknownFields: new Map(),
    cacheWrites: [],
    correlation: { saved: [], removed: [] },
    findings: { matches: new Map(), errors: new Map() },
    nowMs: 5,
  } satisfies BatchEffects
  await state.commitBatch(batch, { groups: [], fromMs: 0, decide: () => effects })
  flusher.added(finished, 5)
}

const flusherOf = (lake: LakeWriter, part: Partial<ConstructorParameters<typeof Flusher>[2]> = {}) =>
  new Flusher(state, lake, {
    flushRows: 1000,
    flushMs: 1_000_000,
    retryMs: 5,
    maxBytes: 1 << 20,
    now: () => 10,
    onTrouble: () => {},
    ...part,
  })

test('two shapes of one table go to the lake in one flush, each under a separate token', async () => {
  const lake = new MemoryLake()
  const flusher = flusherOf(lake)
  await commit(flusher, [rows('t', ['1']), rows('t', ['2'], ['p_row_id', 'p_source_id', 'new']), rows('t', ['3'])])
  await flusher.flush()
  expect(lake.calls.map(({ token }) => token.replace(/^[^/]*\//, ''))).toEqual(['logs.t', 'logs.t/1'])
  expect(lake.calls.map(({ text }) => text)).toEqual(['["1","s"]\n["3","s"]\n', '["2","s",null]\n'])
  expect(flusher.waitingBytes).toBe(0)
})

test.each(['before', 'after'] as const)(
  'an insert that fails %s it was stored is made again with the same token and rows',
  async (when) => {
    const lake = new MemoryLake()
    lake.fails = (nth) => (nth === 2 ? when : undefined)
    const troubles: (string | undefined)[] = []
    const flusher = flusherOf(lake, { onTrouble: (message) => troubles.push(message) })
    await commit(flusher, [rows('t', ['1']), rows('u', ['2'])])
    await expect(flusher.flush()).rejects.toThrow(/^logs\.u: (the lake is away|the answer was lost)$/)
    await commit(flusher, [rows('u', ['later'])])
    await flusher.flush()
    expect(lake.calls[2]).toEqual(lake.calls[1])
    expect(lake.rows.sort()).toEqual(['logs.t ["1","s"]', 'logs.u ["2","s"]', 'logs.u ["later","s"]'])
    expect(troubles).toEqual([expect.stringMatching(/away|lost/), undefined])
  },
)

test('a table that accepts nothing delays no other, and gets its rows in order once it accepts them again', async () => {
  const lake = new MemoryLake()
  const insert = lake.insert.bind(lake)
  let isAway = true
  lake.insert = async (table, bytes, token) => {
    if (isAway && table.table === 'u') throw new RetryLater('too many parts')
    return insert(table, bytes, token)
  }
  const troubles: (string | undefined)[] = []
  const flusher = flusherOf(lake, { onTrouble: (message) => troubles.push(message) })
  for (let i = 0; i < 3; i++) {
    await commit(flusher, [rows('t', [`t${i}`]), rows('u', [`u${i}`])])
    await expect(flusher.flush()).rejects.toThrow('logs.u: too many parts')
  }
  expect(lake.rows).toEqual(['logs.t ["t0","s"]', 'logs.t ["t1","s"]', 'logs.t ["t2","s"]'])
  // The next start knows what is waiting.
  await db.destroy()
  db = await openState(dataDir)
  state = pipelineState(db)
  isAway = false
  const second = flusherOf(lake, { onTrouble: (message) => troubles.push(message) })
  await second.flush()
  expect(lake.rows.slice(3)).toEqual(['logs.u ["u0","s"]', 'logs.u ["u1","s"]', 'logs.u ["u2","s"]'])
  expect(troubles).toEqual([...Array.from({ length: 3 }, () => 'logs.u: too many parts'), undefined])
  expect(await state.outboxSize()).toEqual({ rows: 0, bytes: 0, oldestMs: undefined })
})

test('every row is stored once and in its table’s order, whatever fails and whenever the process ends', async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('rows' as const), table: fc.constantFrom('t', 'u', 'v') }),
    fc.record({
      kind: fc.constant('flush' as const),
      fails: fc.array(fc.constantFrom('no', 'before', 'after'), { maxLength: 4 }),
    }),
    fc.constant({ kind: 'crash' as const }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      await db.destroy()
      dataDir = mkdtempSync(join(folder, 'data-'))
      db = await openState(dataDir)
      state = pipelineState(db)
      const lake = new MemoryLake()
      let flusher = flusherOf(lake)
      const sent: string[] = []
      for (const one of steps) {
        if (one.kind === 'rows') {
          sent.push(`logs.${one.table} ["${sent.length}","s"]`)
          await commit(flusher, [rows(one.table, [String(sent.length - 1)])])
        } else if (one.kind === 'flush') {
          const from = lake.calls.length
          lake.fails = (nth) => {
            const what = one.fails[nth - from - 1]
            return what === 'no' ? undefined : (what as 'before' | 'after' | undefined)
          }
          await flusher.flush().catch((error) => expect(error).toBeInstanceOf(RetryLater))
        } else {
          // The lake has part of a flush, and the state does not know.
          lake.fails = () => undefined
          const flush = await state.beginFlush(1 << 20, 1)
          if (flush)
            for (const part of (await state.flushParts(flush)).slice(0, 1)) await lake.insert(part.spec, part.blocks, part.token)
          flusher = flusherOf(lake)
        }
      }
      lake.fails = () => undefined
      await flusher.flush()
      for (const table of ['logs.t', 'logs.u', 'logs.v'])
        expect(lake.rows.filter((row) => row.startsWith(table))).toEqual(sent.filter((row) => row.startsWith(table)))
      expect((await state.outboxSize()).bytes).toBe(0)
    }),
    { seed: 11, numRuns: 25 },
  )
})

test('rows that their table can never accept become dead letters that can be sent again', async () => {
  const lake = new MemoryLake()
  lake.ensure = async ({ table }: TableSpec) => {
    if (table === 't') throw new Refused('the table is ordered by it')
  }
  const flusher = flusherOf(lake)
  const big: TableSpec = {
    ...spec('t'),
    columns: [
      ...spec('t').columns,
      { name: 'n', kind: 'ubigint' },
      { name: 'tags', kind: 'json' },
      { name: 'extra', kind: 'json' },
      { name: 'p_enrichment', kind: 'json' },
    ],
  }
  const row = ['1', 's', 18446744073709551615n, '[1,{"a":null}]', '{"odd":"é","n2":0.1}', '{"x":{}}']
  await commit(flusher, [...rowsOf(big, [row]), rows('u', ['2'])])
  await flusher.flush()
  expect(lake.rows[0]).toBe('logs.u ["2","s"]')
  const letter = JSON.parse(lake.rows[1]!.replace('monitor.dead_letters ', '')) as unknown[]
  expect(letter[8]).toBe('{"n":18446744073709551615,"tags":[1,{"a":null}],"odd":"é","n2":0.1}')
  expect(letter[3]).toContain('The lake refused this row of logs.t: the table is ordered by it')
  expect((await sourceCounts(db)).get('s')).toMatchObject({ stored: 1, deadLettered: 1, reasons: { internal: 1 } })
})

test('rows that an older version left as JSON go to the lake in the same order, and one that does not fit becomes a dead letter', async () => {
  const lake = new MemoryLake()
  const flusher = flusherOf(lake)
  const counted: TableSpec = { ...spec('t'), columns: [...spec('t').columns, { name: 'n', kind: 'ubigint' }] }
  const text = '["1","s",18446744073709551615]\n["2","s",-1]\n["3","s",null]\n'
  await commit(flusher, [{ spec: counted, rows: Buffer.from(text), count: 3 }, ...rowsOf(counted, [['4', 's', 4]])])
  await flusher.flush()
  expect(lake.rows.slice(0, 3)).toEqual(['logs.t ["1","s",18446744073709551615]', 'logs.t ["3","s",null]', 'logs.t ["4","s",4]'])
  const letter = JSON.parse(lake.rows[3]!.replace('monitor.dead_letters ', '')) as unknown[]
  expect([letter[1], letter[8]]).toEqual(['2', '{"n":-1}'])
  expect((await sourceCounts(db)).get('s')).toMatchObject({ stored: 3, deadLettered: 1 })
})

test('rows that an older version left are counted in the index once, however often their table is retried, and other rows not again', async () => {
  const lake = new MemoryLake()
  lake.fails = (nth) => (nth === 1 ? 'before' : undefined)
  const flusher = flusherOf(lake)
  const events: TableSpec = {
    ...spec('t'),
    timeColumn: 'p_event_time',
    columns: [
      ...['p_log_type', 'p_source_id', 'p_event_time', 'p_parse_time'].map((name) => ({ name, kind: 'string' as const })),
      { name: 'p_any_usernames', kind: 'strings' },
    ],
  }
  const row = (user: string) => ['Test.Log', 's', '2024-01-01T00:00:00Z', '2024-01-01T00:00:01Z', [user]]
  await commit(flusher, [
    { spec: events, rows: Buffer.from(`${JSON.stringify(row('old'))}\n`), count: 1 },
    ...rowsOf(events, [row('new')]),
    rows('u', ['1']),
  ])
  await expect(flusher.flush()).rejects.toThrow('the lake is away')
  await flusher.flush()
  const index = lake.rows.filter((line) => line.startsWith('monitor.indicators'))
  expect(index.map((line) => JSON.parse(line.slice(line.indexOf('[')))).map(([kind, value, , , n]) => [kind, value, n])).toEqual([
    ['usernames', 'old', 1],
  ])
})

test('rows that one shape of a table refuses become dead letters once, however often the next shape fails', async () => {
  const lake = new MemoryLake()
  lake.rejects = (line) => line.startsWith('["odd')
  lake.fails = (nth) => (nth === 2 ? 'before' : undefined)
  const flusher = flusherOf(lake)
  await commit(flusher, [rows('t', ['odd']), rows('t', ['2'], ['p_row_id', 'p_source_id', 'new']), rows('u', ['3'])])
  await expect(flusher.flush()).rejects.toThrow('the lake is away')
  await flusher.flush()
  expect(lake.rows.filter((line) => line.startsWith('monitor.dead_letters')).length).toBe(1)
  expect((await sourceCounts(db)).get('s')).toMatchObject({ received: 3, stored: 2, deadLettered: 1 })
})

test('waiters are notified once there is room, even if a table did not accept its rows', async () => {
  const lake = new MemoryLake()
  lake.fails = (nth) => (nth === 1 ? 'before' : undefined)
  const heard: boolean[] = []
  const flusher: Flusher = flusherOf(lake, { onStored: () => heard.push(flusher.waitingBytes > 0) })
  await commit(flusher, [rows('t', ['1'])])
  await expect(flusher.flush()).rejects.toThrow('the lake is away')
  await flusher.flush()
  expect(heard).toEqual([true, false])
})

test('of two specs of one table in a flush, the earlier is late', async () => {
  const lake = new MemoryLake()
  const ensured: [number, boolean | undefined][] = []
  lake.ensure = async ({ columns }: TableSpec, late?: boolean) => void ensured.push([columns.length, late])
  const flusher = flusherOf(lake)
  await commit(flusher, [rows('t', ['1']), rows('t', ['2'], ['p_row_id', 'p_source_id', 'new'])])
  await flusher.flush()
  expect(ensured).toEqual([
    [2, true],
    [3, false],
  ])
})

test('a process that ends between an insert and its record stores nothing twice', async () => {
  const lake = new MemoryLake()
  const first = flusherOf(lake)
  await commit(first, [rows('t', ['1', '2'])])
  const flush = (await state.beginFlush(1 << 20, 1))!
  for (const part of await state.flushParts(flush)) await lake.insert(part.spec, part.blocks, part.token)
  await db.destroy()
  db = await openState(dataDir)
  state = pipelineState(db)
  await flusherOf(lake).flush()
  expect(lake.rows).toEqual(['logs.t ["1","s"]', 'logs.t ["2","s"]'])
  expect((await state.outboxSize()).rows).toBe(0)
})

test('rows that the lake refuses become dead letters, and the counters move with them', async () => {
  const lake = new MemoryLake()
  lake.rejects = (line) => line.startsWith('["odd')
  const flusher = flusherOf(lake)
  await commit(flusher, [rows('t', ['odd1', 'even', 'odd2'])])
  await flusher.flush()
  expect((await sourceCounts(db)).get('s')).toEqual({
    received: 3,
    stored: 1,
    filtered: 0,
    deadLettered: 2,
    reasons: { internal: 2 },
    guessed: {},
    filters: {},
  })
  expect(lake.rows[0]).toBe('logs.t ["even","s"]')
  const letters = lake.rows.slice(1).map((row) => JSON.parse(row.replace('monitor.dead_letters ', '')) as unknown[])
  expect(letters.map(([, rowId, reason, message, source]) => [rowId, reason, source, String(message).slice(0, 36)])).toEqual([
    ['odd1', 'internal', 's', 'The lake refused this row of logs.t:'],
    ['odd2', 'internal', 's', 'The lake refused this row of logs.t:'],
  ])
})

test('dead letters that the lake refuses do not come back forever', async () => {
  const lake = new MemoryLake()
  lake.rejects = () => true
  const flusher = flusherOf(lake)
  await commit(flusher, [rows('t', ['1'])])
  await flusher.flush()
  expect(lake.calls.length).toBe(2)
  expect((await state.outboxSize()).rows).toBe(0)
})

test.each([
  ['enough rows wait', { flushRows: 2 }, ['1', '2']],
  ['the oldest waits long enough', { flushMs: 4 }, ['1']],
])('a flush begins by itself when %s', async (_, options, ids) => {
  const lake = new MemoryLake()
  const flusher = flusherOf(lake, options)
  await flusher.start()
  await commit(flusher, [rows('t', ids)])
  await vi.waitFor(() => expect(lake.rows.length).toBe(ids.length), { timeout: 30_000 })
  await flusher.stop()
})

test('rows committed while the outbox is measured are not forgotten', async () => {
  const lake = new MemoryLake()
  const real = state
  let flusher: Flusher | undefined
  let measured = 0
  state = {
    ...real,
    outboxSize: async () => {
      const size = await real.outboxSize()
      // A commit between the result and its use.
      if (++measured === 2) await commit(flusher!, [rows('t', ['late'])])
      return size
    },
  }
  flusher = flusherOf(lake, { flushMs: 1, flushRows: 1 })
  await flusher.start()
  await commit(flusher, [rows('t', ['1'])])
  await vi.waitFor(() => expect(lake.rows.length).toBe(2), { timeout: 30_000 })
  await flusher.stop()
})

test('flush covers everything committed before the call, even while a run is in progress', async () => {
  const lake = new MemoryLake()
  let release: () => void = () => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  lake.ensure = () => held
  const flusher = flusherOf(lake)
  await commit(flusher, [rows('t', ['1'])])
  const first = flusher.flush()
  await commit(flusher, [rows('t', ['2'])])
  const second = flusher.flush()
  release()
  await Promise.all([first, second])
  expect(lake.rows.length).toBe(2)
})

test('while rows keep coming, a run ends with those that waited when it began, and the next one waits until it is due', async () => {
  const lake = new MemoryLake()
  const insert = lake.insert.bind(lake)
  let arrived = 0
  const flusher = flusherOf(lake)
  lake.insert = async (...part) => {
    if (++arrived <= 10) await commit(flusher, [rows('t', [`during ${arrived}`])])
    return insert(...part)
  }
  await commit(flusher, [rows('t', ['1'])])
  await flusher.flush()
  expect(lake.calls.map(({ text }) => text)).toEqual(['["1","s"]\n'])
  await flusher.flush()
  expect(lake.calls.length).toBe(2)
})

test('more rows than one flush takes go to the lake in one run', async () => {
  const lake = new MemoryLake()
  const flusher = flusherOf(lake, { maxBytes: 1 })
  for (let i = 0; i < 4; i++) await commit(flusher, [rows('t', [String(i)])])
  await flusher.flush()
  expect(lake.calls.length).toBe(4)
  expect(flusher.waitingBytes).toBe(0)
})

test('as many bytes as one flush takes are moved before they are old', async () => {
  const lake = new MemoryLake()
  const flusher = flusherOf(lake, { maxBytes: 200 })
  await flusher.start()
  await commit(flusher, [rows('t', ['x'.repeat(300)])])
  await vi.waitFor(() => expect(lake.rows.length).toBe(1), { timeout: 30_000 })
  await flusher.stop()
})

test('rows of Caracal’s own tables that the lake refuses for good are reported and counted, once they are', async () => {
  const lake = new MemoryLake()
  lake.rejects = (line) => line.includes('odd')
  lake.fails = (nth) => (nth === 1 ? 'after' : undefined)
  const lost: string[] = []
  const flusher = flusherOf(lake, { onLost: (message) => lost.push(message) })
  const own = (table: string, ids: readonly string[]) => {
    const made = rows(table, ids)
    return { ...made, spec: { ...made.spec, database: 'monitor' } }
  }
  await commit(flusher, [own('indicators', ['odd 1', '2', 'odd 3'])])
  await expect(flusher.flush()).rejects.toThrow('the answer was lost')
  expect(lost).toEqual([])
  await flusher.flush()
  await commit(flusher, [own('indicators', ['odd 4']), own('rule_errors', ['odd 5', '6'])])
  await flusher.flush()
  expect(lost[0]).toBe('2 rows of monitor.indicators, the last because: no')
  expect(lost.at(-1)).toBe(
    '3 rows of monitor.indicators, the last because: no; 1 rows of monitor.rule_errors, the last because: no',
  )
})

test('a pause ends with the flush in progress, and nothing reaches the lake before it is over', async () => {
  const lake = new MemoryLake()
  let proceed = () => {}
  const held = new Promise<void>((resolve) => {
    proceed = resolve
  })
  const insert: LakeWriter['insert'] = async (...args) => {
    await held
    return lake.insert(...args)
  }
  const flusher = flusherOf({ ensure: async () => {}, insert })
  await commit(flusher, [rows('t', ['1'])])
  const first = flusher.flush()
  await vi.waitFor(async () => expect((await db.selectFrom('flushes').selectAll().execute()).length).toBe(1))
  let isPaused = false
  const paused = flusher.pause().then(() => {
    isPaused = true
  })
  await commit(flusher, [rows('t', ['2'])])
  const second = flusher.flush()
  expect(isPaused).toBe(false)
  proceed()
  await paused
  expect(lake.rows).toEqual(['logs.t ["1","s"]'])
  // What the state says fits what the lake has: one row stored, one waiting.
  expect((await state.outboxSize()).rows).toBe(1)
  await new Promise((resolve) => setImmediate(resolve))
  expect(lake.rows).toHaveLength(1)
  flusher.resume()
  await Promise.all([first, second])
  expect(lake.rows).toEqual(['logs.t ["1","s"]', 'logs.t ["2","s"]'])
})

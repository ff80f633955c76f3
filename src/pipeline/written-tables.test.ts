import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { seeded } from '../../test/support/random.ts'
import type { Extent } from '../model/batch.ts'
import type { TableSpec } from '../model/column.ts'
import type { BatchSource } from '../stages/source/source.ts'
import { cursorsOf } from '../state/batches.ts'
import { openState, type StateDb } from '../state/db.ts'
import { pipelineState } from '../state/pipeline-state.ts'
import { loadWrittenRows } from '../state/written-rows.ts'
import { readBlock } from '../util/block/read.ts'
import { ListSource, loopDeps } from './loop.fixture.ts'
import { Loop } from './loop.ts'
import type { PipelineState } from './pipeline-state.ts'
import { TableWriter } from './table-writer.ts'
import { makersOf, tableOf, tablesOf, writingGeneration } from './written-tables.fixture.ts'

const folder = mkdtempSync(join(tmpdir(), 'caracal-written-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** One batch for each text, received at its time. */
function timedSource(texts: readonly string[], times: readonly number[], from: number): BatchSource {
  const list = new ListSource('list', texts, from)
  return Object.assign(list, { receivedMs: ({ at }: Extent) => times[at as number] }) as BatchSource
}

interface Batch {
  readonly lines: readonly string[]
  readonly atMs: number
}

interface Limits {
  readonly create?: number | undefined
  readonly write?: number | undefined
  readonly read?: number | undefined
  readonly maxRows: number
  readonly keepsFirst: boolean
}

/** What the lines of each batch should be joined with, by plain rules over plain maps. */
function expected(batches: readonly Batch[], { create, write, read, maxRows, keepsFirst }: Limits): string[] {
  interface Row {
    value: string
    version: number
    created: number
    written: number
    read: number
  }
  const rows = new Map<string, Row>()
  const lines: string[] = []
  let number = 0
  const alive = (row: Row | undefined, ms: number) =>
    row &&
    ms < row.created + (create ?? Infinity) * 1000 &&
    ms < row.written + (write ?? Infinity) * 1000 &&
    ms < Math.max(row.read, row.written) + (read ?? Infinity) * 1000
      ? row
      : undefined
  for (const { lines: own, atMs } of batches) {
    for (const line of own) {
      const row = alive(rows.get(line.split(' ')[0]!), atMs)
      lines.push(`${line} -> ${row ? `${row.value} by ${row.version}` : 'nothing'}`)
    }
    const touched = read === undefined ? [] : own.flatMap((line) => alive(rows.get(line.split(' ')[0]!), atMs) ?? [])
    const writes = own.map((line) => line.split(' ')).filter((parts) => parts.length > 1)
    const isChange = writes.length > 0 || touched.some((row) => row.read < atMs)
    if (!isChange) continue
    number++
    for (const row of touched) row.read = Math.max(row.read, atMs)
    for (const [key, value] of writes) {
      const before = alive(rows.get(key!), atMs)
      const isKept = before && (keepsFirst || before.value === value)
      rows.delete(key!)
      rows.set(key!, {
        value: isKept ? before.value : value!,
        version: isKept ? before.version : number,
        created: before?.created ?? atMs,
        written: atMs,
        read: before?.read ?? atMs,
      })
    }
    if (number % 64 === 0) for (const [key, row] of rows) if (!alive(row, atMs)) rows.delete(key)
    for (const key of rows.keys()) if (rows.size > maxRows) rows.delete(key)
  }
  return lines
}

/** Runs the loop over the data folder until everything is committed, or until every call hangs, as in a killed process. */
async function live(
  dataDir: string,
  batches: readonly Batch[],
  limits: Limits,
  { makers = 0, crashAfter = Infinity, seed = 1 } = {},
) {
  const db = await openState(dataDir)
  const { create: Create, write: Write, read: Read, maxRows: MaxRows, keepsFirst } = limits
  const table = tableOf(
    { MaxRows, TimeoutSeconds: { ...(Create && { Create }), ...(Write && { Write }), ...(Read && { Read }) } },
    keepsFirst ? { RowsPerKey: 'first' } : {},
  )
  const tables = tablesOf(table)
  const writer = new TableWriter({ load: (names) => loadWrittenRows(db, names), onFull: () => {} })
  await writer.open(tables)
  const list = (await cursorsOf(db, 'list'))[0]?.value as { next: number } | undefined
  const source = timedSource(
    batches.map(({ lines }) => lines.map((line) => `${line}\n`).join('')),
    batches.map(({ atMs }) => atMs),
    list?.next ?? 0,
  )
  const random = seeded(seed)
  const pause = async () => {
    for (let i = Math.floor(random() * 6); i > 0; i--) await new Promise((resolve) => setImmediate(resolve))
  }
  const made = makers > 0 ? makersOf(makers, writer, tables, pause) : undefined
  let left = crashAfter
  let crash = () => {}
  const crashed = new Promise<'crashed'>((resolve) => {
    crash = () => resolve('crashed')
  })
  const step = async () => {
    if (left-- > 0) return
    crash()
    await new Promise(() => {})
  }
  const state: PipelineState = pipelineState(db)
  const underWay = new Set<Promise<unknown>>()
  for (const name of ['recordBatch', 'openBatches', 'lastBatchId', 'commitBatch'] as const) {
    const call = state[name] as (...args: unknown[]) => Promise<unknown>
    const guarded = async (...args: unknown[]) => {
      await step()
      const calling = call(...args)
      underWay.add(calling)
      const value = await calling.finally(() => underWay.delete(calling))
      await step()
      return value
    }
    Object.assign(state, { [name]: guarded })
  }
  const generation = writingGeneration(writer, tables, made)
  const loop = new Loop(loopDeps([source], { state, generation, depth: makers > 0 ? () => makers * 2 + 2 : undefined }))
  const running = loop.run().then(() => 'done' as const)
  const watch = setInterval(() => loop.isSettled('list') && loop.stop(), 1)
  const how = await Promise.race([running, crashed])
  clearInterval(watch)
  await Promise.allSettled(underWay)
  await db.destroy()
  return how
}

async function linesIn(db: StateDb): Promise<string[]> {
  const outbox = await db
    .selectFrom('outbox')
    .innerJoin('specs', 'specs.spec_id', 'outbox.spec_id')
    .select(['specs.spec', 'outbox.rows'])
    .orderBy('outbox.id')
    .execute()
  return outbox.flatMap(({ spec, rows }) => {
    const { database, columns } = JSON.parse(spec) as TableSpec
    return database === 'logs' ? readBlock(columns, new Uint8Array(rows)).map((row) => String(row[2])) : []
  })
}

async function stored(dataDir: string) {
  const db = await openState(dataDir)
  try {
    return { lines: await linesIn(db), rows: (await loadWrittenRows(db, ['seen'])).tables[0]?.rows ?? [] }
  } finally {
    await db.destroy()
  }
}

const line = fc
  .tuple(fc.constantFrom('a', 'b', 'c', 'd', 'e'), fc.option(fc.constantFrom('1', '2', '3')))
  .map(([key, value]) => (value === null ? key : `${key} ${value}`))
const START_MS = 1_699_000_000_000
const batches = fc
  .array(fc.record({ lines: fc.array(line, { minLength: 1, maxLength: 5 }), after: fc.integer({ min: -2, max: 9 }) }), {
    minLength: 1,
    maxLength: 14,
  })
  .map((list) => {
    let atMs = START_MS
    return list.map(({ lines, after }): Batch => {
      atMs += after * 1000
      return { lines, atMs }
    })
  })
const timeout = fc.option(fc.integer({ min: 1, max: 30 }), { nil: undefined })
const limits: fc.Arbitrary<Limits> = fc.record({
  create: timeout,
  write: timeout,
  read: timeout,
  maxRows: fc.constantFrom(1, 2, 3, 100),
  keepsFirst: fc.boolean(),
})
const runs = { numRuns: Number(process.env['WRITTEN_RUNS'] ?? 25), seed: 11 }

test('events are joined with what earlier batches have written, whoever makes the batches', async () => {
  await fc.assert(
    fc.asyncProperty(batches, limits, fc.integer({ min: 0, max: 3 }), fc.integer(), async (given, limit, makers, seed) => {
      const dataDir = mkdtempSync(join(folder, 'data-'))
      expect(await live(dataDir, given, limit, { makers, seed })).toBe('done')
      expect((await stored(dataDir)).lines).toEqual(expected(given, limit))
    }),
    runs,
  )
}, 120_000)

test('the same, and each once, wherever crashes occur', async () => {
  const crashes = fc.array(fc.record({ crashAfter: fc.integer({ min: 0, max: 40 }), makers: fc.integer({ min: 0, max: 3 }) }), {
    minLength: 1,
    maxLength: 4,
  })
  await fc.assert(
    fc.asyncProperty(batches, limits, crashes, fc.integer(), async (given, limit, all, seed) => {
      const dataDir = mkdtempSync(join(folder, 'data-'))
      const whole = mkdtempSync(join(folder, 'whole-'))
      for (const crash of all) await live(dataDir, given, limit, { ...crash, seed })
      expect(await live(dataDir, given, limit)).toBe('done')
      await live(whole, given, limit)
      expect(await stored(dataDir)).toEqual(await stored(whole))
      expect((await stored(dataDir)).lines).toEqual(expected(given, limit))
    }),
    runs,
  )
}, 120_000)

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Chunk } from '../../model/chunk.ts'
import { MemoryStore } from '../../stages/detect/correlation/store.ts'
import { createGeneration } from '../generation.ts'
import { LiveTables } from '../live-tables.ts'
import { loadPath } from '../path.ts'
import { type MakerThread, startMakerThread } from '../threads.ts'
import { MadeElsewhere } from './made-elsewhere.ts'
import { prepare } from './makers.fixture.ts'
import { Makers } from './makers.ts'

/** Threads that end while they make batches, as if they had run out of memory. */
const folder = mkdtempSync(join(tmpdir(), 'caracal-death-'))
const threads: MakerThread[] = []
/** Ends the thread that makes the batch of that receive time, this number of times. */
const deadly = new Map<number, number>()
/** Records that end every thread. */
const deadlyRecords = new Set<string>()
const troubles: (string | undefined)[] = []
let makers: Makers
let made: MadeElsewhere
/** The same content as another generation. */
let openAnother: () => Promise<MadeElsewhere>
/** How often preparing the other generation in a thread fails. */
let failing = 0

class FailingTables extends LiveTables {
  override get inForce() {
    if (failing-- > 0) throw new Error('not now')
    return super.inForce
  }
}

beforeAll(async () => {
  const [config] = prepare(folder, [2])
  const loaded = await loadPath({ content: [join(folder, 'content')] })
  const sources = [{ id: 'north', log_types: ['Custom.Login'] }]
  makers = new Makers({
    count: 2,
    config: config!,
    onMissed: () => {},
    onWrote: () => Promise.reject(new Error('no table is written')),
    onSlower: () => {},
    onTrouble: (what, message) => what === 'makers' && troubles.push(message),
    start: (...args) => {
      const thread = startMakerThread(...args)
      threads.push(thread)
      const move: typeof thread.rpc.move = (method, argument, list) => {
        const { receivedMs, chunks } = (argument as { batch: { receivedMs: number; chunks: readonly Chunk[] } }).batch
        if (chunks.flatMap(textsOf).some((text) => deadlyRecords.has(text))) void thread.end()
        const left = deadly.get(receivedMs) ?? 0
        deadly.set(receivedMs, left - 1)
        if (left > 0) void thread.end()
        return thread.rpc.move(method, argument, list)
      }
      return { ...thread, rpc: { call: thread.rpc.call.bind(thread.rpc), move } }
    },
  })
  const tables = new LiveTables(loaded)
  const own = await createGeneration(loaded, {
    sources,
    tables,
    parser: { maxRecordBytes: 100_000, maxDepth: 20 },
    memory: new MemoryStore(),
    share: 'in-order',
    detection: { timeoutMs: 1000 },
  })
  const open = (of: LiveTables) =>
    MadeElsewhere.open({
      ...{ makers, loaded, tables: of, own, sources, apart: undefined, before: undefined },
      onOff: () => {},
      observe: () => {},
    })
  made = await open(tables)
  openAnother = () => open(new FailingTables(loaded))
  await Promise.all(own.detectors.map((detector) => detector.close()))
}, 120_000)

afterAll(async () => {
  await makers.stop()
  rmSync(folder, { recursive: true, force: true })
})

function chunkOf(number: number): Chunk {
  const lines = [0, 1, 2].map((i) => JSON.stringify({ at: number * 1000 + i, user: `u${number}`, ok: false, ip: '' }))
  const place = number.toString(16).padStart(16, '0')
  return { bytes: Buffer.from(lines.join('\n')), place, offset: 0, context: '', final: true, faults: [] }
}

function textsOf({ bytes, records }: Chunk): string[] {
  const text = Buffer.from(bytes).toString()
  return records
    ? Array.from({ length: records.length / 2 }, (_, i) => text.slice(records[2 * i], records[2 * i + 1]))
    : text.split('\n')
}

let parsed = 0
const make = (number: number) =>
  made.make(
    { sourceId: 'north', receivedMs: 1_700_000_000_000 + number, chunks: [chunkOf(number)], onParsed: () => parsed++ },
    {},
  )

test('batches of threads that end are rebuilt by others, each reported as parsed once, and the threads are replaced', async () => {
  deadly.set(1_700_000_000_002, 1).set(1_700_000_000_007, 2)
  parsed = 0
  const before = threads.length
  const batches = await Promise.all(Array.from({ length: 12 }, (_, number) => make(number)))
  expect(batches.map(({ stored }) => stored.get('Custom.Login'))).toEqual(Array(12).fill(3))
  const matched = batches.map(({ judged }) => judged.map(({ finding, event }) => [finding.ruleId, event?.p_row_id]))
  const rows = (number: number) => [0, 1, 2].map((i) => batches[number]!.left!.groups[0]!.events[i]!.p_row_id)
  expect(matched).toEqual(
    batches.map((_, number) =>
      // There is no table here, which is an error of the rule that asks for its row.
      rows(number).flatMap((row) => ['Asked', 'Failed', 'Spray'].map((ruleId) => [ruleId, row])),
    ),
  )
  expect(new Set(matched.flat().map(([, row]) => row)).size).toBe(36)
  expect(parsed).toBe(12)
  expect(threads.length - before).toBeGreaterThanOrEqual(3)
  await expect.poll(() => troubles.at(-1), { timeout: 60_000 }).toBeUndefined()
  expect(troubles.find(Boolean)).toContain('its batches are processed again')
}, 120_000)

test('records that end every thread are dead letters, and everything else becomes events', async () => {
  const lines = (number: number) => textsOf(chunkOf(number))
  deadlyRecords.add(lines(50)[1]!).add(lines(51)[0]!).add(lines(51)[2]!)
  parsed = 0
  const batches = await Promise.all([50, 51, 52].map(make))
  expect(batches.map(({ stored }) => stored.get('Custom.Login'))).toEqual([2, 1, 3])
  expect(batches.map(({ received }) => received)).toEqual([3, 3, 3])
  expect(batches.map(({ deadLetters }) => deadLetters.map(({ raw, reason }) => [reason, Buffer.from(raw).toString()]))).toEqual([
    [['internal', lines(50)[1]]],
    [
      ['internal', lines(51)[0]],
      ['internal', lines(51)[2]],
    ],
    [],
  ])
  expect(parsed).toBe(3)
}, 240_000)

test('a batch that ends every thread whatever is in it becomes dead letters, and other batches continue', async () => {
  deadlyRecords.clear()
  for (const text of textsOf(chunkOf(55))) deadlyRecords.add(text)
  const [bad, good] = await Promise.all([make(55), make(56)])
  expect([bad.received, bad.stored.size, bad.deadLetters.length]).toEqual([3, 0, 3])
  expect(good.stored.get('Custom.Login')).toBe(3)
}, 240_000)

test('a thread that is not ready for the next generation leaves batches of the one in force to others', async () => {
  const other = await openAnother()
  failing = 1
  deadly.set(1_700_000_000_060, 1).set(1_700_000_000_061, 1)
  const batches = await Promise.all([60, 61, 62, 63].map(make))
  expect(batches.map(({ stored }) => stored.get('Custom.Login'))).toEqual(Array(4).fill(3))
  expect(failing).toBeLessThan(1)
  await other.close(made)
}, 120_000)

import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { JournalFile } from '../../../../test/support/journal-file.ts'
import type { Cursor, Extent } from '../../../model/batch.ts'
import type { BatchSource } from '../source.ts'
import { exported } from './journal.fixture.ts'

let journal: JournalFile
beforeEach(() => {
  journal = new JournalFile()
})
afterEach(() => journal.end())

interface Read {
  readonly extent: Extent
  readonly messages: readonly string[]
  readonly places: readonly string[]
  readonly faults: readonly string[]
  readonly cursor: Cursor
}

async function next(source: BatchSource): Promise<Extent> {
  let extent: Extent | undefined
  await journal.until(async () => {
    extent = (await source.next()) as Extent | undefined
    return extent !== undefined
  })
  return structuredClone(extent!)
}

async function read(source: BatchSource, extent: Extent): Promise<Read> {
  const chunks = await source.read(extent)
  const records = chunks.filter(({ bytes }) => bytes.length > 0)
  return {
    extent,
    messages: records.map(({ bytes }) => (JSON.parse(Buffer.from(bytes).toString()) as { MESSAGE: string }).MESSAGE),
    places: records.map(({ place }) => place),
    faults: chunks.flatMap(({ faults }) => faults.map(({ reason, message }) => `${reason}: ${message}`)),
    cursor: source.parsed(extent, ''),
  }
}

/** Reads batches until they hold this number of entries. */
async function messages(source: BatchSource, count: number): Promise<Read[]> {
  const all: Read[] = []
  while (all.flatMap(({ messages }) => messages).length < count) all.push(await read(source, await next(source)))
  return all
}

test('an entry arrives as soon as it is written', async () => {
  const source = journal.open([])
  journal.write(['a'])
  expect((await messages(source, 1))[0]!.messages).toEqual(['a'])
  journal.write(['b'])
  expect((await messages(source, 1))[0]!.messages).toEqual(['b'])
})

test('a start from now is kept, so that entries written before the second start are read', async () => {
  const start = { sinceMs: 1_700_000_000_000 }
  const first = journal.open([], { start })
  const { messages: none, cursor } = await read(first, await next(first))
  expect(none).toEqual([])
  await first.close()
  expect(cursor.value).toEqual({ at: start })
  journal.write(['a'])
  const second = journal.open([cursor], { start: { sinceMs: 1_800_000_000_000 } })
  const [batch] = await messages(second, 1)
  expect(batch).toMatchObject({ messages: ['a'], extent: { from: start } })
})

test('batches that were recorded before a crash are read again, and reading goes on behind them', async () => {
  const texts = Array.from({ length: 300 }, (_, n) => `${n} ${'x'.repeat(9000)}`)
  journal.write(texts)
  const first = journal.open([])
  const before = await messages(first, 300)
  expect(before.length).toBeGreaterThan(2)
  expect(before.flatMap(({ messages }) => messages)).toEqual(texts)
  await first.close()
  const second = journal.open([before[0]!.cursor])
  const again = []
  for (const { extent } of before.slice(1)) again.push(await read(second, extent))
  expect(again).toEqual(before.slice(1))
  journal.write(['after'])
  expect((await messages(second, 1))[0]!.messages).toEqual(['after'])
})

test('a batch that is read a second time does not move what is read next', async () => {
  journal.write(['a'])
  const source = journal.open([])
  const [first] = await messages(source, 1)
  journal.write(['b'])
  await messages(source, 1)
  expect(await read(source, first!.extent)).toEqual(first)
  journal.write(['c'])
  expect((await messages(source, 1))[0]!.messages).toEqual(['c'])
})

test('entries of a recorded batch that the journal has deleted meanwhile are one dead letter', async () => {
  journal.write(['a', 'b', 'c', 'd'])
  const first = journal.open([])
  let batch = await read(first, await next(first))
  // The program may have printed some of them first.
  while (batch.messages.at(-1) !== 'd') batch = await read(first, await next(first))
  await first.close()
  const kept = readFileSync(journal.path, 'utf8').split('\n\n').slice(-2).join('\n\n')
  writeFileSync(journal.path, kept)
  const extent = { ...batch.extent, from: { all: true }, count: 4 }
  const { messages: left, faults } = await read(journal.open([]), extent)
  expect(left).toEqual(['d'])
  expect(faults).toEqual([expect.stringMatching(/^truncated: 3 entries were deleted from the journal/)])
})

test('an entry that is too long is a dead letter, and those around it are read', async () => {
  journal.write(['a', 'x'.repeat(10_000), 'b'])
  const all = await messages(journal.open([], { maxRecordBytes: 5000 }), 2)
  expect(all.flatMap(({ messages }) => messages)).toEqual(['a', 'b'])
  expect(all.flatMap(({ faults }) => faults)).toEqual([
    expect.stringMatching(/^too_long: the journal: a record of 100\d\d bytes/),
  ])
})

test('a program that fails is a problem with its words, and is run again', async () => {
  writeFileSync(`${journal.path}.fail`, 'Failed to open journal: Permission denied\n')
  const source = journal.open([])
  await source.next()
  await journal.until(() => source.status().problems!.length > 0)
  expect(source.status().problems).toEqual([
    'the journal cannot be read: it ended with exit code 1: Failed to open journal: Permission denied. It is tried again within 1 s',
  ])
  rmSync(`${journal.path}.fail`)
  journal.write(['a'])
  expect((await messages(source, 1))[0]!.messages).toEqual(['a'])
  expect(source.status().problems).toEqual([])
})

test.each([
  ['what is not in the export format', 'x'.repeat(500), /cannot be read: there is a line that has no =/],
  ['an entry without a cursor', exported([['MESSAGE', 'a']]).toString(), /cannot be read: there is an entry without a cursor/],
])('%s is a problem', async (_, printed, message) => {
  appendFileSync(journal.path, `${printed}\n\n`)
  const source = journal.open([])
  await source.next()
  await journal.until(() => source.status().problems!.length > 0)
  expect(source.status().problems).toEqual([expect.stringMatching(message)])
})

import { expect, test } from 'vitest'
import type { FoundRow } from '../../../model/table-write.ts'
import { defineTable } from '../definition.ts'
import { RowVersions } from './row-versions.ts'
import { writeRows } from './write-rows.ts'
import { defineWritten } from './written-table.ts'

/** A table and a clock in seconds: each step writes and reads keys, and says what is in the table then. */
function table(events: object, more: object = {}) {
  const document = {
    ...{ AnalysisType: 'lookup_table', LookupName: 't', LogTypeMap: { PrimaryKey: 'k' }, ...more },
    Events: { LogTypes: ['A'], Columns: { k: 'k' }, ...events },
  }
  const definition = defineTable(document, { file: 't.yml' })
  const written = defineWritten({ ...definition, events: definition.events! }, undefined, () => true)
  const rows = new RowVersions()
  let number = 0
  let order = 0
  return {
    rows,
    at(seconds: number, keys: readonly string[], reads: readonly string[] = []) {
      const found = keys.map((key): FoundRow => ({ key, spelling: key, text: `{"k":"${key}"}` }))
      const writing = { number: ++number, receivedMs: seconds * 1000, nextOrder: () => ++order }
      const { changes, evicted } = writeRows(written, rows, { table: written.shape.id, rows: found, reads }, writing)
      for (const { key, after } of changes) rows.put(key, after, { number, oldest: number })
      return { keys: [...rows].map(({ key }) => key), evicted, changes }
    },
  }
}

test('a row is created again once it has expired, and its earlier period ended when it did', () => {
  const { at, rows } = table({ TimeoutSeconds: { Create: 10 } })
  at(0, ['a'])
  at(9, ['a'])
  expect(rows.get('a')).toMatchObject({ createdMs: 0, writtenMs: 9000, version: 1 })
  const { changes } = at(15, ['a'])
  expect(changes).toMatchObject([
    { atMs: 10_000, before: { version: 1 }, after: { version: 3, createdMs: 15_000, sinceMs: 15_000 } },
  ])
})

test('a write time-out counts from the last write, a read time-out also from the last read', () => {
  const write = table({ TimeoutSeconds: { Write: 10 } })
  write.at(0, ['a'])
  write.at(8, ['a'])
  expect(write.at(17, ['a']).changes).toMatchObject([{ after: { createdMs: 0 } }])
  const read = table({ TimeoutSeconds: { Read: 10 } })
  read.at(0, ['a', 'b'])
  expect(read.at(8, [], ['a', 'c']).changes).toMatchObject([{ key: 'a', after: { readMs: 8000, writtenMs: 0 } }])
  expect(read.at(15, [], ['a', 'b']).changes).toMatchObject([{ key: 'a', after: { readMs: 15_000 } }])
})

test('a batch that was received earlier than one before it takes nothing back', () => {
  const { at, rows } = table({ TimeoutSeconds: { Read: 10 } })
  at(20, ['a'])
  expect(at(5, [], ['a']).changes).toEqual([])
  expect(rows.get('a')).toMatchObject({ readMs: 20_000 })
})

test('beyond the limit the rows written longest ago are removed, and reading one does not save it', () => {
  const { at } = table({ MaxRows: 3, TimeoutSeconds: { Read: 100 } })
  at(0, ['a', 'b', 'c'])
  at(1, ['a'], ['b'])
  expect(at(2, ['d', 'e'])).toMatchObject({ keys: ['a', 'd', 'e'], evicted: 2 })
  expect(at(3, ['f', 'g', 'h', 'i'])).toMatchObject({ keys: ['g', 'h', 'i'], evicted: 4 })
})

test('rows that have expired make room first if they are the oldest, which is not reported', () => {
  const { at } = table({ MaxRows: 2, TimeoutSeconds: { Write: 10 } })
  at(0, ['a'])
  at(5, ['b'])
  expect(at(12, ['c'])).toMatchObject({ keys: ['b', 'c'], evicted: 0 })
})

test('rows that have expired are removed with every 64th write', () => {
  const { at } = table({ TimeoutSeconds: { Write: 10 } })
  for (let i = 1; i < 64; i++) at(i, [`k${i}`])
  expect(at(64, ['last']).keys).toEqual(['k55', 'k56', 'k57', 'k58', 'k59', 'k60', 'k61', 'k62', 'k63', 'last'])
})

test('earlier states of a row stay as long as a batch may see them', () => {
  const rows = new RowVersions()
  const row = (order: number) => ({
    key: 'a',
    spelling: 'a',
    text: String(order),
    version: order,
    sinceMs: 0,
    createdMs: 0,
    writtenMs: 0,
    readMs: 0,
    order,
  })
  rows.put('a', row(1), { number: 1, oldest: 0 })
  rows.put('a', row(2), { number: 2, oldest: 0 })
  rows.put('a', undefined, { number: 3, oldest: 0 })
  rows.put('a', row(4), { number: 4, oldest: 1 })
  expect([0, 1, 2, 3, 4].map((number) => rows.get('a', number)?.version)).toEqual([undefined, 1, 2, undefined, 4])
  rows.put('a', undefined, { number: 5, oldest: 4 })
  expect([4, 5].map((number) => rows.get('a', number)?.version)).toEqual([4, undefined])
  rows.put('b', { ...row(6), key: 'b' }, { number: 6, oldest: 6 })
  expect(rows.keys).toEqual(['b'])
})

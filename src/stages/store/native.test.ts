import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { TableSpec } from '../../model/column.ts'
import { blocksFor } from './insert.fixture.ts'
import { NativeRows } from './native.ts'

const table: TableSpec = {
  database: 'logs',
  table: 't',
  timeColumn: 'a',
  columns: [
    { name: 'a', kind: 'smallint', required: true },
    { name: 'odd `name', kind: 'string' },
    { name: 'c', kind: 'strings' },
  ],
}
const rows = [
  [1, 'x', ['p']],
  [2, null, []],
  [3, 'z', ['q', 'r']],
] as const
const text = (value: string) => [value.length, ...Buffer.from(value)]
const u64 = (value: number) => [value, 0, 0, 0, 0, 0, 0, 0]
/** Rows 2 and 3 in the engine's documented format. */
const LAST_TWO = [
  3,
  2,
  ...text('c0'),
  ...text('Int16'),
  ...[2, 0, 3, 0],
  ...text('c1'),
  ...text('Nullable(String)'),
  ...[1, 0, 0, ...text('z')],
  ...text('c2'),
  ...text('Array(String)'),
  ...[...u64(0), ...u64(2), ...text('q'), ...text('r')],
]

test('any blocks become one block of the engine, whole or in part', () => {
  const asOne = new NativeRows(table, blocksFor(table, rows))
  const asMany = new NativeRows(
    table,
    rows.flatMap((row) => blocksFor(table, [row])),
  )
  expect([asOne.count, asMany.count]).toEqual([3, 3])
  expect([...asOne.bytes(1, 3)]).toEqual(LAST_TWO)
  for (const [from, to] of [
    [0, 3],
    [0, 1],
    [1, 2],
    [2, 3],
    [1, 3],
  ] as const)
    expect([...asMany.bytes(from, to)]).toEqual([...asOne.bytes(from, to)])
})

test('damaged rows and those of another table are refused', () => {
  const [block] = blocksFor(table, rows)
  expect(() => new NativeRows(table, [block!.subarray(0, block!.length - 1)])).toThrow('damaged')
  expect(() => new NativeRows(table, [Buffer.from('[1]')])).toThrow('damaged')
  expect(() => new NativeRows({ ...table, columns: table.columns.slice(1) }, [block!])).toThrow('have 3 columns, their table 2')
})

const wide: TableSpec = {
  database: 'logs',
  table: 'w',
  timeColumn: 'n',
  columns: [
    { name: 'n', kind: 'int', required: true },
    { name: 'text', kind: 'string' },
    { name: 'other', kind: 'string' },
  ],
}

test('a long text that is the same in every row, stored once in a block, is never expanded for all rows at a time', () => {
  const text = 'x'.repeat(100_000)
  const blocks = blocksFor(
    wide,
    Array.from({ length: 2000 }, (_, i) => [i, text, null]),
  )
  expect(blocks.reduce((sum, { length }) => sum + length, 0)).toBeLessThan(1_000_000)
  const made = new NativeRows(wide, blocks)
  const sizes = made.ranges().map(([from, to]) => made.bytes(from, to).length)
  expect(sizes.length).toBe(3)
  expect(Math.max(...sizes)).toBeLessThan(65 * 1024 * 1024)
})

test('ranges cover all rows in order, each within the limits or a single row, and are always the same', () => {
  const row = fc.tuple(fc.nat(9), fc.constantFrom('', 'x', 'x'.repeat(50)), fc.constantFrom(null, 'y'.repeat(20)))
  const block = fc.oneof(
    fc.array(row, { minLength: 1, maxLength: 12 }),
    fc.tuple(row, fc.nat(12)).map(([one, n]) => Array(n + 1).fill(one)),
  )
  const limits = fc.tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 400 }))
  fc.assert(
    fc.property(fc.array(block, { maxLength: 5 }), limits, (lists, [maxRows, maxBytes]) => {
      const blocks = lists.flatMap((list) => blocksFor(wide, list))
      const made = new NativeRows(wide, blocks)
      const ranges = made.ranges(maxRows, maxBytes)
      expect(ranges).toEqual(new NativeRows(wide, blocks).ranges(maxRows, maxBytes))
      expect(ranges.flatMap(([from, to]) => Array.from({ length: to - from }, (_, i) => from + i))).toEqual([
        ...Array(made.count).keys(),
      ])
      // Values that differ within a block count as a whole, and the format's head contains its names and types.
      const slack = 12 * 80 + 200
      for (const [from, to] of ranges) {
        expect(to - from).toBeLessThanOrEqual(maxRows)
        if (to - from > 1) expect(made.bytes(from, to).length).toBeLessThanOrEqual(maxBytes + slack)
      }
    }),
    { seed: 25, numRuns: 300 },
  )
})

test('a large insert of small rows is split by their number', () => {
  const blocks = blocksFor(
    wide,
    Array.from({ length: 420_001 }, (_, i) => [i, 'x', null]),
  )
  expect(new NativeRows(wide, blocks).ranges()).toEqual([
    [0, 200_000],
    [200_000, 400_000],
    [400_000, 420_001],
  ])
})

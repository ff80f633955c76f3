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
/** Rows 2 and 3 as the engine documents its format. */
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

test('rows of any blocks are one block of the engine, whole or in part', () => {
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

test('damaged rows, and those of another table, are no rows', () => {
  const [block] = blocksFor(table, rows)
  expect(() => new NativeRows(table, [block!.subarray(0, block!.length - 1)])).toThrow('damaged')
  expect(() => new NativeRows(table, [Buffer.from('[1]')])).toThrow('damaged')
  expect(() => new NativeRows({ ...table, columns: table.columns.slice(1) }, [block!])).toThrow('have 3 columns, their table 2')
})

import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Column, ColumnKind } from '../../model/column.ts'
import { blocksOf, columnBlocks, fittingBlocks, valueEncoder } from './encode.ts'
import { readBlock } from './read.ts'
import { MAX_BLOCK_BYTES, UnfitRows } from './writer.ts'

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }).map((value) => value.toWellFormed()),
  fc.constantFrom(
    '',
    'x'.repeat(47),
    'x'.repeat(48),
    'é'.repeat(100),
    '😀'.repeat(50),
    'x'.repeat(127),
    'x'.repeat(128),
    'é'.repeat(9000),
  ),
)
const YEAR_MS = 31_556_952_000
const time = fc
  .tuple(fc.integer({ min: -290 * YEAR_MS, max: 290 * YEAR_MS }), fc.stringMatching(/^[0-9]{0,8}[1-9]$/))
  .map(([ms, fraction]) => `${new Date(ms).toISOString().slice(0, 19)}.${fraction}Z`)
const values: Record<ColumnKind, fc.Arbitrary<unknown>> = {
  string: text,
  json: fc.json(),
  int: fc.oneof(fc.integer(), fc.constantFrom(2 ** 31 - 1, -(2 ** 31))),
  smallint: fc.integer({ min: -32_768, max: 32_767 }),
  bigint: fc.oneof(fc.maxSafeInteger(), fc.constantFrom(-(2n ** 63n), 2n ** 63n - 1n, -(2n ** 53n) - 1n, 0, -1)),
  ubigint: fc.oneof(fc.maxSafeNat(), fc.constantFrom(2n ** 64n - 1n, 2n ** 53n + 1n)),
  float: fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constantFrom(0, -0, 5e-324)),
  boolean: fc.boolean(),
  timestamp: fc.oneof(
    time,
    fc.constantFrom(
      '1970-01-01T00:00:00Z',
      '1969-12-31T23:59:59.999999999Z',
      '1677-09-22T00:00:00Z',
      '2262-04-11T23:47:16.854775807Z',
    ),
  ),
  strings: fc.array(text, { maxLength: 3 }),
}
const kinds = Object.keys(values) as ColumnKind[]

test('rows written to a block are read back unchanged', () => {
  const column = fc.record({ kind: fc.constantFrom(...kinds), required: fc.boolean() })
  const table = fc
    .array(column, { minLength: 1, maxLength: 6 })
    .map((list) => list.map((one, i): Column => ({ name: `c${i}`, ...one })))
  const rows = table.chain((columns) => {
    const row = fc.tuple(
      ...columns.map(({ kind, required }) =>
        required || kind === 'strings' ? values[kind] : fc.oneof({ weight: 3, arbitrary: values[kind] }, fc.constant(null)),
      ),
    )
    // Columns with a single value, or whose values rarely change, have special encodings.
    const list = fc.oneof(
      fc.array(row, { minLength: 1, maxLength: 20 }),
      row.map((one) => [one, one, one]),
    )
    return fc.tuple(fc.constant(columns), list)
  })
  fc.assert(
    fc.property(rows, ([columns, list]) => {
      const blocks = blocksOf(list, valueEncoder(columns))
      expect(blocks.flatMap((block) => readBlock(columns, block.rows))).toEqual(list)
      for (const rows of [0, 1, 2]) expect(readBlock(columns, blocks[0]!.rows, rows)).toEqual(list.slice(0, rows))
    }),
    { seed: 4848, numRuns: 500 },
  )
})

test('columns become the same blocks as their rows, also when there are too many for one block', () => {
  const columns: Column[] = [
    { name: 'a', kind: 'string' },
    { name: 'b', kind: 'int', required: true },
  ]
  for (const count of [0, 1, 3, 10_000, 25_000]) {
    const rows = Array.from({ length: count }, (_, i) => [i % 7 === 0 ? null : `v${i}`, i])
    const values = columns.map((_, at) => rows.map((row) => row[at]))
    expect(columnBlocks(columns, values, count)).toEqual(blocksOf(rows, valueEncoder(columns)))
  }
})

test.each([
  ['int', 2 ** 31],
  ['int', 1.5],
  ['int', '1'],
  ['smallint', 32_768],
  ['bigint', 2n ** 63n],
  ['bigint', 2 ** 53],
  ['ubigint', -1],
  ['ubigint', 2n ** 64n],
  ['float', Number.NaN],
  ['float', Number.POSITIVE_INFINITY],
  ['boolean', 1],
  ['string', '\ud800'],
  ['string', `${'x'.repeat(60)}\udfff`],
  ['string', 5],
  ['json', { a: 1 }],
  ['strings', 'x'],
  ['strings', [5]],
  ['strings', ['\ud800']],
  ['timestamp', 'yesterday'],
  ['timestamp', '2024-02-30T00:00:00Z'],
  ['timestamp', '2024-01-01T24:00:00Z'],
  ['timestamp', '2024-01-01T00:00:00'],
  ['timestamp', '2024-01-01T00:00:00.1234567891Z'],
  ['timestamp', '1677-09-20T00:00:00Z'],
  ['timestamp', '2262-04-11T23:47:16.854775808Z'],
] as const)('a column of kind %s does not take %s, and the row beside it is kept', (kind, value) => {
  const column = { name: 'c', kind }
  const good = fc.sample(values[kind], 1)[0]
  const { blocks, unfit } = fittingBlocks([column], [[good], [value], [value]])
  expect(unfit.map(({ row }) => row)).toEqual([[value], [value]])
  expect(unfit[0]!.message).toContain(`column 'c' of kind ${kind} cannot hold`)
  expect(blocks.flatMap((block) => readBlock([column], block.rows))).toEqual([[good]])
  expect(() => blocksOf([[value]], valueEncoder([column]))).toThrow(UnfitRows)
})

test('a required column refuses a row without a value', () => {
  const column = { name: 'c', kind: 'string', required: true } as const
  expect(fittingBlocks([column], [['x'], [null], ['y']]).unfit.map(({ message }) => message)).toEqual([
    "column 'c' needs a value",
  ])
  expect(fittingBlocks([column], [[null]]).unfit.length).toBe(1)
})

test('many rows or large rows are split into several blocks, in order', () => {
  const column = { name: 'c', kind: 'string' } as const
  const rows = Array.from({ length: 30 }, (_, i) => [`${i} ${'x'.repeat(1_000_000)}`])
  const blocks = blocksOf(rows, valueEncoder([column]))
  expect(blocks.length).toBeGreaterThan(3)
  expect(Math.max(...blocks.map((block) => block.rows.length))).toBeLessThan(2 * MAX_BLOCK_BYTES)
  expect(blocks.flatMap((block) => readBlock([column], block.rows))).toEqual(rows)
  const many = Array.from({ length: 25_000 }, (_, i) => [`${i}`])
  expect(blocksOf(many, valueEncoder([column])).map(({ count }) => count)).toEqual([10_000, 10_000, 5000])
})

test('rows that do not fit are reported by index across all blocks, and no row is encoded twice', () => {
  const column = { name: 'c', kind: 'string' } as const
  const bad = new Set([0, 9999, 10_000, 24_999])
  const rows = Array.from({ length: 25_000 }, (_, i) =>
    bad.has(i) ? [i] : [`${i} ${i % 1000 === 0 ? 'x'.repeat(1_000_000) : ''}`],
  )
  const error = thrown(() => blocksOf(rows, valueEncoder([column])))
  expect([...(error as UnfitRows).rows.keys()].sort((a, b) => a - b)).toEqual([...bad])
  const { blocks, unfit } = fittingBlocks([column], rows)
  expect(unfit.map(({ row }) => row)).toEqual([...bad].map((i) => [i]))
  expect(blocks.flatMap((block) => readBlock([column], block.rows))).toEqual(rows.filter((_, i) => !bad.has(i)))
})

function thrown(call: () => unknown): unknown {
  try {
    call()
  } catch (error) {
    return error
  }
  return undefined
}

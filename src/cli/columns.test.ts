import fc from 'fast-check'
import { expect, test } from 'vitest'
import { columns } from './columns.ts'

test('columns of numbers are right-aligned, others left-aligned', () => {
  const rows = [
    [{ text: 'a' }, { text: '1,174', isNumber: true }],
    [{ text: 'long name' }, { text: '4', isNumber: true }],
  ]
  expect(columns(['TABLE', 'ROWS'], rows, 80)).toEqual(['TABLE       ROWS', 'a          1,174', 'long name      4'])
})

test('the widest cells are truncated to fit the terminal', () => {
  expect(columns(['A', 'B'], [[{ text: 'x'.repeat(50) }, { text: 'short' }]], 30)).toEqual([
    `A${' '.repeat(24)}B`,
    `${'x'.repeat(22)}…  short`,
  ])
})

test('no line is wider than the terminal while columns can still shrink, and none breaks', () => {
  const cell = fc.string({ unit: 'binary', maxLength: 60 }).map((text) => ({ text }))
  const table = fc
    .integer({ min: 1, max: 6 })
    .chain((n) => fc.array(fc.array(cell, { minLength: n, maxLength: n }), { minLength: 1, maxLength: 6 }))
  fc.assert(
    fc.property(table, fc.integer({ min: 70, max: 120 }), (rows, width) => {
      for (const line of columns(
        rows[0]!.map((_, i) => `C${i}`),
        rows,
        width,
      )) {
        expect([...line].length).toBeLessThanOrEqual(width)
        expect(line).not.toMatch(/[\p{Cc}\u2028\u2029]/u)
      }
    }),
    { seed: 4848, numRuns: 300 },
  )
})

import { expect, test } from 'vitest'
import { loadingItem, markedCall } from './protocol.ts'

// (event * rules + rule) * 16 + 1 + function, as in `_caracal/limits.py`.
const MARKS = [
  [0, 3, undefined, undefined],
  [1, 3, { event: 0, rule: 0 }, undefined],
  [(2 * 3 + 1) * 16 + 1, 3, { event: 2, rule: 1 }, undefined],
  [(2 * 3 + 1) * 16 + 9, 3, { event: 2, rule: 1 }, undefined],
  [(511 * 3000 + 2999) * 16 + 9, 3000, { event: 511, rule: 2999 }, undefined],
  [0xf0000000, 3, undefined, 0],
  [0xf0000007, 3, undefined, 7],
] as const

test.each(MARKS)('mark %i among %i rules', (mark, rules, call, loading) => {
  expect(markedCall(mark, rules)).toEqual(call)
  expect(loadingItem(mark)).toBe(loading)
})

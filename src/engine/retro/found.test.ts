import { expect, test } from 'vitest'
import { FOUND_LIMITS, foundOf } from './found.ts'

const seen = (value: string, count: number, logType: string, ...spans: [number, number][]) => ({ value, count, logType, spans })

test('spans are by log type, in the order of time', () => {
  const found = foundOf([seen('b', 2, 'X', [50, 60], [10, 11]), seen('a', 1, 'X', [20, 20]), seen('a', 1, 'Y', [5, 5])], () => 7)
  expect(found.spans).toEqual({
    X: [
      ['b', 10, 11, 7],
      ['a', 20, 20, 7],
      ['b', 50, 60, 7],
    ],
    Y: [['a', 5, 5, 7]],
  })
  expect(found.left).toEqual([])
})

test('values in few events come first, and those beyond the limit are named, the most frequent first', () => {
  const all = [
    seen('often', 900, 'X', [1, 2]),
    seen('always', 5000, 'X', [1, 2]),
    seen('rare', 3, 'X', [3, 3]),
    seen('some', 90, 'Y', [4, 4]),
  ]
  const found = foundOf(all, () => 7, { ...FOUND_LIMITS, events: 100 })
  expect(Object.values(found.spans).flatMap((spans) => spans.map(([value]) => value))).toEqual(['rare', 'some'])
  expect(found.left).toEqual([
    { value: 'always', events: 5000 },
    { value: 'often', events: 900 },
  ])
})

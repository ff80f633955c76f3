import { expect, test } from 'vitest'
import { PenaltyBox } from './penalty-box.ts'

const MINUTE = 60_000

test('the third strike leads to a penalty of a minute, then the rule runs again', () => {
  const box = new PenaltyBox()
  expect([1, 2, 3].map(() => box.strike('r', 'crash', 'it died', 0))).toEqual([false, false, true])
  expect(box.penalty('r', MINUTE - 1)).toMatchObject({ cause: 'crash', message: 'suspended for 60 s, then retried: it died' })
  expect(box.penalty('other', 0)).toBeUndefined()
  expect(box.penalty('r', MINUTE)).toBeUndefined()
  expect(box.strike('r', 'crash', 'it died', MINUTE)).toBe(false)
})

test('each further penalty is twice as long, up to an hour', () => {
  const box = new PenaltyBox()
  const lengths = Array.from({ length: 9 }, () => {
    box.strike('r', 'timeout', 'slow', 0, 3)
    return box.penalty('r', 0)!.untilMs / MINUTE
  })
  expect(lengths).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60])
})

test('a successful batch clears the strikes so far', () => {
  const box = new PenaltyBox()
  box.strike('r', 'timeout', 'slow', 0, 2)
  box.clear('r')
  expect(box.strike('r', 'timeout', 'slow', 0, 2)).toBe(false)
})

import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { JsonValue } from '../json.ts'
import { hashKey, isEqual, order } from './values.ts'

const seed = 4848
const scalar = fc.oneof(
  fc.constantFrom<JsonValue>(0, -0, 1, true, false, null, '', '1', 2 ** 53, 2n ** 53n, 2n ** 53n + 1n, 1e300, BigInt(1e300), 0.5),
  fc.integer({ min: -2, max: 2 }),
  fc.bigInt({ min: 2n ** 53n - 2n, max: 2n ** 53n + 2n }),
)

test('two scalars have the same hash key exactly when they are equal', () => {
  fc.assert(
    fc.property(scalar, scalar, (a, b) => {
      expect(Object.is(new Map([[hashKey(a), 1]]).get(hashKey(b)) ?? 0, 1)).toBe(isEqual(a, b))
    }),
    { seed, numRuns: 3000 },
  )
})

test('a list or object has no hash key', () => {
  expect([hashKey([]), hashKey({})]).toEqual([undefined, undefined])
})

test('texts are ordered by code point', () => {
  const byCodePoint = (a: string, b: string) => Buffer.compare(Buffer.from(a, 'utf8'), Buffer.from(b, 'utf8'))
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('a', 'b', 'é', '\ufffd', '😀', '\ue000') }),
      fc.string({ unit: 'grapheme' }),
      (a, b) => {
        expect(Math.sign(order(a, b)!)).toBe(byCodePoint(a, b))
      },
    ),
    { seed, numRuns: 1000 },
  )
})

test.each<[JsonValue, JsonValue, boolean]>([
  [{ a: 1, b: [true] }, { b: [1], a: 1 }, true],
  [{ a: undefined }, {}, true],
  [{ a: null }, {}, false],
  [{ a: 1 }, { A: 1 }, false],
  [[1], { 0: 1 }, false],
  [[], [], true],
  [null, 0, false],
  [null, false, false],
])('%j equals %j: %s', (a, b, expected) => {
  expect([isEqual(a, b), isEqual(b, a)]).toEqual([expected, expected])
})

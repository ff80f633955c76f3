import { expect, test } from 'vitest'
import { bearerOf, sameSecret } from './bearer.ts'

test.each([
  ['Bearer abc', 'abc'],
  ['bearer  abc', 'abc'],
  ['Bearer a b', undefined],
  ['Bearer ', undefined],
  ['Basic abc', undefined],
  ['', undefined],
  [null, undefined],
  [undefined, undefined],
])('%j carries the token %j', (header, token) => {
  expect(bearerOf(header)).toBe(token)
})

test.each([
  ['abc', 'abc', true],
  ['abd', 'abc', false],
  ['ab', 'abc', false],
  [undefined, 'abc', false],
])('%j is the secret %j: %j', (given, expected, isSame) => {
  expect(sameSecret(given, expected)).toBe(isSame)
})

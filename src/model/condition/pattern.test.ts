import fc from 'fast-check'
import { expect, test } from 'vitest'
import { patternTest } from './pattern.ts'

test.each<[pattern: string, text: string, fits: boolean]>([
  ['a', 'a', true],
  ['a', 'ab', false],
  ['a', 'A', false],
  ['*', '', true],
  ['*', 'any\nthing', true],
  ['', '', true],
  ['', 'a', false],
  ['**', 'a', true],
  ['a*', 'a', true],
  ['*a', 'ba', true],
  ['*a', 'ab', false],
  ['ab*ba', 'aba', false],
  ['ab*ba', 'abba', true],
  ['a*b*c', 'a-b-c', true],
  ['a*b*c', 'a-c-b', false],
  ['*ab*ab*', 'ab', false],
  ['arn:aws:s3:::test-*', 'arn:aws:s3:::test-1', true],
  ['arn:aws:s3:::test-*', 'arn:aws:s3:::prod-test-1', false],
  ['.+(a)?[b]', 'xab', false],
  ['.+(a)?[b]', '.+(a)?[b]', true],
])('%j on %j: %j', (pattern, text, fits) => {
  expect(patternTest([pattern])(text)).toBe(fits)
  expect(patternTest(['different text', pattern])(text)).toBe(fits)
})

/** Tries every position for every star. */
function slowly(pattern: string, text: string): boolean {
  if (pattern === '') return text === ''
  if (pattern[0] !== '*') return pattern[0] === text[0] && text !== '' && slowly(pattern.slice(1), text.slice(1))
  return Array.from({ length: text.length + 1 }, (_, at) => text.slice(at)).some((rest) => slowly(pattern.slice(1), rest))
}

test('agrees with trying every position', () => {
  const letters = (all: string) => fc.string({ unit: fc.constantFrom(...all), maxLength: 8 })
  fc.assert(
    fc.property(letters('ab*'), letters('ab'), (pattern, text) => {
      expect(patternTest([pattern])(text)).toBe(slowly(pattern, text))
    }),
  )
})

test('an empty list of patterns matches nothing', () => {
  expect(patternTest([])('')).toBe(false)
})

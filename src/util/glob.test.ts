import fc from 'fast-check'
import { expect, test } from 'vitest'
import { glob } from './glob.ts'

test.each([
  ['Tor.*', 'tor.SSH.Login', true],
  ['Tor.*', 'Other.Tor.', false],
  ['*login*', 'SSH Login from x', true],
  ['a*b*c', 'a-b-b-c', true],
  ['a*a', 'a', false],
  ['ab*ba', 'aba', false],
  ['a**c', 'ac', true],
  ['', '', true],
  ['*', '', true],
  ['a\\*c', 'a*c', true],
  ['a\\*c', 'abc', false],
  ['a\\', 'a\\', true],
])('the pattern %j and the text %j: %s', (pattern, text, expected) => {
  expect(glob(pattern)(text)).toBe(expected)
})

const texts = fc.string({ unit: fc.constantFrom('a', 'b', 'B', '*', '\\', '.'), maxLength: 12 })

test('patterns match as regular expressions with `.*` would', () => {
  fc.assert(
    fc.property(texts, texts, (pattern, text) => {
      const source = [...pattern.matchAll(/\\(.)|(.)/gs)]
        .map(([, plain, other]) => (plain === undefined && other === '*' ? '.*' : (plain ?? other!).replace(/[\\.*]/g, '\\$&')))
        .join('')
      expect(glob(pattern)(text)).toBe(new RegExp(`^${source}$`, 'is').test(text))
    }),
    { numRuns: 2000 },
  )
})

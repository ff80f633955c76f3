import { expect, test } from 'vitest'
import { wordPattern } from './word-pattern.ts'

test.each([
  ['ana', 'user=ana;', true],
  ['ana', 'ANA', true],
  ['ana', 'banana', false],
  ['ana', 'ana_b', false],
  ['192.0.2.1', '192.0.2.10', false],
  ['192.0.2.1', 'from 192.0.2.1:443', true],
  ['192.0.2.1', '192a0b2c1', false],
  ['ana@example.com', '{"text":"hello\\nana@example.com"}', true],
  ['ana@example.com', '{"text":"\\u0009ana@example.com"}', true],
  ['ana@example.com', 'joana@example.com', false],
  ['O"Brien', JSON.stringify({ name: 'O"Brien' }), true],
  [String.raw`CORP\ana`, JSON.stringify({ user: String.raw`CORP\ana` }), true],
  [String.raw`CORP\ana`, JSON.stringify({ text: JSON.stringify({ user: String.raw`CORP\ana` }) }), true],
  ['O"Brien', JSON.stringify([JSON.stringify(['O"Brien'])]), true],
  ['a/b', '"a\\/b"', true],
  ['josé', 'JOSÉ', true],
  ['josé', String.raw`{"user":"jos\u00e9"}`, true],
  ['José', String.raw`{"user":"JOS\u00C9"}`, true],
  ['José', String.raw`{"user":"jos\u00e8"}`, false],
])('%j in %j: %s', (value, text, isFound) => {
  expect(wordPattern(value).test(text)).toBe(isFound)
  expect(wordPattern(value).replace(text, '-') !== text).toBe(isFound)
})

test('every occurrence is replaced, and a replacement is plain text', () => {
  expect(wordPattern('ana').replace('ana,ana;Ana', '$&')).toBe('$&,$&;$&')
})

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { keyValue } from './key-value.ts'

test.each<[string, string, object | undefined]>([
  ['spaces and tabs between pairs', 'a=1 \t b=2 ', { a: '1', b: '2' }],
  ['commas and semicolons between pairs', 'a=1, b="x", c=3;', { a: '1', b: 'x', c: '3;' }],
  ['a comma within a value', 'a=1,2 b=3', { a: '1,2', b: '3' }],
  ['escapes that are not of the quote', 'path="C:\\dir\\x"', { path: 'C:\\dir\\x' }],
  ['a quote that is never closed', 'a="x y', { a: '"x', y: true }],
  ['a key that occurs twice', 'a=1 a=2', { a: ['1', '2'] }],
  ['dotted keys', 'http.status=200', { 'http.status': '200' }],
  ['a text', 'something a=1', undefined],
  ['JSON', '{"a":"b=c"}', undefined],
])('%s', (_, text, expected) => expect(keyValue.parse(text)).toEqual(expected))

test('what logfmt writes is read back', () => {
  const key = fc.stringMatching(/^[a-z][a-z0-9_.]{0,8}$/)
  fc.assert(
    fc.property(fc.dictionary(key, fc.string(), { minKeys: 1, noNullPrototype: true }), (record) => {
      const text = Object.entries(record)
        .map(([name, value]) => `${name}="${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`)
        .join(' ')
      expect(keyValue.parse(text)).toEqual(record)
    }),
    { seed: 3 },
  )
})

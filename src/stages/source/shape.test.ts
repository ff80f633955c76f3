import fc from 'fast-check'
import { expect, test } from 'vitest'
import { splitJsonArray } from '../../util/json.ts'
import { shapeOf } from './shape.ts'

test.each([
  ['an empty array', ' [ \n] ', { isWholeArray: true, records: 0 }],
  ['an array of two', '[{"a":[1,2]},"],["]', { isWholeArray: true, records: 2 }],
  ['an array with something behind it', '[1] 2', { isWholeArray: false, records: 1 }],
  ['an array that is cut', '[1,\n2', { isWholeArray: false, records: 2 }],
  ['a string that does not end', '["a]', { isWholeArray: false, records: 1 }],
  ['lines', 'a\nb\n', { isWholeArray: false, records: 2 }],
  ['lines without the last newline', 'a\nb', { isWholeArray: false, records: 2 }],
])('%s', (_, text, shape) => {
  expect(shapeOf(Buffer.from(text))).toEqual(shape)
})

test('arrays are split exactly as the parser splits them', () => {
  const piece = fc.constantFrom('[', ']', '{', '}', ',', '"', '\\', ' ', '\n', '1', 'a', '\u00e9')
  const text = fc.oneof(
    fc.array(piece, { maxLength: 25 }).map((list) => `[${list.join('')}`),
    fc.json().map((json) => `[${json}]`),
  )
  fc.assert(
    fc.property(text, (source) => {
      const bytes = Buffer.from(source)
      const { whole, elements } = splitJsonArray(bytes.toString('latin1'))
      const shape = shapeOf(bytes)
      expect(shape.isWholeArray).toBe(whole)
      if (whole) expect(shape.records).toBe(elements.length)
    }),
    { numRuns: 2000, seed: 9 },
  )
})

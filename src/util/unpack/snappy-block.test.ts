import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fuzzRuns } from '../../../test/support/fuzz.ts'
import { BrokenPacking } from './byte-input.ts'
import { BlockTooLarge, snappyBlock } from './snappy-block.ts'

/** A block of these elements, whose content has `size` bytes. */
function block(size: number, ...elements: readonly (readonly number[])[]): Uint8Array {
  const head: number[] = []
  for (let left = size; ; left = Math.floor(left / 128)) {
    head.push(left < 128 ? left : (left % 128) + 128)
    if (left < 128) break
  }
  return Uint8Array.from([...head, ...elements.flat()])
}
const literal = (text: string) => [(text.length - 1) << 2, ...Buffer.from(text)]

describe('a block', () => {
  test.each<[string, Uint8Array, string]>([
    ['of nothing', block(0), ''],
    ['of a literal', block(5, literal('hello')), 'hello'],
    ['of a literal with its length in one byte', block(100, [60 << 2, 99, ...Buffer.alloc(100, 'x')]), 'x'.repeat(100)],
    ['of a literal with its length in four bytes', block(3, [63 << 2, 2, 0, 0, 0, ...Buffer.from('abc')]), 'abc'],
    ['with a copy of one byte behind its tag', block(8, literal('abcd'), [1, 4]), 'abcdabcd'],
    ['with a copy of two bytes behind its tag', block(7, literal('abcd'), [(2 << 2) | 2, 3, 0]), 'abcdbcd'],
    ['with a copy of four bytes behind its tag', block(6, literal('abcd'), [(1 << 2) | 3, 4, 0, 0, 0]), 'abcdab'],
    ['with a copy of what it writes itself', block(9, literal('a'), [(7 << 2) | 2, 1, 0]), 'aaaaaaaaa'],
  ])('%s', (_, bytes, text) => {
    expect(snappyBlock(bytes, 1000).toString()).toBe(text)
  })

  test.each<[string, Uint8Array]>([
    ['without a length', Uint8Array.of(0xff, 0xff)],
    ['whose literal has a length that is negative as a signed number', block(10, [63 << 2, 0xfa, 0xff, 0xff, 0xff, 0, 0])],
    ['whose literal is cut', block(5, literal('hello').slice(0, 4))],
    ['whose literal is longer than the content', block(4, literal('hello'))],
    ['whose tag is cut', block(8, literal('abcd'), [1])],
    ['with a copy of what comes before it', block(8, literal('abcd'), [1, 5])],
    ['with a copy from nowhere', block(8, literal('abcd'), [1, 0])],
    ['with a copy that is longer than the content', block(7, literal('abcd'), [1, 4])],
    ['with less than it promises', block(9, literal('abcd'), [1, 4])],
  ])('%s is damaged', (_, bytes) => {
    expect(() => snappyBlock(bytes, 1000)).toThrow(BrokenPacking)
  })

  test('with more than it may have is refused before memory is taken for it', () => {
    expect(() => snappyBlock(block(2 ** 32, literal('a')), 1000)).toThrow(BlockTooLarge)
  })

  test('of any bytes ends', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          snappyBlock(bytes, 10_000)
        } catch (error) {
          expect(error).toBeInstanceOf(BrokenPacking)
        }
      }),
      { numRuns: fuzzRuns(), seed: 3 },
    )
  })
})

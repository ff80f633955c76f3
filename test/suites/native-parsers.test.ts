import { describe, expect, test } from 'vitest'
import type { NativeParser } from '../../src/stages/parse/native/native.ts'
import { failedBy, testSuite } from './behaviours.ts'
import { nativeParserSuite } from './native-parsers.ts'

testSuite(nativeParserSuite)

/** `key value`, a letter and a number. */
const pair: NativeParser = {
  type: 'pair',
  summary: 'A letter and a number.',
  example: {
    texts: ['a 1', 'b 2'],
    records: [
      { letter: 'a', number: '1' },
      { letter: 'b', number: '2' },
    ],
  },
  parse: (text) => (/^[a-z] \d$/.test(text) ? { letter: text[0]!, number: text[2]! } : undefined),
}

test('the suite passes a parser that does what it says', async () => {
  expect(await failedBy(nativeParserSuite.behaviours, () => pair)).toEqual([])
})

describe('the suite fails a parser that', () => {
  let last = ''
  test.each<[string, Partial<NativeParser>, string]>([
    ['reads its example differently', { parse: (text) => ({ text }) }, 'reads its example as the records that it names'],
    ['claims everything', { parse: (text) => pair.parse(text) ?? {} }, 'leaves prose and JSON alone'],
    [
      'throws',
      { parse: (text) => (text.length === 3 ? pair.parse(text) : JSON.parse(text)) },
      'never throws, and returns values that are text, numbers, or made of them',
    ],
    ['is quadratic', { parse: slow }, 'takes time linear in the length of the text'],
    [
      'remembers the last text',
      {
        parse: (text) => {
          const before = last
          last = text
          return pair.parse(text) && { before }
        },
      },
      'keeps nothing from one text for the next',
    ],
  ])('%s', async (_, change, behaviour) => {
    expect(await failedBy(nativeParserSuite.behaviours, () => ({ ...pair, ...change }))).toContain(behaviour)
  })
})

/** Compares the characters with each other, as far as a test has time for. */
function slow(text: string) {
  let same = 0
  for (let i = 0; i < text.length; i += 4) for (let j = 0; j < i; j++) if (text.charCodeAt(i) === text.charCodeAt(j)) same++
  return same < 0 ? {} : pair.parse(text)
}

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { JsonValue } from '../model/json.ts'
import { parseJson, stringifyJson } from './json.ts'
import { jsonErrorAt } from './json-error.ts'
import { splitJsonArray } from './json-spans.ts'

const seed = { seed: 4848, numRuns: 400 }
const options = { maxDepth: 64 }
const parsed = (text: string) => parseJson(text, options)

describe('parseJson', () => {
  test.each([
    ['the largest safe integer stays a number', '9007199254740991', 9007199254740991],
    ['the next one becomes a BigInt', '9007199254740993', 9007199254740993n],
    ['a negative one too', '-9007199254740993', -9007199254740993n],
    ['deep inside, after white space', '{"a":[1,\n 18446743758090351616]}', { a: [1, 18446743758090351616n] }],
    ['sixteen digits in a string are text', '{"a":"9007199254740993"}', { a: '9007199254740993' }],
    ['a quote and digits in a string are text', '{"a":"\\":9007199254740993"}', { a: '":9007199254740993' }],
    ['a long fraction is a double', '0.001528024673461914', 0.001528024673461914],
    ['an integer with an exponent is a double', '1e3', 1000],
    ['a high exponent within the double', '{"x":1e300}', { x: 1e300 }],
    ['a tiny number becomes zero', '1e-400', 0],
    ['negative zero', '-0', -0],
    ['a lone surrogate becomes U+FFFD', '{"\\ud800":"a\\udc00"}', { '\ufffd': 'a\ufffd' }],
    ['a surrogate pair stays', '"\\ud83d\\ude04"', '😄'],
  ])('%s', (_, text, value) => {
    expect(parsed(text)).toEqual({ kind: 'ok', value })
  })

  test.each([
    ['an exponent beyond the double', '{"x":1e400}', 'wrong_type', 'number out of range: 1e400'],
    ['an exponent with zeros before it', '[-1E+0400]', 'wrong_type', 'number out of range: -1E+0400'],
    ['400 digits with a fraction', `[${'9'.repeat(400)}.5]`, 'wrong_type', 'number out of range: 9999'],
    ['more digits than any log holds', '9'.repeat(1001), 'wrong_type', 'number out of range'],
    ['a bare word', '{"ts":XXXX}', 'invalid_json', 'not JSON at position 6, near "XXXX}"'],
    ['a cut object', '{"a":1', 'invalid_json', 'ends too early, at position 6'],
    ['a cut string', '{"a":"x', 'invalid_json', 'ends too early, at position 7'],
    ['an extra comma', '{"a":1,}', 'invalid_json', 'at position 7'],
    ['a control character in a string', '{"a":"x\ty"}', 'invalid_json', 'at position 7'],
    ['something after the value', '{"a":1} x', 'invalid_json', 'at position 8'],
    ['a leading zero', '{"a":01}', 'invalid_json', 'at position 6'],
    ['nothing', '', 'invalid_json', 'ends too early'],
    ['65 levels', '['.repeat(65) + ']'.repeat(65), 'too_deep', 'more than 64 deep'],
    [
      '65 levels around a number that no double holds',
      `${'['.repeat(65)}${2n ** 64n}${']'.repeat(65)}`,
      'too_deep',
      'more than 64 deep',
    ],
    ['65 levels in objects', `${'{"a":'.repeat(65)}1${'}'.repeat(65)}`, 'too_deep', 'more than 64 deep'],
    ['65 levels in a long text', `${'['.repeat(65)}"${'x'.repeat(70_000)}"${']'.repeat(65)}`, 'too_deep', 'more than 64 deep'],
    ['65 levels that are not closed', '['.repeat(65), 'too_deep', 'more than 64 deep'],
    ['a million levels', '{"a":'.repeat(1_000_000), 'too_deep', 'more than 64 deep'],
  ])('refuses %s', (_, text, reason, message) => {
    expect(parsed(text)).toMatchObject({ kind: 'failure', reason, message: expect.stringContaining(message) })
  })

  test('accepts 64 levels, and any number of brackets in strings', () => {
    expect(parsed('['.repeat(64) + ']'.repeat(64)).kind).toBe('ok')
    expect(parsed(`${'{"a":['.repeat(32)}${2n ** 64n}${']}'.repeat(32)}`).kind).toBe('ok')
    expect(parsed(JSON.stringify('[{'.repeat(1000))).kind).toBe('ok')
  })

  test('a key __proto__ is an own property and reaches no prototype, on both paths', () => {
    for (const number of ['1', '9007199254740993']) {
      const result = parsed(`{"__proto__":{"polluted":${number}}}`)
      expect(result.kind).toBe('ok')
      const value = (result as { value: object }).value
      expect(Object.keys(value)).toEqual(['__proto__'])
      expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
      expect('polluted' in {}).toBe(false)
    }
  })

  test('agrees with JSON.parse on every JSON value', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), (text) => {
        const result = parsed(text)
        expect(result.kind).toBe('ok')
        const wellFormed = JSON.stringify(
          JSON.parse(text, (_, value) => (typeof value === 'string' ? value.toWellFormed() : value)),
        )
        if (!text.includes('\\ud'))
          expect(JSON.parse(stringifyJson((result as { value: JsonValue }).value))).toEqual(JSON.parse(wellFormed))
      }),
      seed,
    )
  })

  test('accepts and refuses what JSON.parse does, and names the place where it failed', () => {
    const damaged = fc.tuple(fc.json({ maxDepth: 3 }), fc.nat(), fc.constantFrom('', '}', '"', ',', 'x', '\\', '\u0001'))
    fc.assert(
      fc.property(damaged, ([text, at, patch]) => {
        const broken = text.slice(0, at % text.length) + patch + text.slice((at % text.length) + 1)
        let isJson = true
        try {
          JSON.parse(broken)
        } catch {
          isJson = false
        }
        expect(parsed(broken).kind === 'ok').toBe(isJson)
        expect(jsonErrorAt(broken) === broken.length || !isJson).toBe(true)
      }),
      seed,
    )
  })
})

describe('stringifyJson', () => {
  test('preserves integers of any size', () => {
    const tree = fc.letrec<{ value: JsonValue }>((tie) => ({
      value: fc.oneof(
        fc.bigInt(),
        fc.string(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('value')),
        fc.dictionary(fc.string(), tie('value')),
      ),
    })).value
    fc.assert(
      fc.property(tree, (value) => {
        const text = stringifyJson(value)
        const again = parsed(text)
        expect(again.kind).toBe('ok')
        expect(stringifyJson((again as { value: JsonValue }).value)).toBe(text)
      }),
      seed,
    )
  })

  test('writes exactly what JSON.stringify writes, with BigInts as digits', () => {
    /** The slow way: BigInts as marked strings, unquoted afterwards. */
    const slow = (value: JsonValue) =>
      JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? `\u0001big${inner}` : inner)).replace(
        /"\\u0001big(-?\d+)"/g,
        '$1',
      )
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('"', '\\', '\ud800', '\u2028', '\n', '__proto__', '1'))
    const tree = fc.letrec<{ value: JsonValue }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.bigInt(),
        text,
        fc.double(),
        fc.constantFrom(null, true, undefined as never, -0),
        fc.array(tie('value')),
        fc.dictionary(text, tie('value')),
      ),
    })).value
    fc.assert(
      fc.property(tree, (value) => {
        expect(stringifyJson([value, 1n])).toBe(slow([value, 1n]))
      }),
      seed,
    )
  })

  test('leaves out undefined members beside a BigInt, as JSON.stringify does', () => {
    expect(stringifyJson({ a: undefined, b: 9007199254740993n, c: [1, 'x'] })).toBe('{"b":9007199254740993,"c":[1,"x"]}')
  })
})

describe('splitJsonArray', () => {
  const pieces = (text: string) => splitJsonArray(text).elements.map(({ start, end }) => text.slice(start, end))

  test.each([
    ['[]', true, []],
    [' [ ] \n', true, []],
    ['[1, {"a":[2,3]} ,"],["]', true, ['1', '{"a":[2,3]}', '"],["']],
    ['["\\\\",2]', true, ['"\\\\"', '2']],
    ['[1,,2]', true, ['1', '', '2']],
    ['[1,2', false, ['1']],
    ['[1] x', false, ['1']],
    ['{"a":1}', false, []],
    ['', false, []],
  ])('%s', (text, whole, expected) => {
    expect(splitJsonArray(text).whole).toBe(whole)
    expect(pieces(text)).toEqual(expected)
  })

  test('each element parses to the element that JSON.parse finds', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), fc.constantFrom(0, 2), (array, space) => {
        const text = JSON.stringify(array, undefined, space)
        expect(pieces(text).map((piece) => JSON.parse(piece))).toEqual(JSON.parse(text))
        expect(splitJsonArray(text).whole).toBe(true)
      }),
      seed,
    )
  })
})

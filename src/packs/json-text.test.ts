import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { JsonText, jsonValue } from './json-text.ts'

describe('a part of a JSON text', () => {
  const text = '{"a": [1.0, {"b": "x]}\\"" , "c":null}, 12345678901234567890],\n "__proto__": {"d": -1e3 } , "": "\\u00e9"}'
  const cases = [
    { path: ['a', 0], gives: '1.0' },
    { path: ['a', 1], gives: '{"b": "x]}\\"" , "c":null}' },
    { path: ['a', 1, 'b'], gives: '"x]}\\""' },
    { path: ['a', 1, 'c'], gives: 'null' },
    { path: ['a', 2], gives: '12345678901234567890' },
    { path: ['__proto__', 'd'], gives: '-1e3' },
    { path: [''], gives: '"\\u00e9"' },
    { path: [], gives: text },
    { path: ['a', 3], gives: undefined },
    { path: ['a', 0, 'x'], gives: undefined },
    { path: ['toString'], gives: undefined },
  ]
  test.each(cases)('$path', ({ path, gives }) => expect(new JsonText(text).slice(path)).toBe(gives))

  test('every value of any document is found by its path', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(undefined, 1, '\t'), (value, space) => {
        const json = new JsonText(JSON.stringify(value, null, space))
        for (const [path, part] of parts(value)) expect(JSON.parse(json.slice(path)!)).toEqual(part)
      }),
      { seed: 11, numRuns: 300 },
    )
  })

  test('large integers are exact, and numbers out of range are refused', () => {
    expect(jsonValue('[12345678901234567890]')).toEqual([12345678901234567890n])
    expect(() => jsonValue(`[${'9'.repeat(1001)}]`)).toThrow('number out of range')
    expect(() => jsonValue('[1e999, nan]')).toThrow('not JSON at position')
  })

  test('floats that JSON lacks are accepted, along with texts that look like them and like their marks', () => {
    const { POSITIVE_INFINITY, NEGATIVE_INFINITY, NaN: nan } = Number
    expect(
      jsonValue('{"NaN": [NaN, 1e999, -1.5E+999, 12345678901234567890], "__proto__": "\\"NaN 1e999", "b": "float-NaN"}'),
    ).toEqual(
      JSON.parse('{"NaN": 0, "__proto__": "\\"NaN 1e999", "b": "float-NaN"}', (key, value: unknown) =>
        key === 'NaN' ? [nan, POSITIVE_INFINITY, NEGATIVE_INFINITY, 12345678901234567890n] : value,
      ),
    )
  })
})

/** All values of a document with their paths; generated values have no repeated keys. */
function* parts(value: unknown, path: readonly PropertyKey[] = []): Generator<[readonly PropertyKey[], unknown]> {
  yield [path, JSON.parse(JSON.stringify(value))]
  if (typeof value !== 'object' || value === null) return
  for (const [key, inner] of Object.entries(value)) yield* parts(inner, [...path, key])
}

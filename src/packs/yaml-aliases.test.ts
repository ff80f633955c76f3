import { describe, expect, test } from 'vitest'
import { YamlError, YamlFile } from './yaml-file.ts'

/** JSON of the last of several maps. */
function last(...maps: readonly string[]): string {
  return new YamlFile(maps.map((map) => `- ${map}\n`).join('')).json([maps.length - 1])
}

describe('merged maps', () => {
  const cases = [
    { maps: ['&a {x: 1}', '&b {<<: *a, y: 2}', '{<<: *b, z: 3}'], gives: '{"x":1,"y":2,"z":3}' },
    { maps: ['&a {x: 1}', '&b {<<: *a, y: 2}', '{<<: [*b, {w: 0}], z: 3}'], gives: '{"w":0,"x":1,"y":2,"z":3}' },
    { maps: ['&a {x: 1}', '&b {x: 2, <<: *a}', '{<<: *b}'], gives: '{"x":2}' },
    { maps: ['&a {x: 1}', '{x: 2, <<: *a}'], gives: '{"x":2}' },
    { maps: ['{<<: [{x: 1}, {x: 2, y: 3}], z: 4}'], gives: '{"x":1,"y":3,"z":4}' },
    { maps: ['{<<: {x: 1}, <<: {x: 2}}'], gives: '{"x":2}' },
    { maps: ['{<<: {<<: {<<: {x: 1}, y: 2}}, z: 3}'], gives: '{"x":1,"y":2,"z":3}' },
    { maps: ['&a {x: [1]}', '&l [*a, {y: 2}]', '{<<: *l}'], gives: '{"y":2,"x":[1]}' },
    { maps: ['{<<: [], x: 1}'], gives: '{"x":1}' },
    { maps: ['{"<<": {x: 1}}'], gives: '{"<<":{"x":1}}' },
    { maps: ['&a {__proto__: 1}', '{<<: *a}'], gives: '{"__proto__":1}' },
  ]
  test.each(cases)('$maps', ({ maps, gives }) => expect(last(...maps)).toBe(gives))

  test.each(['{<<: x}', '{<<: }', '{<<: [[{x: 1}]]}', '{<<: [*gone]}', '&a {<<: *a}'])('%s is refused with its line', (map) => {
    expect(() => last('x', map)).toThrow(expect.objectContaining({ line: 2 }))
  })

  test('chains that blow up cost no more than their text', () => {
    const levels = Array.from({ length: 60 }, (_, at) => `&l${at + 1} {<<: [*l${at}, *l${at}], k${at}: ${at}}`)
    expect(Object.keys(JSON.parse(last('&l0 {k: 1}', ...levels)) as object).length).toBe(61)
    const wide = `&w {${Array.from({ length: 5000 }, (_, at) => `k${at}`).join(', ')}}`
    expect(() => last(wide, `{<<: [${'*w, '.repeat(5000)}]}`)).toThrow(YamlError)
  })
})

describe('aliases', () => {
  test.each(['{ a: *nope, b: 1 }', '[*nope]', '*nope', '{ a: *nope, b: &nope 1 }'])(
    '%s: what has no anchor is refused',
    (value) => {
      expect(() => last('x', value)).toThrow(
        expect.objectContaining({ message: "'*nope' refers to nothing: there is no '&nope' before it", line: 2 }),
      )
    },
  )

  test('refer to the last anchor of their name before them', () => {
    expect(new YamlFile('- &a 1\n- *a\n- &a 2\n- [*a]\n').json([])).toBe('[1,1,2,[2]]')
  })
})

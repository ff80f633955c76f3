import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseKeyPath } from './key-path.ts'

test.each<[string, (string | number | null)[]]>([
  ['a', ['a']],
  ['a.b.c', ['a', 'b', 'c']],
  ['a[0]', ['a', 0]],
  ['a[*].b', ['a', null, 'b']],
  ['a.b[2].c', ['a', 'b', 2, 'c']],
  ['a[1][*]', ['a', 1, null]],
  ['user name.x-y_z:1', ['user name', 'x-y_z:1']],
  ['__proto__', ['__proto__']],
])('%s', (text, segments) => expect(parseKeyPath(text)).toEqual(segments))

test.each(['', '.', '.a', 'a.', 'a..b', '[0]', 'a[', 'a[x]', 'a[-1]', 'a[0', 'a]', 'a[0]b', 'a[9999999999]', 'a.[0]'])(
  'refuses %j',
  (text) => {
    expect(parseKeyPath(text)).toBeTypeOf('string')
  },
)

test('refuses a path that is too long or too deep', () => {
  expect(parseKeyPath('a'.repeat(1001))).toContain('1000 characters')
  expect(parseKeyPath('a.'.repeat(32).concat('a'))).toContain('32 steps')
})

test('parses every path that can be written', () => {
  const name = fc.string({ minLength: 1, maxLength: 8, unit: fc.constantFrom('a', 'B', ' ', '-', 'é', '$', '{') })
  const rest = fc.array(fc.oneof(name, fc.nat(99), fc.constant(null)), { maxLength: 8 })
  fc.assert(
    fc.property(name, rest, (first, others) => {
      const text = others.map((one) => (typeof one === 'string' ? `.${one}` : `[${one ?? '*'}]`)).join('')
      expect(parseKeyPath(first + text)).toEqual([first, ...others])
    }),
    { seed: 4848 },
  )
})

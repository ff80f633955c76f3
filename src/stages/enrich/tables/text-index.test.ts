import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { find } from '../../../util/define.ts'
import { createSlice } from '../../../util/slice.ts'
import { keyKinds } from './index.ts'
import { portOf } from './port-index.ts'

const seed = 4848

async function indexOf(match: 'exact' | 'ignore_case' | 'port', keys: readonly string[]) {
  const builder = find('key kind', keyKinds, match).createBuilder()
  const accepted = keys.map((key, i) => builder.add(key, i))
  return { index: await builder.build(createSlice()), accepted }
}

test('finds exact keys as a Map does', async () => {
  const key = fc.oneof(fc.string({ maxLength: 4 }), fc.constantFrom('__proto__', 'constructor', '', 'a', 'A', '\u0000', '\ud800'))
  await fc.assert(
    fc.asyncProperty(fc.array(key, { maxLength: 200 }), fc.array(key, { maxLength: 50 }), async (keys, asked) => {
      const { index } = await indexOf('exact', keys)
      const map = new Map(keys.map((one, i) => [one, i]))
      for (const one of [...keys, ...asked]) expect(index.find(one)).toBe(map.get(one) ?? -1)
      expect(index.size).toBe(map.size)
    }),
    { seed, numRuns: 300 },
  )
})

test('finds keys regardless of case', async () => {
  const { index } = await indexOf('ignore_case', ['Example.COM', 'abc', 'ABC'])
  expect([index.find('example.com'), index.find('EXAMPLE.com'), index.find('aBc'), index.find('x'), index.size]).toEqual([
    0, 0, 2, -1, 2,
  ])
})

describe('ports', () => {
  const cases: [text: string, port: number][] = [
    ['22', 22],
    ['0', 0],
    ['65535', 65535],
    ['65536', -1],
    ['0.0.0.0:22', 22],
    ['127.0.0.53:53', 53],
    ['[::]:443', 443],
    [':::80', 80],
    ['0.0.0.0:*', -1],
    ['0.0.0.0:', -1],
    ['', -1],
    ['ssh', -1],
    ['host:000022', -1],
    ['1e3', -1],
    ['-1', -1],
  ]
  test.each(cases)('%s has port %i', (text, port) => expect(portOf(text)).toBe(port))

  test('a key is a port by itself', async () => {
    const { accepted, index } = await indexOf('port', ['22', '0.0.0.0:80', '99999', '443'])
    expect(accepted).toEqual([true, false, false, true])
    expect([index.find('10.0.0.1:22'), index.find('80'), index.find('443'), index.size]).toEqual([0, -1, 3, 2])
  })
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createSlice } from '../../../util/slice.ts'
import { CompositeIndex, CompositeIndexBuilder, joinKey, type PartKind, splitKey } from './composite-index.ts'

async function indexOf(compared: readonly PartKind[], keys: readonly (readonly string[])[]) {
  const builder = new CompositeIndexBuilder(compared)
  const accepted = keys.map((parts, i) => builder.add(joinKey(parts), i))
  return { index: await builder.build(createSlice()), accepted }
}

test('the parts of a key are joined by +, and any parts can be split again', () => {
  expect([joinKey(['192.0.2.1', '443']), joinKey(['a+b', 'c\\'])]).toEqual(['192.0.2.1+443', 'a\\+b+c\\\\'])
  const part = fc.string({ unit: fc.constantFrom('a', '+', '\\', 'é', ''), maxLength: 5 })
  fc.assert(
    fc.property(fc.array(part, { minLength: 2, maxLength: 4 }), (parts) => {
      expect(splitKey(joinKey(parts))).toEqual(parts)
    }),
    { seed: 7, numRuns: 500 },
  )
})

test('each part is compared in its own way', async () => {
  const { index, accepted } = await indexOf(
    ['ip', 'port', 'ignore_case', 'exact'],
    [
      ['192.0.2.1', '22', 'Ada', 'A'],
      ['2001:db8::1', '443', 'bob', 'B'],
      ['example.com', '22', 'x', 'x'],
      ['192.0.2.1', 'ssh', 'x', 'x'],
    ],
  )
  const find = (...parts: string[]) => index.find(joinKey(parts))
  expect(accepted).toEqual([true, true, false, false])
  expect(index.size).toBe(2)
  expect([find('::ffff:192.0.2.1', '0.0.0.0:22', 'ADA', 'A'), find('2001:0db8:0::1', '443', 'BOB', 'B')]).toEqual([0, 1])
  expect([find('192.0.2.1', '22', 'Ada', 'a'), find('192.0.2.1', '22'), find('192.0.2.2', '22', 'Ada', 'A')]).toEqual([
    -1, -1, -1,
  ])
})

describe('a linear search finds the same', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'A', '+', '\\'), maxLength: 3 })
  const parts = fc.tuple(text, text)

  test.each<[PartKind, (text: string) => string]>([
    ['exact', (one) => one],
    ['ignore_case', (one) => one.toLowerCase()],
  ])('%s', async (kind, spell) => {
    await fc.assert(
      fc.asyncProperty(fc.array(parts, { maxLength: 30 }), fc.array(parts, { maxLength: 30 }), async (keys, values) => {
        const { index } = await indexOf([kind, kind], keys)
        const same = (a: readonly string[], b: readonly string[]) => a.every((part, i) => spell(part) === spell(b[i]!))
        const all = [...values, ...keys]
        const expected = all.map((value) => keys.findLastIndex((key) => same(key, value)))
        expect(all.map((value) => index.find(joinKey(value)))).toEqual(expected)
        const opened = new CompositeIndex(structuredClone(index.parts))
        expect(all.map((value) => opened.find(joinKey(value)))).toEqual(expected)
      }),
      { seed: 7, numRuns: 200 },
    )
  })
})

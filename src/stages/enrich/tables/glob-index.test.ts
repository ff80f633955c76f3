import fc from 'fast-check'
import { expect, test } from 'vitest'
import { GlobIndexBuilder } from './glob-index.ts'
import { openIndex } from './index.ts'

async function indexOf(...keys: readonly string[]) {
  const builder = new GlobIndexBuilder()
  const taken = keys.map((key, row) => builder.add(key, row))
  const index = openIndex((await builder.build()).parts)
  return { taken, index, find: (text: string) => keys[index.find(text)] }
}

test('a star matches any characters, a question mark one, and the pattern with the most literal characters wins', async () => {
  const { find } = await indexOf('/admin/*', '/admin/*.php', '*.php', '?', '*sqlmap*', '/exact', '*')
  for (const [text, pattern] of [
    ['/admin/', '/admin/*'],
    ['/admin/x.php', '/admin/*.php'],
    ['/x.php', '*.php'],
    ['x', '?'],
    ['Mozilla sqlmap/1.0', '*sqlmap*'],
    ['/exact', '/exact'],
    ['/exactly', '*'],
    ['', '*'],
    ['(a.b)+[c]', '*'],
  ] as const)
    expect(find(text), text).toBe(pattern)
})

test('finds the same as a comparison with every pattern', async () => {
  const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*', '?'), minLength: 1, maxLength: 8 })
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '.', '\n'), maxLength: 10 })
  const own = (one: string) => one.replaceAll(/[*?]/g, '').length
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(pattern, { maxLength: 12 }), fc.array(text, { maxLength: 20 }), async (keys, texts) => {
      const { find } = await indexOf(...keys)
      for (const one of texts) {
        const fitting = keys.filter((key) =>
          new RegExp(`^${key.replaceAll('.', '\\.').replaceAll('*', '.*').replaceAll('?', '.')}$`, 's').test(one),
        )
        const found = find(one)
        expect(found === undefined).toBe(fitting.length === 0)
        if (found !== undefined) {
          expect(fitting).toContain(found)
          expect(own(found)).toBe(Math.max(...fitting.map(own)))
        }
      }
    }),
    { numRuns: 500 },
  )
})

test('patterns and texts that would take too long to compare are refused', async () => {
  const { taken, find } = await indexOf('x'.repeat(1001), `${'*a'.repeat(400)}b`)
  expect(taken).toEqual([false, true])
  const before = process.cpuUsage()
  expect(find('a'.repeat(4096))).toBeUndefined()
  expect(find('a'.repeat(9000))).toBeUndefined()
  expect(process.cpuUsage(before).user).toBeLessThan(2_000_000)
  const builder = new GlobIndexBuilder()
  const added = Array.from({ length: 10_001 }, (_, i) => builder.add(`abc${i}*`, i))
  expect([added[9999], added[10_000], builder.add('abc5*', 7)]).toEqual([true, false, true])
})

test('of patterns that begin and end with a wildcard there are 200 at most', async () => {
  const builder = new GlobIndexBuilder()
  const added = Array.from({ length: 201 }, (_, i) => builder.add(`*${i}*`, i))
  expect([added[199], added[200], builder.add('*199*', 1), builder.add('abc*', 2)]).toEqual([true, false, true, true])
  const index = openIndex((await builder.build()).parts)
  const before = process.cpuUsage()
  for (let i = 0; i < 20; i++) expect(index.find('x'.repeat(4096))).toBe(-1)
  expect(process.cpuUsage(before).user / 20).toBeLessThan(100_000)
})

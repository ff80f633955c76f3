import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createSlice } from '../../../util/slice.ts'
import { DomainIndexBuilder } from './domain-index.ts'
import { openIndex } from './index.ts'

async function indexOf(...keys: readonly string[]) {
  const builder = new DomainIndexBuilder()
  const taken = keys.map((key, row) => builder.add(key, row))
  const index = openIndex((await builder.build(createSlice())).parts)
  return { taken, index, find: (text: string) => keys[index.find(text)] }
}

test('a domain matches itself and everything below it, and the longest wins', async () => {
  const { find, index } = await indexOf('example.com', 'mail.example.com', 'org')
  expect(index.size).toBe(3)
  for (const [name, key] of [
    ['example.com', 'example.com'],
    ['EXAMPLE.com.', 'example.com'],
    ['a.b.example.com', 'example.com'],
    ['mail.example.com', 'mail.example.com'],
    ['x.mail.example.com', 'mail.example.com'],
    ['wikipedia.org', 'org'],
    ['badexample.com', undefined],
    ['example.com.evil.net', undefined],
    ['com', undefined],
    ['', undefined],
    ['.', undefined],
    ['x'.repeat(5000), undefined],
  ] as const)
    expect(find(name), name).toBe(key)
})

test('keys may have a leading star or dot, and be in other scripts', async () => {
  const { taken, find } = await indexOf('*.example.com', '.example.net', 'bücher.example', 'xn--bcher-kva.example.org')
  expect(taken).toEqual([true, true, true, true])
  expect([find('example.com'), find('a.example.net'), find('www.BÜCHER.example'), find('xn--bcher-kva.example')]).toEqual([
    '*.example.com',
    '.example.net',
    'bücher.example',
    'bücher.example',
  ])
  expect(find('bücher.example.org')).toBe('xn--bcher-kva.example.org')
})

test('a text that is not a domain is refused as a key', async () => {
  const { taken } = await indexOf('https://example.com/', 'a b.com', '', '.', 'a..b', 'example.com:443', 'x'.repeat(300))
  expect(taken).toEqual([false, false, false, false, false, false, false])
})

test('finds the same as a comparison with every key', async () => {
  const label = fc.constantFrom('a', 'b', 'c', 'ab')
  const name = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'))
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(name, { maxLength: 10 }), fc.array(name, { maxLength: 20 }), async (keys, names) => {
      const { find } = await indexOf(...keys)
      for (const one of names) {
        const fitting = keys.filter((key) => one === key || one.endsWith(`.${key}`)).sort((a, b) => b.length - a.length)
        expect(find(one)).toBe(fitting[0])
      }
    }),
  )
})

import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Kept } from './kept.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'caracal-kept-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const ID = '0123456789abcdef'
const open = (spare = 0, stamp = 'maker 1', id = ID) => new Kept({ folder, kind: 'thing', id, stamp, spare })

async function keep(texts: Readonly<Record<string, string>>, spare = 0): Promise<void> {
  const kept = open(spare)
  for (const [key, text] of Object.entries(texts)) kept.set(key, text)
  await kept.save()
}

test('texts come back unchanged, but only under the stamp that wrote them', async () => {
  await keep({ a: 'one two', b: '{"é":"\\u0000"}' })
  expect([open().get('a'), open().get('b'), open().get('c')]).toEqual(['one two', '{"é":"\\u0000"}', undefined])
  expect(open(0, 'maker 2').get('a')).toBe(undefined)
})

test.each([
  { spare: 0, left: ['b'] },
  { spare: 1, left: ['b', 'a'] },
  { spare: 9, left: ['b', 'a', 'c'] },
])('of unused texts, $spare are kept', async ({ spare, left }) => {
  await keep({ a: '1', b: '2', c: '3' })
  const kept = open(spare)
  kept.get('b')
  kept.set('b', '4')
  await kept.save()
  const now = open()
  expect(['a', 'b', 'c'].filter((key) => now.get(key) !== undefined).sort()).toEqual(left.toSorted())
  expect(now.get('b')).toBe('4')
})

test('what another process has written in the meantime is not lost', async () => {
  const [one, other] = [open(9), open(9)]
  one.set('a', '1')
  other.set('b', '2')
  await one.save()
  await other.save()
  expect([open().get('a'), open().get('b')]).toEqual(['1', '2'])
})

test('the sixteen most recently used files of a kind are kept, and nothing else is touched', async () => {
  writeFileSync(join(folder, 'thing-else'), '')
  for (let i = 0; i < 20; i++) {
    const id = i.toString(16).padStart(16, '0')
    const kept = open(0, 'maker 1', id)
    kept.set('a', String(i))
    await kept.save()
    utimesSync(join(folder, `thing-${id}`), 1000 + i, 1000 + i)
  }
  expect(readdirSync(folder)).toHaveLength(17)
  expect(open(0, 'maker 1', '13'.padStart(16, '0')).get('a')).toBe('19')
  // Now the oldest is used, so the next file takes the place of the second.
  open(0, 'maker 1', '4'.padStart(16, '0'))
  await keep({ a: '20' })
  const left = readdirSync(folder)
  expect([left.includes('thing-0000000000000004'), left.includes('thing-0000000000000005')]).toEqual([true, false])
})

test('without a folder everything is kept in memory', async () => {
  const kept = new Kept(undefined)
  kept.set('a', '1')
  await kept.save()
  expect(kept.get('a')).toBe('1')
  expect(readdirSync(folder)).toEqual([])
})

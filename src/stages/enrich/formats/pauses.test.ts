import { expect, test } from 'vitest'
import type { Format } from './format.ts'
import { BATCH } from './format.ts'
import { json } from './json.ts'
import { list } from './list.ts'

const read = (format: Format, text: string) => format.read(text, { primaryKey: 'key' }) as Iterable<readonly unknown[]>

test('the caller of a list may pause while the whole text is searched for prefix lengths', () => {
  const text = Array.from({ length: 10 * BATCH }, (_, i) => `10.0.${i >>> 8}.${i & 255}/31`).join('\n')
  const sizes = Array.from(read(list, text), (batch) => batch.length)
  expect(sizes).toEqual([...Array(10).fill(0), ...Array(10).fill(BATCH)])
})

test('a JSON array yields its first rows before its end has been read, even if the end is invalid', () => {
  const rows = read(json, `[${'{"key":"a"},'.repeat(3 * BATCH)}`)[Symbol.iterator]()
  for (let i = 0; i < 3; i++) expect(rows.next().value).toHaveLength(BATCH)
  expect(() => rows.next()).toThrow(/is incomplete/)
})

// From each blank to the last one would be 500 thousand million steps.
test('a line of a million blanks takes no longer than any other of its length', () => {
  const blanks = ' '.repeat(1_000_000)
  expect([...read(list, `a${blanks}b\nc${blanks}# note`)].flat()).toEqual([{ key: `a${blanks}b` }, { key: 'c', note: 'note' }])
})

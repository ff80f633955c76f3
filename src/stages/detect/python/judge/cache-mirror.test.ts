import { expect, test } from 'vitest'
import { CacheMirror } from './cache-mirror.ts'

const parts = (mirror: CacheMirror) => [...mirror.parts()].flat().sort()

test('a new child gets what is settled and what the batch under way has changed', () => {
  const mirror = new CacheMirror([
    { key: 'a', entry: '{}', expiresMs: undefined },
    { key: 'b', entry: '{}', expiresMs: undefined },
  ])
  mirror.add([
    ['a', null],
    ['c', '{"counter":1}'],
  ])
  expect(parts(mirror)).toEqual([
    ['b', '{}'],
    ['c', '{"counter":1}'],
  ])
  mirror.add([['c', '{"counter":2,"expires":7}']])
  expect(mirror.settle()).toEqual([
    { key: 'a', entry: undefined },
    { key: 'c', entry: '{"counter":2,"expires":7}', expiresMs: 7000 },
  ])
  expect(mirror.settle()).toEqual([])
})

test('a batch that could not be judged has changed nothing', () => {
  const mirror = new CacheMirror([{ key: 'a', entry: '{}', expiresMs: undefined }])
  mirror.add([
    ['a', null],
    ['c', '{}'],
  ])
  mirror.forget()
  expect(mirror.settle()).toEqual([])
  expect(parts(mirror)).toEqual([['a', '{}']])
})

test('a large cache goes to the child in several parts', () => {
  const entry = JSON.stringify({ dictionary: 'x'.repeat(1_000_000) })
  const mirror = new CacheMirror(Array.from({ length: 12 }, (_, i) => ({ key: `k${i}`, entry, expiresMs: undefined })))
  const lengths = [...mirror.parts()].map((part) => part.length)
  expect(lengths.length).toBeGreaterThan(1)
  expect(lengths.reduce((sum, n) => sum + n)).toBe(12)
})

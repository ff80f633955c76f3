import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { EvaluateAnswer } from '../sandbox/protocol.ts'
import { CacheMirror } from './cache-mirror.ts'

const parts = (mirror: CacheMirror) => [...mirror.parts()].flat().sort()
const changes = (cacheWrites: EvaluateAnswer['cacheWrites']) => ({ cacheWrites, cacheEvictions: [] })

test('a new child gets the committed entries and the changes of the batch under way', () => {
  const mirror = new CacheMirror([
    { key: 'a', entry: '{}', expiresMs: undefined },
    { key: 'b', entry: '{}', expiresMs: undefined },
  ])
  mirror.add(
    changes([
      ['a', null],
      ['c', '{"counter":1}'],
    ]),
  )
  expect(parts(mirror)).toEqual([
    ['b', '{}'],
    ['c', '{"counter":1}'],
  ])
  mirror.add(changes([['c', '{"counter":2,"expires":7}']]))
  expect(mirror.settle()).toEqual([
    { key: 'a', entry: undefined },
    { key: 'c', entry: '{"counter":2,"expires":7}', expiresMs: 7000 },
  ])
  expect(mirror.settle()).toEqual([])
})

test('a batch that could not be judged changes nothing', () => {
  const mirror = new CacheMirror([{ key: 'a', entry: '{}', expiresMs: undefined }])
  mirror.add({
    cacheWrites: [
      ['a', null],
      ['c', '{}'],
    ],
    cacheEvictions: [['R', 1]],
  })
  mirror.forget()
  mirror.settleFor({ onCacheWrites: () => expect.unreachable() })
  expect(parts(mirror)).toEqual([['a', '{}']])
})

test('a large cache goes to the child in several parts', () => {
  const entry = JSON.stringify({ dictionary: 'x'.repeat(1_000_000) })
  const mirror = new CacheMirror(Array.from({ length: 12 }, (_, i) => ({ key: `k${i}`, entry, expiresMs: undefined })))
  const lengths = [...mirror.parts()].map((part) => part.length)
  expect(lengths.length).toBeGreaterThan(1)
  expect(lengths.reduce((sum, n) => sum + n)).toBe(12)
})

test('the entries lost in all crossings of a batch are reported once', () => {
  const mirror = new CacheMirror([])
  mirror.add({ cacheWrites: [['a', '{}']], cacheEvictions: [['R', 2]] })
  mirror.add({
    cacheWrites: [],
    cacheEvictions: [
      ['R', 1],
      ['S', 1],
    ],
  })
  const reported: unknown[] = []
  const batch = { onCacheWrites: (...all: unknown[]) => void reported.push(all) }
  mirror.settleFor(batch)
  mirror.settleFor(batch)
  expect(reported).toEqual([
    [
      [{ key: 'a', entry: '{}', expiresMs: undefined }],
      [
        { ruleId: 'R', what: 'cache', n: 3 },
        { ruleId: 'S', what: 'cache', n: 1 },
      ],
    ],
  ])
})

test('a child that is filled later gets the last written entries last', () => {
  const mirror = new CacheMirror(['a', 'b'].map((key) => ({ key, entry: '{}', expiresMs: undefined })))
  mirror.add(changes([['a', '{"counter":1}']]))
  mirror.settle()
  expect([...mirror.parts()].flat().map(([key]) => key)).toEqual(['b', 'a'])
})

test('entries taken over from another mirror keep their write order, also in an existing child', () => {
  const key = fc.constantFrom(...'abcdef')
  const write = fc.tuple(key, fc.constantFrom('{}', '{"counter":1}', null))
  fc.assert(
    fc.property(fc.uniqueArray(key), fc.array(fc.array(write)), (keys, batches) => {
      const entries = keys.map((name) => ({ key: name, entry: '{}', expiresMs: undefined }))
      const before = new CacheMirror(entries)
      const heir = new CacheMirror(entries)
      const reader = heir.reader()
      const child = new Map([...reader.parts()].flat())
      for (const batch of batches) {
        before.add(changes(batch))
        before.settle()
      }
      heir.inherit(before)
      for (const [name, entry] of reader.missed()) {
        child.delete(name)
        if (entry !== null) child.set(name, entry)
      }
      const wanted = [...before.parts()].flat()
      expect([...heir.parts()].flat()).toEqual(wanted)
      expect([...child]).toEqual(wanted)
    }),
    { numRuns: 500, seed: 28 },
  )
})

test('an entry that a batch writes twice counts as written last, in the state and in other children', () => {
  const mirror = new CacheMirror([])
  const own = mirror.reader()
  const other = mirror.reader()
  for (const name of ['a', 'b', 'a']) own.add(changes([[name, '{}']]))
  expect(other.missed().map(([name]) => name)).toEqual(['b', 'a'])
  expect(mirror.settle().map(({ key }) => key)).toEqual(['b', 'a'])
})

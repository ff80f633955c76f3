import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Cursor } from '../../../model/batch.ts'
import { PART_IDS, PARTS, Remembered } from './remembered.ts'

const batches = fc.array(
  fc.record({ ids: fc.uniqueArray(fc.nat(5000), { maxLength: 700 }), isEnd: fc.boolean(), restarts: fc.boolean() }),
  { maxLength: 40 },
)

test('what is remembered is the same after a restart as without one', () => {
  fc.assert(
    fc.property(batches, (all) => {
      const stored = new Map<string, Cursor>()
      let remembered = new Remembered('log/a', [])
      const known = new Set<string>()
      let position = {}
      for (const [i, { ids, isEnd, restarts }] of all.entries()) {
        const texts = ids.map(String)
        for (const id of texts) known.add(id)
        if (isEnd) position = { fromMs: i }
        const cursor = structuredClone(remembered.add(texts, isEnd ? { fromMs: i } : undefined))
        stored.set(cursor.place, cursor)
        if (restarts)
          remembered = new Remembered('log/a', [...stored.values(), { place: 'log/b/1', value: { no: 99, ids: ['x'] } }])
      }
      expect(remembered.position).toEqual(position)
      expect([...known].every((id) => remembered.has(id))).toBe(true)
      expect(remembered.has('x')).toBe(false)
    }),
    { numRuns: 50, seed: 7 },
  )
})

test('memory and each cursor are bounded, and what was read last is remembered', () => {
  const remembered = new Remembered('log', [])
  const stored = new Map<string, Cursor>()
  const total = PARTS * PART_IDS * 2
  for (let from = 0; from < total; from += 500) {
    const cursor = remembered.add(
      Array.from({ length: 500 }, (_, i) => String(from + i)),
      { fromMs: from },
    )
    stored.set(cursor.place, cursor)
    expect((cursor.value as { ids: string[] }).ids.length).toBeLessThan(PART_IDS + 500)
  }
  expect(stored.size).toBe(PARTS)
  expect(remembered.has('0')).toBe(false)
  for (const back of [1, 1000, (PARTS - 1) * PART_IDS]) expect(remembered.has(String(total - back))).toBe(true)
  const again = new Remembered('log', [...stored.values()].reverse())
  for (const back of [1, 1000, (PARTS - 1) * PART_IDS]) expect(again.has(String(total - back))).toBe(true)
  expect(again.has('0')).toBe(false)
})

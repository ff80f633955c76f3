import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { AlertWindow } from '../../model/alert.ts'
import { Windows } from './windows.ts'

const LENGTH = 10
const windowAt = (startMs: number, number: number, endMs = startMs + LENGTH) =>
  ({ groupKey: 'g', ruleId: 'R', number, startMs, endMs }) as AlertWindow

/** The window that a time belongs to, derived only from all of a group's windows. */
function expected(windows: readonly AlertWindow[], atMs: number): AlertWindow | undefined {
  const byStart = [...windows].sort((a, b) => a.startMs - b.startMs)
  if (Number.isNaN(atMs)) return byStart.at(-1)
  const holding = byStart.filter(({ startMs, endMs }) => startMs <= atMs && atMs < endMs)
  if (holding.length > 0) return holding.at(-1)
  const behind = byStart.find(({ startMs }) => startMs > atMs)
  return behind && behind.startMs - atMs < behind.endMs - behind.startMs ? behind : undefined
}

const times = fc.uniqueArray(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 5 })

test('a time belongs to the window that covers it, or else to one that begins less than its length later', () => {
  fc.assert(
    fc.property(times, times, fc.oneof(fc.integer({ min: -20, max: 90 }), fc.constant(Number.NaN)), (known, added, atMs) => {
      const before = known.sort((a, b) => a - b).map((startMs, i) => windowAt(startMs, i + 1))
      const windows = new Windows({ groups: new Map([['g', { windows: before, nextNumber: 9 }]]), crowds: new Map() })
      const after = added.filter((startMs) => !known.includes(startMs)).map((startMs, i) => windowAt(startMs, 9 + i))
      for (const window of after) windows.add(window)
      const found = windows.at('g', atMs)
      expect(found?.startMs).toBe(expected([...before, ...after], atMs)?.startMs)
    }),
    { numRuns: 2000 },
  )
})

test('no time belongs to a window of a group that is unknown or empty', () => {
  const windows = new Windows({ groups: new Map([['empty', { windows: [], nextNumber: 4 }]]), crowds: new Map() })
  expect([windows.at('g', 5), windows.at('empty', 5), windows.at('empty', Number.NaN)]).toEqual([undefined, undefined, undefined])
  expect([windows.nextNumber('g'), windows.nextNumber('empty')]).toEqual([1, 4])
})

test('each window counts for its rule and increments its group’s number', () => {
  const windows = new Windows({ groups: new Map(), crowds: new Map([['R', 3]]) })
  expect([windows.crowd('R'), windows.crowd('S')]).toEqual([3, 0])
  windows.add(windowAt(0, 1))
  expect([windows.crowd('R'), windows.nextNumber('g')]).toEqual([4, 2])
  expect(windows.at('g', 5)?.number).toBe(1)
})

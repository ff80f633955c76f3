import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { DeadLetter } from '../model/outcome.ts'
import { countsOf } from './counts.ts'

const letter = (reason: DeadLetter['reason']): DeadLetter => ({
  reason,
  message: 'm',
  source: 's',
  position: '0:0',
  length: 0,
  sha256: '',
  raw: new Uint8Array(),
  rowId: 'r',
  receivedMs: 1,
})

test('records are counted by outcome, stored ones apart whose log type was guessed', () => {
  const counts = countsOf('web', {
    received: 12,
    stored: new Map([
      ['Zeek.Conn', 5],
      ['Zeek.DNS', 2],
    ]),
    guessed: new Map([
      ['Zeek.Conn', 3],
      ['Zeek.SSH', 9],
    ]),
    filtered: new Map([['noise', 2]]),
    deadLetters: [letter('invalid_json'), letter('not_a_log'), letter('invalid_json')],
  })
  expect(counts).toEqual([
    { sourceId: 'web', outcome: 'received', reason: '', n: 12 },
    { sourceId: 'web', outcome: 'stored', reason: '', n: 4 },
    { sourceId: 'web', outcome: 'stored', reason: 'Zeek.Conn', n: 3 },
    { sourceId: 'web', outcome: 'filtered', reason: 'noise', n: 2 },
    { sourceId: 'web', outcome: 'dead_lettered', reason: 'invalid_json', n: 2 },
    { sourceId: 'web', outcome: 'dead_lettered', reason: 'not_a_log', n: 1 },
  ])
})

test('no more of a log type counts as guessed than is stored, and all that is stored is counted once', () => {
  const byType = fc.dictionary(fc.constantFrom('A', 'B', 'C'), fc.nat(20))
  fc.assert(
    fc.property(byType, byType, (stored, guessed) => {
      const counts = countsOf('s', {
        received: 0,
        stored: new Map(Object.entries(stored)),
        guessed: new Map(Object.entries(guessed)),
        filtered: new Map(),
        deadLetters: [],
      })
      const all = counts.filter(({ outcome }) => outcome === 'stored')
      expect(all.reduce((sum, { n }) => sum + n, 0)).toBe(Object.values(stored).reduce((sum, n) => sum + n, 0))
      for (const { reason, n } of all) {
        expect(n).toBeGreaterThanOrEqual(reason === '' ? 0 : 1)
        if (reason !== '') expect(n).toBe(Math.min(stored[reason]!, guessed[reason]!))
      }
    }),
  )
})

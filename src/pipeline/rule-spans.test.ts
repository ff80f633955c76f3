import { expect, test } from 'vitest'
import type { RuleOff } from '../stages/detect/language.ts'
import { RuleSpans } from './rule-spans.ts'

const off = (ruleId: string, missed: number, message = 'too slow'): RuleOff => ({
  ruleId,
  cause: 'timeout',
  message,
  missed,
  retryMs: undefined,
})
const spans = (saved: RuleSpans['all'] = []) => new RuleSpans(saved, (id) => [`Log.${id}`])
const shown = ({ all }: RuleSpans) => all.map(({ ruleId, fromMs, toMs, events }) => [ruleId, fromMs, toMs, events])

test('a rule that is off has a span until it is on again, with the events that arrived meanwhile', () => {
  const one = spans()
  expect(one.update([off('A', 0), off('B', 0)], 10)).toBe(true)
  expect(one.update([off('A', 0), off('B', 0)], 11)).toBe(false)
  expect(one.update([off('A', 5), off('B', 7)], 20)).toBe(true)
  expect(one.update([off('B', 9)], 30)).toBe(true)
  expect(shown(one)).toEqual([
    ['A', 10, 30, 5],
    ['B', 10, null, 9],
  ])
  expect(one.all[0]).toMatchObject({ why: 'too slow', logTypes: ['Log.A'] })
  // Off again: a separate span, which counts from there.
  one.update([off('A', 5), off('B', 9)], 40)
  one.update([off('A', 8), off('B', 9)], 50)
  one.update([], 60)
  expect(shown(one)).toEqual([
    ['A', 10, 30, 5],
    ['B', 10, 60, 9],
    ['A', 40, 60, 3],
  ])
})

test('a span continues across a restart, or ends with it', () => {
  const before = spans()
  before.update([off('A', 3), off('B', 4)], 10)
  const after = spans(before.all)
  after.update([off('A', 0, 'still too slow')], 100)
  after.update([off('A', 2, 'still too slow')], 110)
  expect(shown(after)).toEqual([
    ['A', 10, null, 5],
    ['B', 10, 100, 4],
  ])
  expect(after.all[0]!.why).toBe('still too slow')
})

test('a count that restarts because the rule was changed while off is added to the previous count', () => {
  const one = spans()
  one.update([off('A', 0)], 10)
  one.update([off('A', 7)], 20)
  // An edit that leaves it off.
  one.update([off('A', 0)], 30)
  expect(shown(one)).toEqual([['A', 10, null, 7]])
  one.update([off('A', 2)], 40)
  one.update([off('A', 5)], 50)
  expect(shown(one)).toEqual([['A', 10, null, 12]])
  one.update([off('A', 1)], 60)
  expect(shown(one)).toEqual([['A', 10, null, 13]])
})

test('a thousand ended spans are stored, and all that last', () => {
  const one = spans()
  one.update([off('Lasting', 0)], 0)
  for (let n = 1; n <= 1200; n++) {
    one.update([off('Lasting', 0), off('A', 0)], n * 10)
    one.update([off('Lasting', 0)], n * 10 + 5)
  }
  expect(one.all).toHaveLength(1001)
  expect(one.all[0]!.ruleId).toBe('Lasting')
  expect(one.all.at(-1)).toMatchObject({ fromMs: 12_000, toMs: 12_005 })
  expect(one.all[1]!.fromMs).toBe(2010)
})

test('events that a rule missed are due once it is on again, all its spans together, until a replay judges them', () => {
  const one = spans()
  one.update([off('A', 3), off('B', 0)], 10)
  one.update([], 20)
  one.update([off('A', 3)], 30)
  one.update([off('A', 8)], 40)
  expect(one.missed(40)).toEqual([])
  one.update([], 50)
  const due = [{ ruleId: 'A', logTypes: ['Log.A'], fromMs: 10, toMs: 50 }]
  expect(one.missed(50)).toEqual(due)
  expect(spans(one.all).missed(50)).toEqual(due)
  expect(one.missed(50 + 25 * 60 * 60_000)).toEqual([])
  const [due50] = one.missed(50)
  one.judgedBy(due50!, 'r1')
  expect([one.missed(50), one.all.map(({ late }) => late)]).toEqual([[], ['r1', undefined, 'r1']])
  one.update([off('A', 9)], 60)
  one.update([off('A', 10)], 70)
  one.update([], 80)
  expect(one.missed(80)).toEqual([{ ruleId: 'A', logTypes: ['Log.A'], fromMs: 60, toMs: 80 }])
})

test('events that a rule misses while a replay is being requested are still due', () => {
  const one = spans()
  one.update([off('A', 3)], 10)
  one.update([], 20)
  const [due] = one.missed(20)
  one.update([off('A', 4)], 30)
  one.update([off('A', 5)], 35)
  one.update([], 40)
  one.judgedBy(due!, 'r1')
  expect(one.missed(40)).toEqual([{ ruleId: 'A', logTypes: ['Log.A'], fromMs: 30, toMs: 40 }])
})

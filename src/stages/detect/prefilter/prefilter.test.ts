import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Condition } from '../../../model/condition/condition.ts'
import type { Finding } from '../../../model/match.ts'
import { makeRule } from '../python/rule.fixture.ts'
import { readConditions } from './conditions.ts'
import { createPrefilter } from './prefilter.ts'
import { selectEvents, sliceByRule } from './selection.ts'
import { createShadow } from './shadow.ts'

const name = (value: string): Condition => ({
  op: 'compare',
  test: 'equals',
  field: { kind: 'path', segments: ['name'] },
  value,
})
const ALWAYS: Condition = { op: 'always', value: true }
const shows = (condition: Condition, mayRaise = false) => ({ condition, mayRaise })
const rules = [makeRule('a', ''), makeRule('b', ''), makeRule('c', '')]

test('a rule is a candidate for the events that its condition holds for, an unknown one for all', () => {
  const prefilter = createPrefilter([shows(name('x')), undefined, shows(ALWAYS)], 'matching')
  expect([...prefilter.candidates({ name: 'x' })]).toEqual([0, 1, 2])
  expect([...prefilter.candidates({ name: 'y' })]).toEqual([1, 2])
  expect(prefilter.alwaysShown).toBe(2)
})

test('the whole condition counts, not only what the index looks up', () => {
  const both: Condition = { op: 'and', of: [name('x'), { op: 'exists', field: { kind: 'path', segments: ['more'] } }] }
  const prefilter = createPrefilter([shows(both)], 'matching')
  expect([...prefilter.candidates({ name: 'x' })]).toEqual([])
  expect([...prefilter.candidates({ name: 'x', more: 1 })]).toEqual([0])
})

test('with exact rule errors, a rule that could fail sees every event', () => {
  const prefilter = createPrefilter([shows(name('x'), true), shows(name('x'))], 'exact')
  expect([...prefilter.candidates({ name: 'y' })]).toEqual([0])
})

test('a rule that is no longer trusted sees every event', () => {
  const prefilter = createPrefilter([shows(name('x')), shows(name('y'))], 'matching')
  prefilter.distrust(1)
  expect([...prefilter.candidates({})]).toEqual([1])
})

test('events without candidates are dropped, and the others renumbered', () => {
  const prefilter = createPrefilter([shows(name('x')), shows(name('y'))], 'matching')
  const events = ['z', 'x', 'z', 'y', 'x'].map((text) => ({ name: text }))
  const { events: selected, byRule, shadowed } = selectEvents(events, prefilter, createShadow(0), 2)
  expect({ selected, byRule, shadowed: shadowed.size }).toEqual({ selected: [1, 3, 4], byRule: [[0, 2], [1]], shadowed: 0 })
})

test('the lists for a part of the events are relative to its beginning', () => {
  expect(sliceByRule([[0, 2, 5, 6], [1], [5]], 2, 4)).toEqual([[0, 3], [], [3]])
})

test('all rules see every nth event, across batches', () => {
  const prefilter = createPrefilter([shows(name('x')), shows(name('y'))], 'matching')
  const shadow = createShadow(3)
  const batch = [{ name: 'z' }, { name: 'z' }]
  const shown = [1, 2, 3].map(() => selectEvents(batch, prefilter, shadow, 2).events)
  expect(shown).toEqual([[], [0], [1]])
})

test('rare samples come in runs, the first as early as a single one would, and none are lost between batches', () => {
  const prefilter = createPrefilter([shows(name('x'))], 'matching')
  const shadow = createShadow(1000)
  const batch = Array.from({ length: 700 }, () => ({ name: 'z' }))
  const shown = Array.from({ length: 100 }, (_, at) => selectEvents(batch, prefilter, shadow, 1).events.map((i) => at * 700 + i))
  expect(shown.flat().slice(0, 16)).toEqual([...Array(15).keys()].map((i) => 999 + i).concat(999 + 15_000))
  expect(shown.flat()).toHaveLength(75)
  expect(shown.filter((events) => events.length > 0).length).toBeLessThanOrEqual(10)
})

test('one in every n events is sampled, whatever n is', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3000 }), (every) => {
      const shadow = createShadow(every)
      const period = 16 * every
      const sampled = Array.from({ length: 2 * period }, () => shadow.isSampled())
      expect(sampled.indexOf(true)).toBe(every - 1)
      const run = Math.min(Math.max(Math.floor(every / 64), 1), 16)
      const whole = run * every * Math.floor((2 * period) / (run * every))
      expect(sampled.slice(0, whole).filter(Boolean)).toHaveLength(whole / every)
    }),
    { numRuns: 40 },
  )
})

const match = (ruleId: string, event: number): Finding => ({
  kind: 'match',
  ruleId,
  event,
  title: '',
  dedup: '',
  severity: 'INFO',
  description: '',
  reference: '',
  runbook: '',
  destinations: undefined,
  alertContext: undefined,
  functionErrors: {},
})

test('a match that the prefilter would have missed is an error of the rule, once, and the rule is no longer filtered', () => {
  const prefilter = createPrefilter([shows(name('x')), shows(name('y')), shows(name('z'))], 'matching')
  const shadow = createShadow(1)
  const selection = selectEvents([{ name: 'x' }, { name: 'x' }], prefilter, shadow, 3)
  const error: Finding = { kind: 'error', ruleId: 'c', event: 0, cause: 'exception', message: 'failed' }
  const missed = shadow.check([match('a', 0), match('b', 0), error, match('b', 1)], selection, rules, prefilter)
  expect(missed.map(({ ruleId, event, cause }) => [ruleId, event, cause])).toEqual([['b', 0, 'prefilter']])
  expect(missed[0]!.message).toContain('/root/rules/b.py')
  expect([...prefilter.candidates({ name: 'q' })]).toEqual([1])
})

test('the analyser’s output is filed by log type and rule, and its own errors are reported once', () => {
  const text = JSON.stringify([
    ['A', 'r', name('x'), false, null],
    ['B', 'r', ALWAYS, true, 'r.py: KeyError'],
    ['B', 's', ALWAYS, true, 'r.py: KeyError'],
  ])
  const { byLogType, problems } = readConditions(text)
  expect(byLogType.get('A')?.get('r')).toEqual({ condition: name('x'), mayRaise: false })
  expect([...byLogType.get('B')!.keys()]).toEqual(['r', 's'])
  expect(problems).toEqual(['r.py: KeyError'])
})

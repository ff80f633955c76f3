import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { AlertWindow } from '../../model/alert.ts'
import type { Event } from '../../model/event.ts'
import type { JsonValue } from '../../model/json.ts'
import type { Match } from '../../model/match.ts'
import type { Rule } from '../../model/rule.ts'
import { MAX_COUNTED, summaryLine, topValues } from '../../model/summary.ts'
import type { Judged } from './step.ts'
import { summarise } from './summary.ts'

const COMMON = { p_log_type: 'T', p_row_id: 'r', p_event_time: '', p_parse_time: '', p_source_id: 's', p_source_label: 's' }

/** The counts after matches of these events. */
function summariesOf(events: readonly Record<string, JsonValue>[], summaryAttributes: readonly string[]) {
  const window = { body: {} } as AlertWindow
  for (const fields of events) {
    const event = { ...COMMON, p_schema_version: 1, ...fields } as Event
    const item: Judged = { finding: { kind: 'match' } as Match, event, text: () => '' }
    summarise(window, item, { summaryAttributes } as Partial<Rule> as Rule)
  }
  return window.body.summaries
}

const linesOf = (events: readonly Record<string, JsonValue>[], attributes: readonly string[]) =>
  topValues(summariesOf(events, attributes)).map((summary) => `${summary.attribute}: ${summaryLine(summary)}`)

test('fields, fields of objects, and elements of lists are counted once for each match', () => {
  const events = [
    { user: 'ann', port: 22, ips: ['a', 'b', 'a'], who: { name: 'x', ids: [{ id: 1n << 60n }] }, 'a.b': true },
    { user: 'ann', port: 443, ips: ['b'], who: { name: 'y', ids: [{ id: 2 }, { id: 2 }] }, a: { b: false } },
    { user: null, ips: [], who: 'no object' },
  ]
  expect(linesOf(events, ['user', 'port', 'ips', 'who:name', 'who.ids.id', 'a.b', 'nothing', 'toString'])).toEqual([
    'user: ann (2)',
    'port: 22 (1), 443 (1)',
    'ips: b (2), a (1)',
    'who:name: x (1), y (1)',
    'who.ids.id: 1152921504606846976 (1), 2 (1)',
    'a.b: true (1), false (1)',
  ])
})

test('a rule without summary attributes adds nothing to its alerts', () => {
  expect(summariesOf([{ user: 'ann' }], [])).toBeUndefined()
})

test('long values and many attributes are cut', () => {
  const attributes = Array.from({ length: 30 }, (_, i) => `f${i}`)
  const event = Object.fromEntries(attributes.map((name) => [name, 'x'.repeat(300)]))
  const summaries = topValues(summariesOf([event], attributes))
  expect([summaries.length, summaries[0]!.values[0]!.value.length]).toEqual([20, 201])
})

test('as long as there are few values, counts are exact and the five most frequent are shown', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...'abcdefghij'), { maxLength: 200 }), (users) => {
      const truth = new Map<string, number>()
      for (const user of users) truth.set(user, (truth.get(user) ?? 0) + 1)
      const wanted = [...truth].sort(([, a], [, b]) => b - a).slice(0, 5)
      const [summary] = topValues(
        summariesOf(
          users.map((user) => ({ user })),
          ['user'],
        ),
      )
      expect(summary?.values ?? []).toEqual(wanted.map(([value, count]) => ({ value, count })))
      expect(summary?.isEstimated ?? false).toBe(false)
    }),
  )
})

test('with more values than are counted, no frequent value is missed and no count is too high', () => {
  const user = fc.oneof(fc.constantFrom('root', 'admin'), fc.integer({ min: 0, max: 400 }).map(String))
  fc.assert(
    fc.property(fc.array(user, { minLength: 500, maxLength: 1500 }), (users) => {
      const truth = new Map<string, number>()
      for (const one of users) truth.set(one, (truth.get(one) ?? 0) + 1)
      const counts = summariesOf(
        users.map((one) => ({ user: one })),
        ['user'],
      )!
      const [{ values }] = counts as [(typeof counts)[number]]
      expect(values.length).toBeLessThanOrEqual(MAX_COUNTED)
      const known = new Map(values.map(([value, most, error]) => [value, { most, error }]))
      for (const [value, count] of truth) {
        const entry = known.get(value)
        if (count > users.length / MAX_COUNTED) expect(entry).toBeDefined()
        if (!entry) continue
        expect(entry.most).toBeGreaterThanOrEqual(count)
        expect(entry.most - entry.error).toBeLessThanOrEqual(count)
      }
    }),
    { numRuns: 30 },
  )
})

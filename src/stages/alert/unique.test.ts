import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type AlertWindow, NOTHING_KNOWN } from '../../model/alert.ts'
import type { Match } from '../../model/match.ts'
import type { Rule } from '../../model/rule.ts'
import { groupFindings, type Judged } from './step.ts'
import { FEW_VALUES, FEW_WINDOWS } from './unique.ts'

const rule = (threshold: number) =>
  new Map([
    [
      'R',
      {
        id: 'R',
        threshold,
        dedupPeriodMinutes: 60,
        severity: 'LOW',
        createAlert: true,
        source: { language: 'python', file: 'r.py', code: '' },
        tags: [],
        reports: {},
      } as unknown as Rule,
    ],
  ])

function match(unique: string | null | undefined, dedup = 'd'): Judged {
  const finding = {
    kind: 'match',
    ruleId: 'R',
    event: 0,
    title: 't',
    dedup,
    severity: 'LOW',
    functionErrors: {},
    ...(unique !== undefined && { unique }),
  } as unknown as Match
  return { finding, event: undefined, text: () => '' }
}

const CLOCK = { atMs: () => 1000, nowMs: 1000 }

/** Judges in batches, each starting with the stored window, as after a restart. Returns whether and when the window became an alert. */
async function openedAt(values: readonly (string | null | undefined)[], threshold: number, batchSize: number) {
  let kept: AlertWindow[] = []
  for (let from = 0; from < values.length; from += batchSize) {
    const batch = values.slice(from, from + batchSize).map((value) => match(value))
    const groups = new Map(kept.map((window) => [window.groupKey, { windows: [window], nextNumber: 2 }]))
    const { windows, opened } = groupFindings(batch, rule(threshold), CLOCK).decide({ groups, crowds: new Map() })
    if (opened.length > 0) return { at: from + batch.length, window: opened[0]! }
    kept = JSON.parse(JSON.stringify(windows)) as AlertWindow[]
  }
  return { at: undefined, window: kept[0] }
}

test.each([
  [['a', 'b', 'c'], 3, 3],
  [['a', 'a', 'a', 'b', 'b', 'c'], 3, 6],
  [['a', 'a', 'a', 'a'], 2, undefined],
  [['a'], 1, 1],
  [[null, null, 'a', null, 'b'], 2, 5],
  [[null, null, null], 1, undefined],
  // A match on which the function failed counts as one, before and after the first value.
  [['a', undefined, 'a', undefined], 3, 4],
  [[undefined, undefined, 'a'], 3, 3],
  [[undefined, undefined], 2, 2],
])('%j with a threshold of %i opens at match %s', async (values, threshold, at) => {
  expect((await openedAt(values, threshold, 1)).at).toBe(at)
})

test('each dedup string has its own values', async () => {
  const batch = [match('a', 'x'), match('b', 'y'), match('a', 'y')]
  const { opened } = groupFindings(batch, rule(2), CLOCK).decide(NOTHING_KNOWN)
  expect(opened.map(({ body }) => body.dedup)).toEqual(['y'])
})

test('an alert stores no values', async () => {
  const { window } = await openedAt(['a', 'b'], 2, 1)
  expect(window).toMatchObject({ opened: true, eventCount: 2 })
  expect(window!.body).not.toHaveProperty('unique')
})

test('a window becomes an alert when the distinct values reach the threshold, however they are split into batches', async () => {
  const given = fc.array(fc.option(fc.constantFrom(...'abcdefghij', '\ud800', '\0'), { nil: null }), { maxLength: 40 })
  await fc.assert(
    fc.asyncProperty(given, fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 7 }), async (values, threshold, size) => {
      const seen = new Set<string>()
      const first = values.findIndex((value) => value !== null && seen.add(value).size >= threshold)
      const at = first < 0 ? undefined : Math.min(values.length, Math.ceil((first + 1) / size) * size)
      expect((await openedAt(values, threshold, size)).at).toBe(at)
    }),
    { seed: 7, numRuns: 200 },
  )
})

test('beyond the number of stored values the count is an estimate within a few per cent, and marked as such', async () => {
  const threshold = 40_000
  const values = Array.from({ length: 50_000 }, (_, i) => `value ${i}`)
  const { at, window: alert } = await openedAt(values, threshold, 1000)
  expect(alert!.body.unique).toEqual({ values: [], plain: 0, estimated: true })
  expect(Math.abs(at! - threshold) / threshold).toBeLessThan(0.05)
  const { window } = await openedAt(values.slice(0, 20_000), threshold, 20_000)
  expect(window!.body.unique).toMatchObject({ estimated: true, values: { length: 10_000 } })
})

test('a rule with many windows stores few values in each further one, and reports when it estimates', () => {
  const crowds = new Map([['R', FEW_WINDOWS + 1]])
  const many = Array.from({ length: 2000 }, (_, i) => match(`value ${i}`))
  const few = groupFindings(many, rule(5000), CLOCK).decide({ groups: new Map(), crowds })
  expect(few.windows[0]!.body.unique).toMatchObject({ values: { length: FEW_VALUES }, estimated: true })
  expect(few.limits).toEqual([{ ruleId: 'R', what: 'unique', n: 1 }])
  const opened = groupFindings(many, rule(1000), CLOCK).decide({ groups: new Map(), crowds })
  expect(opened.opened).toHaveLength(1)
  const exact = groupFindings(many, rule(5000), CLOCK).decide(NOTHING_KNOWN)
  expect(exact.windows[0]!.body.unique).toMatchObject({ values: { length: 2000 }, estimated: false })
  expect(exact.limits).toEqual([])
})

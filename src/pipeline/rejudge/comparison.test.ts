import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { AlertWindow } from '../../model/alert.ts'
import type { RuleComparison } from '../../model/replay.ts'
import { window as windowOf } from '../../state/state.fixture.ts'
import { comparedAlerts, NO_DIFFERENCE } from './comparison.ts'

interface Span {
  readonly ruleId: string
  readonly dedup: string
  readonly startMs: number
  readonly ms: number
}

const { body } = windowOf()

function windowsOf(spans: readonly Span[]): AlertWindow[] {
  return spans.map(({ ruleId, dedup, startMs, ms }, i) =>
    windowOf({ ruleId, startMs, endMs: startMs + ms, alertId: `${i}`.padStart(32, '0'), body: { ...body, dedup } }),
  )
}

const ruleOf = (ruleId: string): RuleComparison => ({
  ruleId,
  change: 'changed',
  matches: NO_DIFFERENCE,
  alerts: NO_DIFFERENCE,
  errors: { before: 0, after: 0 },
  addedAlerts: [],
  removedAlerts: [],
})

/** The definition, pair by pair. */
function aloneByDefinition(windows: readonly AlertWindow[], others: readonly AlertWindow[], rule: string): AlertWindow[] {
  return windows.filter(
    (one) =>
      one.ruleId === rule &&
      !others.some(
        ({ ruleId, body: { dedup }, startMs, endMs }) =>
          ruleId === rule && dedup === one.body.dedup && startMs < one.endMs && one.startMs < endMs,
      ),
  )
}

const side = fc.array(
  fc.record({
    ruleId: fc.constantFrom('A', 'B'),
    dedup: fc.constantFrom('x', 'y'),
    startMs: fc.oneof(
      { weight: 9, arbitrary: fc.integer({ min: 0, max: 40 }) },
      { weight: 1, arbitrary: fc.constant(Number.NaN) },
    ),
    ms: fc.integer({ min: 1, max: 12 }),
  }),
  { maxLength: 14 },
)

test('the alerts of one side only are those that the definition says, whether windows of a side overlap or not', () => {
  fc.assert(
    fc.property(side, side, (was, is) => {
      const [before, after] = [windowsOf(was), windowsOf(is)]
      for (const rule of comparedAlerts([ruleOf('A'), ruleOf('B')], { before, after })) {
        const { ruleId } = rule
        const added = aloneByDefinition(after, before, ruleId)
        const removed = aloneByDefinition(before, after, ruleId)
        const count = (some: readonly AlertWindow[]) => some.filter((one) => one.ruleId === ruleId).length
        expect(rule.alerts).toEqual({
          before: count(before),
          after: count(after),
          added: added.length,
          removed: removed.length,
        })
        const ids = (some: readonly { readonly alertId: string }[]) => some.map(({ alertId }) => alertId).sort()
        if (added.length <= 10) expect(ids(rule.addedAlerts)).toEqual(ids(added))
        if (removed.length <= 10) expect(ids(rule.removedAlerts)).toEqual(ids(removed))
      }
    }),
    { numRuns: 500 },
  )
})

test('listed alerts are the first ones', () => {
  const many = Array.from({ length: 30 }, (_, i) => ({ ruleId: 'A', dedup: 'x', startMs: 1000 - i, ms: 1 }))
  const [{ addedAlerts } = ruleOf('A')] = comparedAlerts([ruleOf('A')], { before: [], after: windowsOf(many) })
  expect(addedAlerts.map(({ alertId }) => Number(alertId))).toEqual([29, 28, 27, 26, 25, 24, 23, 22, 21, 20])
})

test('100,000 windows of one dedup string are compared in little CPU time, however many rules there are', () => {
  const spans = (from: number) =>
    Array.from({ length: 100_000 }, (_, i) => ({ ruleId: 'A', dedup: 'x', startMs: i * 10 + from, ms: 5 }))
  const rules = [...Array.from({ length: 1000 }, (_, i) => ruleOf(`Other${i}`)), ruleOf('A')]
  const alerts = { before: windowsOf(spans(0)), after: windowsOf(spans(5)) }
  const start = process.cpuUsage()
  const compared = comparedAlerts(rules, alerts)
  const { user, system } = process.cpuUsage(start)
  expect(compared.at(-1)!.alerts).toEqual({ before: 100_000, after: 100_000, added: 100_000, removed: 100_000 })
  // Pair by pair it takes minutes.
  expect((user + system) / 1e6).toBeLessThan(5)
})

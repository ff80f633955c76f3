import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Position } from './remembered.ts'
import type { WindowSpec } from './spec.ts'
import { isBehind, missedHours, spanAt } from './windows.ts'

const HOUR = 3_600_000
const NOW = 1_710_288_000_000

const terms = fc
  .record({
    overlap_minutes: fc.integer({ min: 0, max: 3000 }),
    delay_seconds: fc.integer({ min: 0, max: 7200 }),
    max_hours: fc.integer({ min: 1, max: 48 }),
    reach_hours: fc.option(fc.integer({ min: 1, max: 400 }), { nil: undefined }),
    startHours: fc.integer({ min: 0, max: 500 }),
    downHours: fc.integer({ min: 0, max: 500 }),
  })
  .map(({ startHours, downHours, ...window }) => ({
    window: { format: 'iso', ...window } as WindowSpec,
    startMs: startHours * HOUR,
    downHours,
  }))

test('windows follow each other up to the present without a gap, and without end', () => {
  fc.assert(
    fc.property(terms, ({ downHours, ...rest }) => {
      const { window } = rest
      let position: Position = {}
      let now = NOW
      let end: number | undefined
      for (let i = 0; i < 2000; i++) {
        // Once, the program does not run for a while.
        if (i === 3) now += downHours * HOUR
        const span = spanAt(position, now, rest)
        if (!span) {
          if (i > 3) break
          now += 60_000
          continue
        }
        expect(span.toMs).toBeLessThanOrEqual(now - window.delay_seconds * 1000)
        if (window.reach_hours !== undefined) expect(now - span.fromMs).toBeLessThanOrEqual(window.reach_hours * HOUR)
        // Nothing between two windows is left out, except what is out of reach, which is reported.
        if (end !== undefined && span.fromMs > end) expect(missedHours(position, span)).toBeGreaterThan(0)
        // It says the same while its pages are read.
        expect(spanAt(span, now + 5 * HOUR, rest)).toEqual(span)
        expect(end === undefined || span.toMs > end).toBe(true)
        end = span.toMs
        position = { fromMs: end }
        if (!isBehind(end, now, rest)) {
          if (i > 3) break
          now += 60_000
        }
      }
      const reachable = window.reach_hours === undefined || window.reach_hours * HOUR > window.delay_seconds * 1000 + 2 * HOUR
      if (end !== undefined && reachable) expect(now - window.delay_seconds * 1000 - end).toBeLessThanOrEqual(HOUR)
    }),
    { numRuns: 300, seed: 11 },
  )
})

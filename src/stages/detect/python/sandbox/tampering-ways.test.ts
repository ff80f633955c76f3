import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { PythonDetector } from '../detector.ts'
import { python } from '../index.ts'
import { errorsOf, makeBatch, makeRule, matchesOf } from '../rule.fixture.ts'
import { PRELUDE, WAYS } from './tampering-ways.fixture.ts'

// Each tampering rule that is noticed costs a child.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

/** Matches every event unless something that it uses has been changed. */
const VICTIM = `
  import re, collections.abc, decimal
  WANTED = 1
  ALLOWED = [1]
  def rule(event):
      return (
          event.get('N') == WANTED and event['n'] in ALLOWED and not isinstance('', collections.abc.Mapping)
          and decimal.Decimal(1) / 3 > decimal.Decimal('0.33') and event.get('missing') is None
      )
  def title(event): return f"n is {event.get('n')}"
`

let detector: PythonDetector
beforeAll(async () => {
  const rules = WAYS.flatMap(({ body }, i) => {
    const hidden = body.startsWith('getattr') || body.startsWith('re.')
    const indented = body.replaceAll(/^/gm, '    ')
    const extra = { logTypes: [`Way.${i}`] }
    return [
      makeRule(`Before${i}`, VICTIM, extra),
      makeRule(`Bad${i}`, `${hidden ? 'import re' : PRELUDE}\ndef rule(event):\n${indented}\n    return False\n`, extra),
      makeRule(`After${i}`, VICTIM, extra),
    ]
  })
  detector = await python.create({ rules, helpers: [] }, { timeoutMs: 2000, all: false })
})
afterAll(() => detector.close())

test('every way can be loaded', () => {
  expect(detector.setupErrors).toEqual([])
})

test.each(WAYS.map((way, i) => [way.way, way, i] as const))('%s', async (_, { outcome, what }, i) => {
  const batch = makeBatch([{ n: 1 }, { n: 1 }], `Way.${i}`)
  const { pid } = detector
  for (const round of [1, 2]) {
    const findings = await detector.evaluate(batch)
    if (outcome !== 'documented') {
      expect(matchesOf(findings).map((m) => [m.ruleId, m.event, m.title])).toEqual(
        [0, 1].flatMap((event) => [`Before${i}`, `After${i}`].map((id) => [id, event, 'n is 1'])),
      )
    }
    const tampering = errorsOf(findings).filter(({ cause }) => cause === 'tampering')
    expect(
      tampering.map(({ ruleId, event }) => [ruleId, event]),
      tampering[0]?.message,
    ).toEqual(outcome === 'noticed' ? [0, 1].map((event) => [`Bad${i}`, event]) : [])
    if (what && round === 1) expect(tampering[0]!.message).toMatch(what)
    expect(errorsOf(findings).every(({ ruleId }) => ruleId === `Bad${i}`)).toBe(true)
  }
  expect(detector.pid === pid).toBe(outcome !== 'noticed')
})

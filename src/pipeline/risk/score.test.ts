import fc from 'fast-check'
import { expect, test } from 'vitest'
import { noRisk, type RiskPoint, withPoint } from './score.ts'

const HOUR_MS = 3_600_000
const settings = { halfLifeMs: 6 * HOUR_MS, threshold: 100 }

const points = fc.array(
  fc.record({
    ruleId: fc.constantFrom('A', 'B', 'C', 'D'),
    score: fc.integer({ min: 1, max: 100 }),
    // Mostly forward, sometimes back.
    stepMs: fc.integer({ min: -HOUR_MS, max: 8 * HOUR_MS }),
    dedupMs: fc.constantFrom(0, HOUR_MS, 24 * HOUR_MS),
  }),
  { maxLength: 40 },
)

/** Remembers every point that counted, and adds them all up again each time. */
class Oracle {
  readonly counted: { ruleId: string; score: number; atMs: number }[] = []
  #nowMs = Number.NEGATIVE_INFINITY
  #isAlerted = false

  risk(nowMs: number): number {
    return this.counted.reduce((sum, { score, atMs }) => sum + score / 2 ** ((nowMs - atMs) / settings.halfLifeMs), 0)
  }

  /** `undefined`: it does not count. */
  add({ ruleId, score, atMs, dedupMs }: RiskPoint): { risk: number; before: number; isReached: boolean } | undefined {
    const times = this.counted.filter((one) => one.ruleId === ruleId).map((one) => one.atMs)
    if (times.length > 0 && Math.abs(Math.max(...times) - atMs) < dedupMs) return undefined
    this.#nowMs = Math.max(this.#nowMs, atMs)
    const before = this.risk(this.#nowMs)
    if (before < settings.threshold) this.#isAlerted = false
    this.counted.push({ ruleId, score, atMs })
    const risk = this.risk(this.#nowMs)
    const isReached = !this.#isAlerted && risk >= settings.threshold
    this.#isAlerted ||= isReached
    return { risk, before, isReached }
  }
}

const isNear = (risk: number) => Math.abs(risk - settings.threshold) < 1e-6

test('risk is the sum of all points, each decayed since, and the threshold is reached once until it is below', () => {
  fc.assert(
    fc.property(points, (steps) => {
      const oracle = new Oracle()
      let entity = noRisk({ field: 'p_any_usernames', value: 'ana' })
      let atMs = 1_700_000_000_000
      for (const { stepMs, ...step } of steps) {
        atMs += stepMs
        const point = { ...step, atMs }
        const [next, expected] = [withPoint(entity, point, settings), oracle.add(point)]
        expect(next === undefined).toBe(expected === undefined)
        if (!next || !expected) continue
        // A sum that is the threshold but for rounding may be either.
        fc.pre(!isNear(expected.risk) && !isNear(expected.before))
        entity = next.entity
        expect(entity.score).toBeCloseTo(expected.risk, 6)
        expect(next.isReached).toBe(expected.isReached)
        const shares = entity.shares.reduce(
          (sum, { points: own, lastMs }) => sum + own / 2 ** ((entity.atMs - lastMs) / settings.halfLifeMs),
          0,
        )
        expect(shares).toBeCloseTo(expected.risk, 6)
      }
    }),
  )
})

test('points of the same time add up to the same risk in any order', () => {
  const given = [30, 40, 20].map((score, i) => ({ ruleId: `R${i}`, score, atMs: 1_700_000_000_000 + i * HOUR_MS, dedupMs: 0 }))
  const riskOf = (some: readonly RiskPoint[]) =>
    some.reduce((entity, point) => withPoint(entity, point, settings)!.entity, noRisk({ field: 'p_any_emails', value: 'a@b' }))
      .score
  expect(riskOf([...given].reverse())).toBeCloseTo(riskOf(given), 9)
})

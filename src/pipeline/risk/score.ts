import { decayed, type EntityRef, type RiskEntity, type RiskSettings, type RiskShare } from '../../model/risk.ts'

/** Rules whose share of an entity's risk is remembered, the last ones. */
export const MAX_SHARES = 50

/** A match that may add to an entity's risk. */
export interface RiskPoint {
  readonly ruleId: string
  readonly score: number
  readonly atMs: number
  /** The rule counts once in this time. */
  readonly dedupMs: number
}

/** An entity without risk. */
export function noRisk({ field, value }: EntityRef): RiskEntity {
  return { field, value, score: 0, atMs: Number.NEGATIVE_INFINITY, isAlerted: false, shares: [] }
}

/**
 * The entity with the point added; `undefined` if it does not count, because the rule has counted within its dedup period. `isReached`: the
 * threshold is reached now, and was not since the risk was last below it.
 */
export function withPoint(
  entity: RiskEntity,
  { ruleId, score, atMs, dedupMs }: RiskPoint,
  { halfLifeMs, threshold }: Pick<RiskSettings, 'halfLifeMs' | 'threshold'>,
): { readonly entity: RiskEntity; readonly isReached: boolean } | undefined {
  const own = entity.shares.find((share) => share.ruleId === ruleId)
  if (own && Math.abs(atMs - own.lastMs) < dedupMs) return undefined
  // Records of different sources are not committed in the order of their receipt.
  const nowMs = Math.max(entity.atMs, atMs)
  const before = decayed(entity.score, nowMs - entity.atMs, halfLifeMs)
  const after = before + decayed(score, nowMs - atMs, halfLifeMs)
  const wasAlerted = entity.isAlerted && before >= threshold
  const shares = [...entity.shares.filter((share) => share !== own), shareOf(own, { ruleId, score, atMs }, halfLifeMs)]
  const isReached = !wasAlerted && after >= threshold
  return {
    entity: { ...entity, score: after, atMs: nowMs, isAlerted: wasAlerted || isReached, shares: shares.slice(-MAX_SHARES) },
    isReached,
  }
}

function shareOf(own: RiskShare | undefined, { ruleId, score, atMs }: Omit<RiskPoint, 'dedupMs'>, halfLifeMs: number): RiskShare {
  const lastMs = Math.max(own?.lastMs ?? atMs, atMs)
  const points = (own ? decayed(own.points, lastMs - own.lastMs, halfLifeMs) : 0) + decayed(score, lastMs - atMs, halfLifeMs)
  return { ruleId, points, times: (own?.times ?? 0) + 1, lastMs }
}

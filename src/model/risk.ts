import type { IndicatorField } from './event.ts'
import type { Severity } from './rule.ts'

/** What a rule without `RiskScore` adds to the risk of an entity. */
export const SEVERITY_RISK: Readonly<Record<Severity, number>> = { INFO: 0, LOW: 5, MEDIUM: 15, HIGH: 40, CRITICAL: 80 }

/** How risk adds up. */
export interface RiskSettings {
  /** Milliseconds in which risk decays to its half. */
  readonly halfLifeMs: number
  /** An entity whose risk reaches this gets an alert. */
  readonly threshold: number
  /** The indicators that are entities. */
  readonly fields: readonly IndicatorField[]
  /** Above this number, entities with the least risk are forgotten. */
  readonly maxEntities: number
}

/** What one rule has added to an entity's risk. */
export interface RiskShare {
  readonly ruleId: string
  /** Decayed to the time of the last match that counted. */
  readonly points: number
  readonly times: number
  /** Time of the last match that counted, epoch ms. */
  readonly lastMs: number
}

/** A value of an indicator that matches name, and its risk. */
export interface RiskEntity {
  readonly field: IndicatorField
  readonly value: string
  /** At the time `atMs`, epoch ms. */
  readonly score: number
  readonly atMs: number
  /** It has an alert, and was not below the threshold since. */
  readonly isAlerted: boolean
  /** By rule, the last ones at the end. */
  readonly shares: readonly RiskShare[]
}

export type EntityRef = Pick<RiskEntity, 'field' | 'value'>

/** Changed entities, and the limits that apply when they are stored. */
export interface RiskChanges extends Pick<RiskSettings, 'halfLifeMs' | 'maxEntities'> {
  readonly entities: readonly RiskEntity[]
}

/** Where risk is kept; reads return what the last transaction left. */
export interface RiskStore {
  read(refs: readonly EntityRef[]): Promise<readonly RiskEntity[]>
}

/** A score after some time. */
export function decayed(score: number, ms: number, halfLifeMs: number): number {
  return ms <= 0 ? score : score * 2 ** (-ms / halfLifeMs)
}

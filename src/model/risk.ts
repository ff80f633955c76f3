import type { IndicatorField } from './event.ts'
import { addressNumber } from './ip-range.ts'
import { addressText } from './ip-text.ts'
import type { Severity } from './rule.ts'

/** The kind of entity that an indicator is, as `caracal timeline --kind` has it. */
export const ENTITY_KINDS = {
  p_any_ip_addresses: 'ip',
  p_any_domain_names: 'domain',
  p_any_emails: 'email',
  p_any_usernames: 'user',
  p_any_md5_hashes: 'hash',
  p_any_sha1_hashes: 'hash',
  p_any_sha256_hashes: 'hash',
  p_any_aws_arns: 'arn',
  p_any_aws_account_ids: 'account',
  p_any_aws_instance_ids: 'instance',
  p_any_aws_tags: 'tag',
  p_any_trace_ids: 'trace',
} as const satisfies Record<IndicatorField, string>

export type EntityKind = (typeof ENTITY_KINDS)[IndicatorField]

/** The one spelling under which the risk of an entity is kept. */
export function entityText(field: IndicatorField, value: string): string {
  if (field !== 'p_any_ip_addresses') return value.toLowerCase()
  const number = addressNumber(value)
  return number ? addressText(number.family, number.value) : value
}

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

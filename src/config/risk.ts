import { z } from 'zod'
import { INDICATOR_FIELDS, type IndicatorField } from '../model/event.ts'
import type { RiskSettings } from '../model/risk.ts'
import type { Config } from './config.ts'

const PREFIX = 'p_any_'
const KINDS = INDICATOR_FIELDS.map((field) => field.slice(PREFIX.length))

/** How the risk of entities adds up. */
export const riskSchema = z.strictObject({
  threshold: z.number().min(1).max(100_000).default(100).describe('An entity whose risk reaches this gets an alert.'),
  half_life_hours: z.number().min(0.1).max(8760).default(24).describe('Hours in which risk decays to its half.'),
  entities: z
    .array(z.enum(KINDS as [string, ...string[]]))
    .min(1)
    .default(['ip_addresses', 'usernames', 'emails', 'aws_arns', 'aws_instance_ids'])
    .describe('The indicators that are entities, as `monitor.indicators` names their kinds.'),
  max_entities: z
    .int()
    .min(100)
    .max(1_000_000)
    .default(100_000)
    .describe('Above this number, the entities with the least risk are forgotten.'),
})

/** The settings as the pipeline takes them; `undefined` if risk is off. */
export function riskSettings({ risk }: Pick<Config, 'risk'>): RiskSettings | undefined {
  if (!risk) return undefined
  return {
    threshold: risk.threshold,
    halfLifeMs: risk.half_life_hours * 3_600_000,
    fields: risk.entities.map((kind) => `${PREFIX}${kind}` as IndicatorField),
    maxEntities: risk.max_entities,
  }
}

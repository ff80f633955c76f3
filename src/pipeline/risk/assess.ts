import { type Event, INDICATOR_FIELDS, type IndicatorField } from '../../model/event.ts'
import type { Match } from '../../model/match.ts'
import {
  type EntityRef,
  entityText,
  type RiskEntity,
  type RiskSettings,
  type RiskStore,
  SEVERITY_RISK,
} from '../../model/risk.ts'
import type { Rule } from '../../model/rule.ts'
import type { AlertClock, Judged } from '../../stages/alert/step.ts'
import type { Correlated } from '../steps.ts'
import { riskMatch } from './risk-rule.ts'
import { noRisk, withPoint } from './score.ts'

/** Entity risk as a generation has it. */
export interface Risk {
  readonly settings: RiskSettings
  readonly store: RiskStore
}

/** Entities that one event may have: an event can list thousands of addresses. */
const MAX_PER_EVENT = 50
const MAX_VALUE_BYTES = 2048

/**
 * Adds the matches' scores to the risk of the entities that their events name, and a match of the built-in rule for each entity that
 * reaches the threshold. Reads what the last transaction left, so it must be the turn of the batch.
 */
export async function assess<T extends Correlated>(
  found: T,
  risk: Risk | undefined,
  rules: ReadonlyMap<string, Rule>,
  { atMs }: Pick<AlertClock, 'atMs'>,
): Promise<T> {
  if (!risk) return found
  const { settings, store } = risk
  const points = found.judged.flatMap((item) => pointsOf(item, rules, settings.fields))
  if (points.length === 0) return found
  const refs = new Map(points.flatMap(({ refs }) => refs.map((ref) => [keyOf(ref), ref] as const)))
  const entities = new Map((await store.read([...refs.values()])).map((entity) => [keyOf(entity), entity]))
  const changed = new Map<string, RiskEntity>()
  const reached: Judged[] = []
  for (const { item, match, score, dedupMs, refs: own } of points) {
    for (const ref of own) {
      const key = keyOf(ref)
      const point = { ruleId: match.ruleId, score, dedupMs, atMs: atMs(item) }
      const next = withPoint(entities.get(key) ?? noRisk(ref), point, settings)
      if (!next) continue
      entities.set(key, next.entity)
      changed.set(key, next.entity)
      if (next.isReached) reached.push({ ...item, finding: riskMatch(next.entity, match, settings, rules), isWider: true })
    }
  }
  const { halfLifeMs, maxEntities } = settings
  return {
    ...found,
    judged: [...found.judged, ...reached],
    risk: { entities: [...changed.values()], halfLifeMs, maxEntities },
  }
}

interface MatchPoints {
  readonly item: Judged
  readonly match: Match
  readonly score: number
  readonly dedupMs: number
  readonly refs: readonly EntityRef[]
}

/** A match without an event, such as that of a correlation rule, names nothing: the matches that it is about have counted. */
function pointsOf(item: Judged, rules: ReadonlyMap<string, Rule>, fields: readonly IndicatorField[]): MatchPoints[] {
  const { finding, event } = item
  if (finding.kind !== 'match' || !event) return []
  const rule = rules.get(finding.ruleId)
  const score = rule?.riskScore ?? SEVERITY_RISK[finding.severity]
  if (score === 0) return []
  const refs = entitiesOf(event, fields)
  return refs.length === 0 ? [] : [{ item, match: finding, score, dedupMs: (rule?.dedupPeriodMinutes ?? 60) * 60_000, refs }]
}

/** What an event names, each once, in one spelling. */
export function entitiesOf(event: Event, fields: readonly IndicatorField[]): EntityRef[] {
  const refs = new Map<string, EntityRef>()
  for (const field of INDICATOR_FIELDS) {
    const values = fields.includes(field) ? event[field] : undefined
    if (!Array.isArray(values)) continue
    for (const given of values as readonly string[]) {
      if (refs.size === MAX_PER_EVENT) return [...refs.values()]
      if (Buffer.byteLength(given) > MAX_VALUE_BYTES || given.includes('\0') || !given.isWellFormed()) continue
      const ref = { field, value: entityText(field, given) }
      refs.set(keyOf(ref), ref)
    }
  }
  return [...refs.values()]
}

function keyOf({ field, value }: EntityRef): string {
  return `${field} ${value}`
}

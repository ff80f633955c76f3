import type { Kysely } from 'kysely'
import type { StateTables } from './tables.ts'

const DAY_MS = 86_400_000
/** Maximum number of alerts that are counted for one answer: reading blocks the reader's thread. */
export const MAX_COUNTED = 50_000

/** The alerts of one rule since a time, in numbers. */
export interface RuleAlerts {
  readonly alerts: number
  /** Matches in them. */
  readonly matches: number
  /** Alerts that people found useful, or noise. */
  readonly useful: number
  readonly noise: number
  /** When the last was raised, epoch ms. */
  readonly lastMs: number | undefined
  /** By the UTC day on which they were raised, oldest first; days without alerts are left out. */
  readonly days: readonly { readonly day: string; readonly alerts: number; readonly matches: number }[]
  /** There are more: these are the newest `MAX_COUNTED`. */
  readonly isCut: boolean
}

/** The alerts of a rule since a time, and what people thought of them. */
export interface AlertQuality {
  readonly ruleId: string
  readonly alerts: number
  readonly useful: number
  readonly noise: number
}

/** The newest `MAX_COUNTED` opened alerts since a time, by rule. Rules without any are left out. */
export async function alertQualities(db: Kysely<StateTables>, sinceMs: number): Promise<AlertQuality[]> {
  const newest = db
    .selectFrom('alerts')
    .select(['rule_id', 'quality'])
    .where('opened', '=', 1)
    .where('created_ms', '>=', sinceMs)
    .orderBy('created_ms', 'desc')
    .limit(MAX_COUNTED)
  const rows = await db
    .selectFrom(newest.as('newest'))
    .select(['rule_id', 'quality', ({ fn }) => fn.countAll<number>().as('n')])
    .groupBy(['rule_id', 'quality'])
    .execute()
  const found = new Map<string, { ruleId: string; alerts: number; useful: number; noise: number }>()
  for (const { rule_id: ruleId, quality, n } of rows) {
    const counts = found.get(ruleId) ?? { ruleId, alerts: 0, useful: 0, noise: 0 }
    found.set(ruleId, counts)
    counts.alerts += Number(n)
    if (quality === 'USEFUL') counts.useful += Number(n)
    if (quality === 'NOISE') counts.noise += Number(n)
  }
  return [...found.values()]
}

/** Counts a rule's opened alerts since a time, including those that a mute covers. */
export async function ruleAlerts(db: Kysely<StateTables>, ruleId: string, sinceMs: number): Promise<RuleAlerts> {
  const rows = await db
    .selectFrom('alerts')
    .select(['created_ms', 'event_count', 'quality'])
    .where('rule_id', '=', ruleId)
    .where('opened', '=', 1)
    .where('created_ms', '>=', sinceMs)
    .orderBy('created_ms', 'desc')
    .limit(MAX_COUNTED + 1)
    .execute()
  const counted = rows.slice(0, MAX_COUNTED)
  const days = new Map<number, { alerts: number; matches: number }>()
  for (const { created_ms: createdMs, event_count: matches } of counted) {
    const at = Math.floor(createdMs / DAY_MS)
    const day = days.get(at) ?? { alerts: 0, matches: 0 }
    days.set(at, { alerts: day.alerts + 1, matches: day.matches + matches })
  }
  return {
    alerts: counted.length,
    matches: counted.reduce((sum, row) => sum + row.event_count, 0),
    useful: counted.filter(({ quality }) => quality === 'USEFUL').length,
    noise: counted.filter(({ quality }) => quality === 'NOISE').length,
    lastMs: counted[0]?.created_ms,
    days: [...days]
      .sort(([a], [b]) => a - b)
      .map(([at, counts]) => ({ day: new Date(at * DAY_MS).toISOString().slice(0, 10), ...counts })),
    isCut: rows.length > MAX_COUNTED,
  }
}

import type { Decision, OtherEffects } from '../model/batch.ts'
import type { RuleError } from '../model/match.ts'
import type { Judged } from '../stages/alert/step.ts'
import { readPastSignals } from '../stages/detect/correlation/past-signals.ts'
import { type CorrelationRule, rememberedFrom, type Signal } from '../stages/detect/correlation/rule.ts'
import { storedSignals } from '../stages/store/stored-signals.ts'
import { type Correlation, correlateRemembered } from './correlate.ts'
import type { Memory } from './correlation-runs.ts'
import { type EffectsDeps, effectsOfCorrelated } from './effects.ts'

/** The key in state of the versions of the correlation rules that ran last. */
export const LAST_RULES = 'correlation-rules'

/** Maximum number of stored signals read at once, the latest. */
export const MAX_PAST = 20_000

export interface LookBackDeps {
  readonly correlation: Correlation
  readonly memory: Memory
  /** Queries the lake, which contains everything committed. Rows are JSON array texts. */
  readonly query: (sql: string, maxRows: number) => Promise<readonly string[]>
  /** Signals committed since `query` was called, in the same form; some of them may be in its result too. */
  readonly since?: () => readonly string[]
  readonly nowMs: number
}

/**
 * What new and changed correlation rules find in stored signals: a new rule did not see what happened an hour ago, and an edited one has
 * lost its memory. To be committed before the first batch; `undefined` if all rules are unchanged. Rejects if the lake does not answer:
 * nothing is stored then, so the next start tries again.
 */
export async function lookBack({
  correlation,
  memory,
  query,
  since = () => [],
  nowMs,
}: LookBackDeps): Promise<((deps: EffectsDeps) => Promise<Decision<OtherEffects> | undefined>) | undefined> {
  const rules = [...correlation.rules.values()]
  const versions = JSON.stringify(Object.fromEntries(rules.map(({ id, version }) => [id, version]).sort()))
  const before = await memory.get(LAST_RULES)
  if (before === versions) return undefined
  const known = new Map(Object.entries(JSON.parse(before ?? '{}') as Record<string, string>))
  const fresh = rules.filter(({ id, version }) => known.get(id) !== version)
  const rows = fresh.length > 0 ? await query(pastSignals(fresh, nowMs), MAX_PAST) : []
  const signals = readPastSignals(rows, correlation.rules)
  const cut = rows.length < MAX_PAST ? [] : fresh.flatMap((rule) => cutNotice(rule, signals, nowMs))
  const unread = rows.length - signals.length
  if (unread > 0) cut.push(...fresh.map(({ id }) => notice(id, `${unread} of the stored signals cannot be read and are skipped`)))
  const ids = new Set(fresh.map(({ id }) => id))
  const isNeeded = ({ ruleId, timeMs }: Signal) => {
    const inner = ids.has(ruleId) ? correlation.rules.get(ruleId) : undefined
    // What a new or changed rule reports again is then a new signal.
    return !inner || timeMs < nowMs - inner.lookbackMs
  }
  return async (deps) => {
    const members = new Set(fresh.flatMap((rule) => rule.members.map(({ ruleId }) => ruleId)))
    const seen = new Set(signals.map(keyOf))
    const later = readPastSignals(since(), correlation.rules).filter((one) => members.has(one.ruleId) && !seen.has(keyOf(one)))
    const replayed = [...later, ...signals].filter(isNeeded).sort((a, b) => b.timeMs - a.timeMs)
    const found = await correlateRemembered(correlation, ids, replayed, nowMs)
    return effectsOfCorrelated({ ...found, judged: [...found.judged, ...cut] }, new Map([[LAST_RULES, versions]]), deps)
  }
}

function keyOf({ ruleId, rowId }: Signal): string {
  return `${ruleId}\0${rowId}`
}

/** Reported if the signals that were read begin within the rule's look-back. */
function cutNotice(rule: CorrelationRule, signals: readonly Signal[], nowMs: number): Judged[] {
  const { id } = rule
  const oldestMs = signals.at(-1)?.timeMs ?? nowMs
  if (oldestMs <= rememberedFrom(rule, nowMs)) return []
  const since = new Date(oldestMs).toISOString()
  return [notice(id, `it has only seen the stored signals since ${since}, not all of its look-back, because there are too many`)]
}

function notice(ruleId: string, what: string): Judged {
  const message = `Correlation rule '${ruleId}' is new or changed, and ${what}.`
  const finding: RuleError = { kind: 'error', ruleId, event: -1, cause: 'exception', message }
  return { finding, event: undefined, text: () => '' }
}

/** The stored signals that the rules would have had within their look-back. */
function pastSignals(rules: readonly CorrelationRule[], nowMs: number): string {
  const ruleIds = [...new Set(rules.flatMap(({ members }) => members.map(({ ruleId }) => ruleId)))]
  const fromMs = Math.min(...rules.map((rule) => rememberedFrom(rule, nowMs)))
  return storedSignals({ ruleIds, fromMs, most: MAX_PAST })
}

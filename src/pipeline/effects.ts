import type { BatchEffects, Cursor, Decision, FinishedRows, OtherEffects, RecordedBatch } from '../model/batch.ts'
import type { RuleError } from '../model/match.ts'
import type { RowOrigin } from '../model/schema.ts'
import { type CorrelationFindings, correlate, correlateDue } from './correlate.ts'
import { countsOf } from './counts.ts'
import { type EncodeDeps, encode } from './encode.ts'
import type { Generation } from './generation.ts'
import { decided, group } from './group.ts'
import { assess } from './risk/assess.ts'
import { RULE_ERRORS, rowsOf, ruleErrorRow } from './rows.ts'
import { type Correlated, type Findings, type GroupedBatch, NO_RECORDS } from './steps.ts'

export interface EffectsDeps extends EncodeDeps {
  /** The generation that judged the input. */
  readonly generation: Pick<Generation, 'hash' | 'rules' | 'correlation' | 'risk'>
  readonly nowMs: number
}

/** All effects of a grouped batch, ready for one transaction. */
export function effectsOf(
  batch: RecordedBatch,
  cursor: Cursor,
  grouped: GroupedBatch<readonly FinishedRows[]>,
  origin: RowOrigin,
  deps: EncodeDeps,
): BatchEffects {
  for (const window of grouped.alerts.opened) window.body.latencyMs = grouped.nowMs - batch.receivedMs
  return {
    batch,
    cursor,
    counts: countsOf(batch.sourceId, grouped),
    unknownFields: grouped.unknownFields,
    activity: grouped.activity,
    ...encode(grouped, origin, deps),
  }
}

/** Where a batch's events come from. Extents are in the source's own format; those of files have the path. */
export function originOf({ extent }: RecordedBatch, { hash }: Pick<Generation, 'hash'>): RowOrigin {
  const file = extent.kind === 'file' && typeof extent['path'] === 'string' ? extent['path'] : undefined
  return { file, generation: hash }
}

/** The effects of a scheduled query's rows, once judged. */
export async function effectsOfRows(
  found: Findings,
  meta: ReadonlyMap<string, string>,
  deps: EffectsDeps,
): Promise<Decision<OtherEffects>> {
  const { correlation, risk, rules } = deps.generation
  const correlated = await correlate(found, correlation, deps.nowMs)
  return effectsOfFindings(await assess(correlated, risk, rules, { atMs: () => deps.nowMs }), meta, deps)
}

/** The effects of passing time on correlation rules; `undefined` if there are none. `more`: call again immediately. */
export async function effectsOfTime(deps: EffectsDeps): Promise<{ effects: Decision<OtherEffects>; more: boolean } | undefined> {
  const { correlation } = deps.generation
  if (!correlation) return undefined
  const found = await correlateDue(correlation, deps.nowMs)
  const effects = await effectsOfCorrelated(found, new Map(), deps)
  return effects && { effects, more: found.more }
}

/** The output of correlation rules, with what is stored along with it; `undefined` if there is none. */
export async function effectsOfCorrelated(
  found: CorrelationFindings,
  meta: ReadonlyMap<string, string>,
  deps: EffectsDeps,
): Promise<Decision<OtherEffects> | undefined> {
  const { saved, removed } = found.correlation
  if (found.judged.length + saved.length + removed.length + meta.size === 0) return undefined
  return effectsOfFindings(found, meta, deps)
}

/** Correlation rules without output. */
export const NOTHING_FOUND: CorrelationFindings = {
  judged: [],
  cacheWrites: [],
  correlation: { saved: [], removed: [] },
  more: false,
}

function effectsOfFindings(found: Correlated, meta: ReadonlyMap<string, string>, deps: EffectsDeps): Decision<OtherEffects> {
  const { nowMs } = deps
  const grouped = group(found, deps.generation.rules, { atMs: () => nowMs, nowMs })
  return decided(grouped, (all) => ({ meta, ...encode({ ...NO_RECORDS, ...all }, { generation: deps.generation.hash }, deps) }))
}

/**
 * The effects of rules that cannot be loaded: their rows and counts. The alert about them is the system alert `RuleOff`, one for all of
 * them, since a missing helper would otherwise raise hundreds.
 */
export function effectsOfOff(errors: readonly RuleError[], { nowMs }: Pick<EffectsDeps, 'nowMs'>): Decision<OtherEffects> {
  const time = new Date(nowMs).toISOString()
  const rows = errors.map((error) => ruleErrorRow(error, { event: undefined }, undefined, time))
  const effects = {
    rows: rowsOf(RULE_ERRORS, rows),
    ...NO_ALERTS,
    findings: { matches: new Map(), errors: new Map(errors.map(({ ruleId }) => [ruleId, 1])) },
    nowMs,
  }
  return { groups: [], fromMs: nowMs, decide: () => effects }
}

/** Effects of something that raises no alerts and changes nothing. */
export const NO_ALERTS = {
  windows: [],
  opened: [],
  deliveries: [],
  cacheWrites: [],
  correlation: { saved: [], removed: [] },
  meta: new Map(),
} as const satisfies Partial<OtherEffects>

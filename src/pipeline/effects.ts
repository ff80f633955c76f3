import type { BatchEffects, Cursor, Decision, FinishedRows, OtherEffects, RecordedBatch } from '../model/batch.ts'
import type { RuleError } from '../model/match.ts'
import type { RowOrigin } from '../model/schema.ts'
import { type CorrelationFindings, correlate, correlateDue } from './correlate.ts'
import { countsOf } from './counts.ts'
import { type EncodeDeps, encode } from './encode.ts'
import type { Generation } from './generation.ts'
import { decided, group } from './group.ts'
import { RULE_ERRORS, rowsOf, ruleErrorRow } from './rows.ts'
import { type Correlated, type Findings, type GroupedBatch, NO_RECORDS } from './steps.ts'

export interface EffectsDeps extends EncodeDeps {
  /** The generation that judged what the effects are of. */
  readonly generation: Pick<Generation, 'hash' | 'rules' | 'correlation'>
  readonly nowMs: number
}

/** Everything that a grouped batch does, ready for one transaction. */
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
    ...encode(grouped, origin, deps),
  }
}

/** Where a batch's events come from. Extents are the sources' own; those of files have the path. */
export function originOf({ extent }: RecordedBatch, { hash }: Pick<Generation, 'hash'>): RowOrigin {
  const file = extent.kind === 'file' && typeof extent['path'] === 'string' ? extent['path'] : undefined
  return { file, generation: hash }
}

/** What the rows of a scheduled query's answer do, once judged. */
export async function effectsOfRows(
  found: Findings,
  meta: ReadonlyMap<string, string>,
  deps: EffectsDeps,
): Promise<Decision<OtherEffects>> {
  return effectsOfFindings(await correlate(found, deps.generation.correlation, deps.nowMs), meta, deps)
}

/** What correlation rules do because time has passed; `undefined` when that is nothing. `more`: ask again at once. */
export async function effectsOfTime(deps: EffectsDeps): Promise<{ effects: Decision<OtherEffects>; more: boolean } | undefined> {
  const { correlation } = deps.generation
  if (!correlation) return undefined
  const found = await correlateDue(correlation, deps.nowMs)
  const effects = await effectsOfCorrelated(found, new Map(), deps)
  return effects && { effects, more: found.more }
}

/** What correlation rules say, with what is kept beside it; `undefined` when that is nothing. */
export async function effectsOfCorrelated(
  found: CorrelationFindings,
  meta: ReadonlyMap<string, string>,
  deps: EffectsDeps,
): Promise<Decision<OtherEffects> | undefined> {
  const { saved, removed } = found.correlation
  if (found.judged.length + saved.length + removed.length + meta.size === 0) return undefined
  return effectsOfFindings(found, meta, deps)
}

/** Correlation rules that have nothing to say. */
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
 * What rules that cannot be loaded do: their rows and counts. The alert about them is the system alert `RuleOff`, one for all: a
 * missing helper would make hundreds otherwise.
 */
export function effectsOfOff(errors: readonly RuleError[], { nowMs }: Pick<EffectsDeps, 'nowMs'>): Decision<OtherEffects> {
  const time = new Date(nowMs).toISOString()
  const rows = errors.map((error) => ruleErrorRow(error, undefined, undefined, time))
  const effects = {
    rows: rowsOf(RULE_ERRORS, rows),
    ...NO_ALERTS,
    findings: { matches: new Map(), errors: new Map(errors.map(({ ruleId }) => [ruleId, 1])) },
    nowMs,
  }
  return { groups: [], fromMs: nowMs, decide: () => effects }
}

/** Effects of something that makes no alerts and changes nothing. */
export const NO_ALERTS = {
  windows: [],
  opened: [],
  deliveries: [],
  cacheWrites: [],
  correlation: { saved: [], removed: [] },
  meta: new Map(),
} as const satisfies Partial<OtherEffects>

import type { CorrelationChanges } from '../model/correlation.ts'
import type { JsonObject } from '../model/json.ts'
import type { Match, RuleError } from '../model/match.ts'
import type { Judged } from '../stages/alert/step.ts'
import type { CorrelationStep, Correlator } from '../stages/detect/correlation/correlator.ts'
import { toFinding } from '../stages/detect/correlation/finding.ts'
import type { CorrelationRule, Signal } from '../stages/detect/correlation/rule.ts'
import type { CorrelationStore } from '../stages/detect/correlation/store.ts'
import { parseJson } from '../util/json.ts'
import type { Correlated, Findings } from './steps.ts'

/** Correlation rules and their memory as of the last commit. */
export interface Correlation {
  readonly correlator: Correlator
  readonly rules: ReadonlyMap<string, CorrelationRule>
  readonly store: CorrelationStore
}

/** Output of correlation rules: their matches, and exceeded limits as rule errors. */
export interface CorrelationFindings extends Correlated {
  /** There is more to report now: call again after this is committed. */
  readonly more: boolean
}

const NO_CHANGES: CorrelationChanges = { saved: [], removed: [] }
/** Deeper than any record may be: the depth of an alert context was already limited when it was created. */
const MAX_DEPTH = 1000

/**
 * Passes the matches to correlation rules as signals, and adds the output of these rules. `atMs` is the batch's receive time, so that the
 * same batch always has the same output.
 */
export async function correlate<T extends Findings>(
  found: T,
  correlation: Correlation | undefined,
  atMs: number,
): Promise<T & Correlated> {
  const signals = correlation ? signalsOf(found, correlation.correlator, atMs) : []
  if (!correlation || signals.length === 0) return { ...found, correlation: NO_CHANGES }
  const step = findingsOf(await correlation.correlator.feed(signals, correlation.store, atMs), correlation)
  return { ...found, judged: [...found.judged, ...step.judged], correlation: step.correlation }
}

/** What has become certain because time has passed. */
export async function correlateDue(correlation: Correlation, nowMs: number): Promise<CorrelationFindings> {
  return findingsOf(await correlation.correlator.due(correlation.store, nowMs), correlation)
}

/** The output of new or changed rules for earlier signals. */
export async function correlateRemembered(
  { correlator, store, rules }: Correlation,
  fresh: ReadonlySet<string>,
  signals: readonly Signal[],
  nowMs: number,
): Promise<CorrelationFindings> {
  return findingsOf(await correlator.remember(fresh, signals, store, nowMs), { rules })
}

/** A part of a scheduled run of a rule. */
export async function correlateRun(
  { correlator, store, rules }: Correlation,
  ruleId: string,
  nowMs: number,
  from: string | undefined,
): Promise<CorrelationFindings & { readonly next: string | undefined }> {
  const step = await correlator.run(ruleId, store, nowMs, from)
  return { ...findingsOf(step, { rules }), next: step.next }
}

function signalsOf({ judged }: Findings, { wanted }: Correlator, atMs: number): Signal[] {
  return judged.flatMap((item) =>
    item.finding.kind === 'match' && wanted.has(item.finding.ruleId) ? [signalOf(item, item.finding, atMs)] : [],
  )
}

function signalOf({ event }: Judged, match: Match, atMs: number): Signal {
  const context = parseJson(match.alertContext ?? '{}', { maxDepth: MAX_DEPTH })
  const p_alert_context = context.kind === 'ok' ? (context.value as JsonObject) : {}
  return {
    ruleId: match.ruleId,
    rowId: event?.p_row_id ?? '',
    timeMs: event ? Date.parse(event.p_event_time) : atMs,
    fields: { ...event, p_alert_context },
  }
}

function findingsOf(
  { matches, changes, notices, more }: CorrelationStep,
  { rules }: Pick<Correlation, 'rules'>,
): CorrelationFindings {
  const found = matches.map((match): Judged => {
    const finding = toFinding(rules.get(match.ruleId)!, match)
    const span = { first: new Date(match.firstMs).toISOString(), last: new Date(match.timeMs).toISOString() }
    return { finding, event: undefined, text: () => '', rowId: match.rowId, span }
  })
  const limits = notices.map(({ ruleId, message }): Judged => {
    const finding: RuleError = { kind: 'error', ruleId, event: -1, cause: 'exception', message }
    return { finding, event: undefined, text: () => '' }
  })
  return { judged: [...found, ...limits], cacheWrites: [], correlation: changes, more }
}

import type { AlertWindow, KnownGroups } from '../model/alert.ts'
import type {
  BatchEffects,
  Count,
  Cursor,
  Decision,
  Effects,
  FinishedRows,
  NewDelivery,
  OtherEffects,
  RecordedBatch,
} from '../model/batch.ts'
import type { TableSpec } from '../model/column.ts'
import type { CorrelationChanges } from '../model/correlation.ts'
import type { CacheWrite, RuleError } from '../model/match.ts'
import type { Rule } from '../model/rule.ts'
import type { RowOrigin } from '../model/schema.ts'
import { type AlertStepResult, groupFindings, type Judged } from '../stages/alert/step.ts'
import { deliveryBody } from '../stages/deliver/body.ts'
import { hash16 } from '../util/hash.ts'
import { type Correlated, correlate, correlateDue } from './correlate.ts'
import type { Generation } from './generation.ts'
import type { JudgedBatch } from './judge.ts'
import { rawText } from './raw-records.ts'
import {
  DEAD_LETTERS,
  deadLetterRow,
  eventTable,
  matchRow,
  matchTable,
  RULE_ERRORS,
  ruleErrorRow,
  SIGNALS,
  signalRow,
} from './rows.ts'

/** Where alerts may go: a destination's id, and what it takes. */
export interface Route {
  readonly id: string
  /** All when empty. */
  readonly severities: readonly string[]
  /** False: no alerts of type `SYSTEM`. Absent: those too. */
  readonly system?: boolean
}

export interface EffectsDeps {
  /** The generation that judged what the effects are of. */
  readonly generation: Pick<Generation, 'hash' | 'rules' | 'correlation'>
  readonly routes: readonly Route[]
  readonly baseUrl: string
  readonly nowMs: number
}

/** Everything that a judged batch does, to be decided in one transaction. */
export async function effectsOf(
  batch: RecordedBatch,
  cursor: Cursor,
  judged: JudgedBatch,
  deps: EffectsDeps,
): Promise<Decision<BatchEffects>> {
  const correlated = await correlate(judged.judged, deps.generation.correlation, batch.receivedMs)
  const all = { ...judged, judged: [...judged.judged, ...correlated.judged] }
  const own = { batch, cursor, counts: countsOf(batch.sourceId, judged), unknownFields: judged.unknownFields }
  const findings = effectsOfFindings(
    { ...all, origin: { file: fileOf(batch), generation: deps.generation.hash } },
    correlated.changes,
    batch.receivedMs,
    deps,
    deps.nowMs - batch.receivedMs,
  )
  return { ...findings, decide: (known) => ({ ...own, ...findings.decide(known) }) }
}

/** What the rows of a scheduled query's answer do, once judged. */
export async function effectsOfRows(
  rows: { readonly judged: readonly Judged[]; readonly cacheWrites: readonly CacheWrite[] },
  meta: ReadonlyMap<string, string>,
  deps: EffectsDeps,
): Promise<Decision<OtherEffects>> {
  const correlated = await correlate(rows.judged, deps.generation.correlation, deps.nowMs)
  const judged = [...rows.judged, ...correlated.judged]
  const found = { groups: [], deadLetters: [], judged, cacheWrites: rows.cacheWrites }
  return withMeta(meta, effectsOfFindings(found, correlated.changes, deps.nowMs, deps))
}

function withMeta(meta: ReadonlyMap<string, string>, findings: Decision<Effects>): Decision<OtherEffects> {
  return { ...findings, decide: (known) => ({ meta, ...findings.decide(known) }) }
}

/**
 * What rules that cannot be loaded do: their rows and counts. The alert about them is the system alert `RuleOff`, one for all: a
 * missing helper would make hundreds otherwise.
 */
export function effectsOfOff(errors: readonly RuleError[], { nowMs }: Pick<EffectsDeps, 'nowMs'>): Decision<OtherEffects> {
  const time = new Date(nowMs).toISOString()
  const rows = errors.map((error) => ruleErrorRow(error, undefined, undefined, time))
  const effects = {
    rows: rows.length > 0 ? [{ spec: RULE_ERRORS, rows: Buffer.from(`${rows.join('\n')}\n`), count: rows.length }] : [],
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

/** What correlation rules do because time has passed; `undefined` when that is nothing. `more`: ask again at once. */
export async function effectsOfTime(deps: EffectsDeps): Promise<{ effects: Decision<OtherEffects>; more: boolean } | undefined> {
  const { correlation } = deps.generation
  if (!correlation) return undefined
  const correlated = await correlateDue(correlation, deps.nowMs)
  const effects = await effectsOfCorrelated(correlated, new Map(), deps)
  return effects && { effects, more: correlated.more }
}

/** What correlation rules say, with what is kept beside it; `undefined` when that is nothing. */
export async function effectsOfCorrelated(
  { judged, changes }: Correlated,
  meta: ReadonlyMap<string, string>,
  deps: EffectsDeps,
): Promise<Decision<OtherEffects> | undefined> {
  if (judged.length + changes.saved.length + changes.removed.length + meta.size === 0) return undefined
  const found = { groups: [], deadLetters: [], judged, cacheWrites: [] }
  return withMeta(meta, effectsOfFindings(found, changes, deps.nowMs, deps))
}

type Found = Pick<JudgedBatch, 'groups' | 'deadLetters' | 'judged' | 'cacheWrites'> & {
  readonly raw?: JudgedBatch['raw']
  readonly origin?: RowOrigin
}

/** Extents are the sources' own; those of files have the path. */
function fileOf({ extent }: RecordedBatch): string | undefined {
  return extent.kind === 'file' && typeof extent['path'] === 'string' ? extent['path'] : undefined
}

/** `atMs`: when findings without an event were made; the others have their record's own receive time. */
function effectsOfFindings(
  found: Found,
  correlation: CorrelationChanges,
  atMs: number,
  deps: EffectsDeps,
  latencyMs: number | null = null,
): Decision<Effects> {
  const { nowMs } = deps
  const { rules } = deps.generation
  const grouping = groupFindings(found.judged, rules, { atMs: () => atMs, nowMs })
  const findings = { matches: countByRule(found, 'match'), errors: countByRule(found, 'error'), lastErrors: lastErrorsOf(found) }
  const decide = (known: KnownGroups): Effects => {
    const alerts = grouping.decide(known)
    const { windows, opened, limits } = alerts
    for (const window of opened) window.body.latencyMs = latencyMs
    return {
      rows: finishedRows(found, alerts, deps),
      windows,
      opened,
      deliveries: opened.flatMap((window) => deliveriesOf(window, rules, deps)),
      cacheWrites: found.cacheWrites,
      correlation,
      limits,
      findings,
      nowMs,
    }
  }
  return { ...grouping, decide }
}

/** Rows by lake table, as NDJSON bytes. */
function finishedRows(judged: Found, alerts: AlertStepResult, deps: EffectsDeps): FinishedRows[] {
  const time = new Date(deps.nowMs).toISOString()
  const finished: FinishedRows[] = []
  const add = (spec: TableSpec, rows: readonly string[]) => {
    for (const piece of pieces(rows)) finished.push({ spec, rows: Buffer.from(`${piece.join('\n')}\n`), count: piece.length })
  }
  for (const { schema, events } of judged.groups) {
    add(
      eventTable(schema),
      events.map((event) => schema.row(event, judged.origin)),
    )
    // A log type may have several schemas at once, when its header changes in the middle of a batch.
    const mine = judged.groups.some((group) => group.schema !== schema && group.schema.name === schema.name) && new Set(events)
    const own = judged.judged.filter(
      ({ finding, event }) => finding.kind === 'match' && event?.p_log_type === schema.name && (!mine || mine.has(event)),
    )
    add(
      matchTable(schema),
      own.map((item) => {
        if (item.finding.kind !== 'match') throw new Error('a match was expected')
        const from = { ...judged.origin, raw: rawText(judged.raw ?? [], item.event!.p_row_id) }
        return matchRow(
          schema,
          item.event!,
          item.finding,
          deps.generation.rules.get(item.finding.ruleId),
          alerts.windowOf.get(item),
          from,
        )
      }),
    )
  }
  const matches = judged.judged.flatMap((item) =>
    item.finding.kind === 'match'
      ? [signalRow(item, item.finding, deps.generation.rules.get(item.finding.ruleId), alerts.windowOf.get(item), time)]
      : [],
  )
  add(SIGNALS, matches)
  add(
    DEAD_LETTERS,
    judged.deadLetters.map((letter) => deadLetterRow(letter, time)),
  )
  const errors = judged.judged.flatMap((item) =>
    item.finding.kind === 'error' ? [ruleErrorRow(item.finding, item.event, alerts.windowOf.get(item), time)] : [],
  )
  add(RULE_ERRORS, errors)
  return finished
}

/** Neither a string nor a value of the state may be arbitrarily long, and dead letters are longer than what they are of. */
const PIECE_CHARS = 8 * 1024 * 1024

function* pieces(rows: readonly string[]): Generator<readonly string[]> {
  let from = 0
  let chars = 0
  for (const [i, row] of rows.entries()) {
    if (i > from && chars + row.length > PIECE_CHARS) {
      yield rows.slice(from, i)
      from = i
      chars = 0
    }
    chars += row.length
  }
  if (from < rows.length) yield rows.slice(from)
}

/** One delivery per destination that the alert goes to: the rule's own choice, else by severity. */
export function deliveriesOf(
  window: AlertWindow,
  rules: ReadonlyMap<string, Rule>,
  { routes, baseUrl }: Pick<EffectsDeps, 'routes' | 'baseUrl'>,
): NewDelivery[] {
  const chosen = window.body.destinations ?? nonEmpty(rules.get(window.ruleId)?.outputIds)
  if (chosen?.length === 1 && chosen[0] === 'SKIP') return []
  const known = chosen?.every((name) => routes.some((route) => route.id === name)) ? chosen : undefined
  const to = routes.filter(({ id, severities, system }) => {
    if (window.body.type === 'SYSTEM' && system === false) return false
    return known ? known.includes(id) : severities.length === 0 || severities.includes(window.severity)
  })
  const body = to.length > 0 ? deliveryBody(window, baseUrl) : ''
  return to.map(({ id }) => ({
    deliveryId: hash16('delivery', window.alertId, id) + hash16(id, window.alertId),
    alertId: window.alertId,
    destination: id,
    body,
    createdMs: window.createdMs,
  }))
}

function countByRule({ judged }: Found, kind: 'match' | 'error'): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { finding } of judged) if (finding.kind === kind) counts.set(finding.ruleId, (counts.get(finding.ruleId) ?? 0) + 1)
  return counts
}

function lastErrorsOf({ judged }: Found): Map<string, string> {
  return new Map(judged.flatMap(({ finding }) => (finding.kind === 'error' ? [[finding.ruleId, finding.message]] : [])))
}

function nonEmpty<T>(list: readonly T[] | undefined): readonly T[] | undefined {
  return list && list.length > 0 ? list : undefined
}

function countsOf(sourceId: string, { received, groups, deadLetters, filtered, guessed }: JudgedBatch): Count[] {
  const all = groups.reduce((n, { events }) => n + events.length, 0)
  // An event that could not be finished is not stored any more, whatever it was guessed to be.
  const guesses = groups.flatMap(({ schema: { name }, events }) => {
    const n = Math.min(guessed.get(name) ?? 0, events.length)
    return n > 0 ? [[name, n] as const] : []
  })
  const stored = all - guesses.reduce((sum, [, n]) => sum + n, 0)
  const reasons = new Map<string, number>()
  for (const { reason } of deadLetters) reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
  return [
    { sourceId, outcome: 'received', reason: '', n: received },
    { sourceId, outcome: 'stored', reason: '', n: stored },
    ...guesses.map(([logType, n]): Count => ({ sourceId, outcome: 'stored', reason: logType, n })),
    ...[...filtered].map(([filter, n]): Count => ({ sourceId, outcome: 'filtered', reason: filter, n })),
    ...[...reasons].map(([reason, n]): Count => ({ sourceId, outcome: 'dead_lettered', reason, n })),
  ]
}

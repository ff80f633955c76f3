import type { Reader } from '../../../model/condition/path.ts'
import type { JsonObject } from '../../../model/json.ts'
import type { Severity } from '../../../model/rule.ts'
import type { Schedule } from '../../../model/schedule.ts'

/**
 * A correlation rule, parsed and validated: what to look for in the matches of other rules, and what its own matches say.
 *
 * The format is Panther's. The hosted service runs such rules as queries on a schedule, and exactly what they find is not
 * documented. Here they are evaluated as signals arrive, according to these rules:
 *
 * - **Joining.** Signals share one value for each name in `MatchCriteria`, and one for all `Match` of a sequence. Scalars are
 *   compared as text, lists by their elements; null, empty texts and objects do not join. A signal with a list belongs to several
 *   keys, so two signals that share two values make two matches. A member without a field fits every value.
 * - **Time** is that of the signals. All signals of a match are within one look-back, both ends included. Simultaneous signals
 *   are in the order of the sequence, unless one rule is in two of its steps: then their times must differ.
 * - **A match uses up its signals**: everything of its key until its last signal. The next match needs new ones, so each incident
 *   is reported once.
 * - **EventEvaluationOrder** determines which of several overlapping matches are reported, never whether there is one.
 *   `Chronological`: the earliest, then the next. `ReverseChronological`: the latest of those that are certain by now, then the
 *   one before it, which must end before the first signal of the later one.
 * - **Sequence.** A step is complete with the last of its `MinMatchCount` signals; `WithinTimeFrameMinutes` runs from there to the
 *   completion of the next step. If it is missing or longer, it is the look-back. Other signals in between do not matter.
 * - **Group.** Members come in any order. `MinMatchCount` of the group says how many of its members must hold (default: all); a
 *   member with `Absence` counts and must always hold.
 * - **Absence** in a group: the signals must not fit into one look-back together with the match, before or after. In a
 *   sequence: none between the neighbouring steps, or within the time frame before the first or after the last one. With
 *   `MinMatchCount`, fewer signals than that are still an absence.
 * - **MaxMatchCount**: more signals of the member spoil the match; in a group those that fit into one look-back with it, in a
 *   sequence those in the look-back that ends with it.
 * - **Certainty.** Matches that nothing can spoil are reported immediately. The others are reported once their time has passed,
 *   according to the caller's clock, plus a grace period for signals in transit.
 * - **Schedule.** A run evaluates what is remembered with the signals so far: it does not wait for the end of a look-back, only
 *   for a `WithinTimeFrameMinutes` and the grace period. What it reports is used up, so nothing is reported twice
 *   (docs/decisions/0012-correlation-as-signals-arrive.md).
 *
 * The matches are those of `evaluate`, which sees all signals at once: exactly the same ones if signals arrive in order of time,
 * however they are batched (in reverse order, the same keys). Otherwise the same keys match, provided that a signal comes within a
 * look-back (an hour at most) of later ones, and one that spoils a match within the grace period. Limits that were reached are
 * reported in `notices`.
 */
export interface CorrelationRule {
  readonly id: string
  readonly file: string
  readonly enabled: boolean
  readonly displayName: string | undefined
  readonly severity: Severity
  readonly description: string
  readonly reference: string
  readonly runbook: string
  readonly tags: readonly string[]
  readonly reports: Readonly<Record<string, readonly string[]>>
  readonly summaryAttributes: readonly string[]
  readonly outputIds: readonly string[]
  /** False: matches are stored as signals without raising an alert. */
  readonly createAlert: boolean
  readonly tests: readonly CorrelationTest[]
  /** When it is also evaluated on a schedule. */
  readonly schedule: Schedule | undefined
  /** Report the latest of several overlapping matches. */
  readonly isReverse: boolean
  /** Maximum time between the first and the last signal of a match. */
  readonly lookbackMs: number
  readonly pattern: Pattern
  /** In the order of the document. */
  readonly members: readonly Member[]
  /** Names of the values that signals are joined on. If empty, all signals of the rule belong together. */
  readonly joins: readonly string[]
  /** Where the document was interpreted differently from what it says, for people. */
  readonly notices: readonly string[]
  /** Hash of everything that affects matching, so that state of an older version of the rule is not used. */
  readonly version: string
}

export interface Member {
  readonly id: string
  readonly ruleId: string
  /** How many signals it takes for the member to occur. */
  readonly min: number
  /** More signals than this spoil the match. */
  readonly max: number | undefined
  /** The match is spoilt if the member occurs. */
  readonly isAbsent: boolean
  /** For each of the rule's `joins`, the fields that must all have the joined value; `undefined`: any value. */
  readonly fields: readonly (readonly JoinField[] | undefined)[]
}

export interface JoinField {
  /** As written, for people and for the match's own fields. */
  readonly path: string
  readonly reader: Reader
}

export type Pattern =
  /** At least `needed` of the members that are not absent, in any order. */
  | { readonly kind: 'group'; readonly needed: number }
  /** Every step in turn; `within[i]` are the document's limits for pairs that end at member i, in milliseconds. */
  | { readonly kind: 'sequence'; readonly within: ReadonlyMap<string, number>; readonly isStrict: boolean }

/** Whether later signals can spoil a match; otherwise every match is reported immediately. */
export function canBeSpoilt({ members }: CorrelationRule): boolean {
  return members.some(({ isAbsent, max }) => isAbsent || max !== undefined)
}

/** How far back a rule needs signals: what spoils a match in its look-back may be one look-back earlier. */
export function rememberedFrom(rule: CorrelationRule, nowMs: number): number {
  return nowMs - (canBeSpoilt(rule) ? 2 : 1) * rule.lookbackMs
}

/** Key of `within`, by indexes of the members. */
export function pairKey(from: number, to: number): string {
  return `${from}>${to}`
}

/** A unit test of a correlation rule. */
export interface CorrelationTest {
  readonly name: string
  readonly expectedResult: boolean
  readonly outputs: readonly TestOutput[]
}

/** The given output of one member's rule. */
export interface TestOutput {
  readonly memberId: string
  /** `undefined`: the rule fired once, without the fields. */
  readonly fields: readonly TestField[] | undefined
}

export interface TestField {
  readonly path: string
  readonly value: string
  readonly timesMs: readonly number[]
}

/** A match of any rule, as correlation sees it. */
export interface Signal {
  readonly ruleId: string
  /** The same match always has the same id, so that it is only counted once. */
  readonly rowId: string
  readonly timeMs: number
  /** The stored match: the event's fields, `p_alert_context`. */
  readonly fields: JsonObject
}

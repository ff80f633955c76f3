import type { Reader } from '../../../model/condition/path.ts'
import type { JsonObject } from '../../../model/json.ts'
import type { Severity } from '../../../model/rule.ts'
import type { Schedule } from '../../../model/schedule.ts'

/**
 * A correlation rule, read and checked: what to look for in the matches of other rules, and what its own matches say.
 *
 * The format is Panther's. The hosted service runs such rules as queries on a schedule, and what exactly they find is not
 * documented. Here they are judged as signals arrive, and this is what holds:
 *
 * - **Joining.** Signals share one value for each name in `MatchCriteria`, and one for all `Match` of a sequence. Scalars are compared
 *   as text, lists by their elements; null, the empty text and objects join nothing. A signal with a list belongs to several
 *   keys, so two signals that share two values make two matches. A member without a field goes with every value.
 * - **Time** is that of the signals. All signals of a match lie within one look-back, both ends included. What happened at the
 *   same time is in the order of the sequence, unless one rule stands in two of its steps: those must differ in time.
 * - **A match uses its signals up**: everything of its key until its last signal. The next match needs new ones, so an incident
 *   is told once, and the next one again.
 * - **EventEvaluationOrder** says which of matches that overlap are told, never whether there is one. `Chronological`: the earliest,
 *   then the next. `ReverseChronological`: of those that are certain by now the latest, then the one before it, which must
 *   end before the first signal of the later one.
 * - **Sequence.** A step is done with the last of its `MinMatchCount` signals; `WithinTimeFrameMinutes` runs from there to where the
 *   next step is done. It is the look-back where it is missing or longer. Signals between that fit no step do not matter.
 * - **Group.** Members come in any order. `MinMatchCount` of the group says how many of its members must hold (all, when it is
 *   missing); a member with `Absence` counts and must always hold.
 * - **Absence** in a group: the signals must not come so near that they and the match fit into one look-back, before or after. In a
 *   sequence: between the neighbouring steps, or within the time frame before the first or after the last one. With
 *   `MinMatchCount`, fewer signals than that are still an absence.
 * - **MaxMatchCount**: more signals of the member spoil the match; in a group those that fit into one look-back with it, in a
 *   sequence those of the look-back that ends with it.
 * - **Certainty.** What nothing can spoil is told at once. What can be spoilt is told when its time has passed, by the clock of
 *   the caller, and the grace for what is on its way.
 * - **Schedule.** A run judges what is remembered by what has come until then: it does not wait for the end of a look-back, only
 *   for a `WithinTimeFrameMinutes` and the grace. What it tells is used up, so nothing is told twice
 *   (docs/decisions/0012-correlation-as-signals-arrive.md).
 *
 * The matches are those of `evaluate`, which sees all signals at once: the very same when signals arrive in order of time, however
 * they are cut into batches (in reverse order the same keys). When they do not, the same keys match, as long as a signal comes within a look-back (an hour at
 * most) of later ones, and one that spoils a match within the grace. Limits that bite are told in `notices`.
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
  /** False: the match is stored as a signal and no alert is made. */
  readonly createAlert: boolean
  readonly tests: readonly CorrelationTest[]
  /** When it is judged by what has come, besides as signals arrive. */
  readonly schedule: Schedule | undefined
  /** Of matches that overlap the latest is told. */
  readonly isReverse: boolean
  /** How far apart the first and the last signal of a match may be. */
  readonly lookbackMs: number
  readonly pattern: Pattern
  /** In the order of the document. */
  readonly members: readonly Member[]
  /** Names of the values that signals are joined on; none: all signals of the rule belong together. */
  readonly joins: readonly string[]
  /** What the document says in another way than it is taken, for people. */
  readonly notices: readonly string[]
  /** Hash of all that decides what matches: state of an older version of the rule is not taken for this one's. */
  readonly version: string
}

export interface Member {
  readonly id: string
  readonly ruleId: string
  /** How many signals make the member occur. */
  readonly min: number
  /** More signals than this spoil the match. */
  readonly max: number | undefined
  /** The match is spoilt when the member occurs. */
  readonly isAbsent: boolean
  /** For each of the rule's `joins` the fields whose values must all hold the joined one; `undefined`: any value will do. */
  readonly fields: readonly (readonly JoinField[] | undefined)[]
}

export interface JoinField {
  /** As written, for a person and for the match's own fields. */
  readonly path: string
  readonly reader: Reader
}

export type Pattern =
  /** At least `needed` of the members that are not absent, in any order. */
  | { readonly kind: 'group'; readonly needed: number }
  /** Every step in turn; `within[i]` are the limits that the document gives for pairs that end at member i, in milliseconds. */
  | { readonly kind: 'sequence'; readonly within: ReadonlyMap<string, number>; readonly isStrict: boolean }

/** Whether signals can make a match none; otherwise all that is told is told at once. */
export function canBeSpoilt({ members }: CorrelationRule): boolean {
  return members.some(({ isAbsent, max }) => isAbsent || max !== undefined)
}

/** From when on a rule looks at signals: what spoils a match of its look-back may lie one look-back before. */
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

/** What one member's rule is said to have given. */
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

/** A match of some rule, as correlation sees it. */
export interface Signal {
  readonly ruleId: string
  /** The same match always has the same id: one that is fed twice counts once. */
  readonly rowId: string
  readonly timeMs: number
  /** The stored match: the event's fields, `p_alert_context`. */
  readonly fields: JsonObject
}

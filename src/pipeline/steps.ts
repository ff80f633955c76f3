import type { Activity } from '../model/activity.ts'
import type { CorrelationChanges } from '../model/correlation.ts'
import type { Event } from '../model/event.ts'
import type { LimitHit } from '../model/limit.ts'
import type { CacheWrite } from '../model/match.ts'
import type { DeadLetter } from '../model/outcome.ts'
import type { RiskChanges } from '../model/risk.ts'
import type { AlertStepResult, Judged } from '../stages/alert/step.ts'
import type { ParsedEvents } from '../stages/parse/parser.ts'
import type { RawRecords } from './raw-records.ts'

/** A batch's records as events and dead letters. */
export interface Parsed {
  readonly received: number
  /** For a batch made by another thread: only events that findings are about, or that are left to be judged. */
  readonly groups: readonly ParsedEvents[]
  readonly deadLetters: readonly DeadLetter[]
  /** Filter → records it dropped. */
  readonly filtered: ReadonlyMap<string, number>
  /** Log type → events whose log type was guessed. */
  readonly guessed: ReadonlyMap<string, number>
  /** Fields that the schema does not know: `<log type>\t<field>` → count. */
  readonly unknownFields: ReadonlyMap<string, number>
  readonly activity: Activity
  /** The input of the events. */
  readonly raw: readonly RawRecords[]
}

/** Findings without records, from something other than a batch. */
export const NO_RECORDS: Parsed & Encoded<never> = {
  encoded: [],
  stored: new Map(),
  unfit: [],
  received: 0,
  groups: [],
  deadLetters: [],
  filtered: new Map(),
  guessed: new Map(),
  unknownFields: new Map(),
  activity: { bytes: 0 },
  raw: [],
}

/** What rules reported about events, a query's rows, or earlier signals. */
export interface Findings {
  readonly judged: readonly Judged[]
  /** Changes of the rules' cache, the last one of each key. */
  readonly cacheWrites: readonly CacheWrite[]
  /** How often rules lost entries of their cache; absent: never. */
  readonly cacheLimits?: readonly LimitHit[]
}

/** Findings, including those of correlation rules, with what these rules remember from now on. */
export interface Correlated extends Findings {
  readonly correlation: CorrelationChanges
  /** The risk of the entities that they name. Absent: unchanged. */
  readonly risk?: RiskChanges
}

/** Findings with their alert windows. */
export interface Grouped extends Correlated {
  readonly alerts: AlertStepResult
  /** When that was decided, epoch ms. */
  readonly nowMs: number
}

/** Events in the form that the end of the path stores, which does not depend on decisions about findings. */
export interface Encoded<Rows> {
  /** By group of events, in order. */
  readonly encoded: readonly Rows[]
  /** Log type → its events among them. */
  readonly stored: ReadonlyMap<string, number>
  /** Events that could not be encoded: they are dead letters, though rules have judged them. */
  readonly unfit: readonly ParsedEvents[]
  /** What rules that remember have yet to judge. Absent: nothing. */
  readonly left?: LeftEvents
}

/** Events of a batch made by another thread, for rules that must judge batches in order. */
export interface LeftEvents {
  readonly groups: readonly ParsedEvents[]
  /** The index of an event among those of the batch. */
  readonly placeOf: ReadonlyMap<Event, number>
}

/** A batch before and after each step of the path. */
export type JudgedBatch = Parsed & Findings
export type EncodedBatch<Rows> = JudgedBatch & Encoded<Rows>
export type CorrelatedBatch<Rows> = Parsed & Correlated & Encoded<Rows>
export type GroupedBatch<Rows> = Parsed & Grouped & Encoded<Rows>

import type { CorrelationChanges } from '../model/correlation.ts'
import type { Event } from '../model/event.ts'
import type { LimitHit } from '../model/limit.ts'
import type { CacheWrite } from '../model/match.ts'
import type { DeadLetter } from '../model/outcome.ts'
import type { AlertStepResult, Judged } from '../stages/alert/step.ts'
import type { ParsedEvents } from '../stages/parse/parser.ts'
import type { RawRecords } from './raw-records.ts'

/** A batch's records as events and dead letters. */
export interface Parsed {
  readonly received: number
  /** Of a batch that another thread has made only events that findings are about, or that are left to be judged. */
  readonly groups: readonly ParsedEvents[]
  readonly deadLetters: readonly DeadLetter[]
  /** Filter → records that it kept out. */
  readonly filtered: ReadonlyMap<string, number>
  /** Log type → events that are of it by a guess. */
  readonly guessed: ReadonlyMap<string, number>
  /** Fields the schema does not know: `<log type>\t<field>` → count. */
  readonly unknownFields: ReadonlyMap<string, number>
  /** What the events were made of. */
  readonly raw: readonly RawRecords[]
}

/** What is no batch: findings without records. */
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
  raw: [],
}

/** What rules said of events, of a query's rows, or of what has happened before. */
export interface Findings {
  readonly judged: readonly Judged[]
  /** What rules changed in their cache, the last change of each key. */
  readonly cacheWrites: readonly CacheWrite[]
  /** How often rules lost entries of their cache; absent: none did. */
  readonly cacheLimits?: readonly LimitHit[]
}

/** Findings, those of correlation rules among them, with what these rules remember from now on. */
export interface Correlated extends Findings {
  readonly correlation: CorrelationChanges
}

/** Findings with the alert windows that they fall into. */
export interface Grouped extends Correlated {
  readonly alerts: AlertStepResult
  /** When that was decided, epoch ms. */
  readonly nowMs: number
}

/** Events as what the end of the path keeps of them, whatever is decided about findings. */
export interface Encoded<Rows> {
  /** By the groups of events, in their order. */
  readonly encoded: readonly Rows[]
  /** Log type → its events among them. */
  readonly stored: ReadonlyMap<string, number>
  /** Events of which nothing could be made: they are dead letters, though rules have judged them. */
  readonly unfit: readonly ParsedEvents[]
  /** What rules that remember have yet to judge. Absent: nothing. */
  readonly left?: LeftEvents
}

/** Events of a batch that another thread has made, for rules that must judge batches in their order. */
export interface LeftEvents {
  readonly groups: readonly ParsedEvents[]
  /** The place of an event among those of the batch. */
  readonly placeOf: ReadonlyMap<Event, number>
}

/** What a batch is before and after each step of the path. */
export type JudgedBatch = Parsed & Findings
export type EncodedBatch<Rows> = JudgedBatch & Encoded<Rows>
export type CorrelatedBatch<Rows> = Parsed & Correlated & Encoded<Rows>
export type GroupedBatch<Rows> = Parsed & Grouped & Encoded<Rows>

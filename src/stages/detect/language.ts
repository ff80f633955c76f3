import type { Condition } from '../../model/condition/condition.ts'
import type { RuleTrace } from '../../model/explanation.ts'
import type { JsonObject } from '../../model/json.ts'
import type { LimitHit } from '../../model/limit.ts'
import type { TableRows } from '../../model/lookup.ts'
import type { CacheEntry, CacheWrite, Finding, RuleError } from '../../model/match.ts'
import type { DetectionContent, Rule, RuleTest } from '../../model/rule.ts'
import type { RuleReads } from '../../model/rule-reads.ts'
import type { RuleErrorMode } from './prefilter/prefilter.ts'

/** Events of one log type, ready to be judged. */
export interface DetectBatch {
  readonly logType: string
  /** One exact JSON text per event (enrichment included), each followed by a newline. UTF-8. */
  readonly ndjson: Uint8Array
  /** The same events as objects, for callers that do not need the text of all of them. Absent if there is only the text. */
  readonly events?: readonly JsonObject[]
  readonly count: number
  /** The tables that rules may read. Absent: none. */
  readonly tables?: TableRows | undefined
  /**
   * Called before `evaluate` settles with the rules' changes to their cache, which must be stored in the same transaction as the
   * effects of the findings, and with how often rules lost entries. Batches are judged one after another, so a later batch's
   * writes include the earlier ones.
   */
  readonly onCacheWrites?: (writes: readonly CacheWrite[], limits: readonly LimitHit[]) => void
}

/** The log type under which the rows of a scheduled query's result are judged; names of real log types do not contain a slash. */
export function queryLogType(queryName: string): string {
  return `query/${queryName}`
}

/** A rule that judges nothing because it could not be loaded or is suspended for something it did. */
export interface RuleOff {
  readonly ruleId: string
  readonly cause: RuleError['cause']
  /** Error text with file and line, for a person. */
  readonly message: string
  /** Number of events and rows that it missed since the detector was created. */
  readonly missed: number
  /** When it will be retried, epoch ms; `undefined` if it would fail in the same way. */
  readonly retryMs: number | undefined
}

/** Judges batches with all enabled rules of one language. */
export interface Detector {
  /** Log types with at least one enabled rule; other events need not be passed in. */
  readonly logTypes: ReadonlySet<string>
  /** Ids of the enabled rules for a log type, in order. */
  ruleIds(logType: string): readonly string[]
  /** Rules that could not be loaded, known after `create`. */
  readonly setupErrors: readonly RuleError[]
  /**
   * Rules that are currently off, initially those in `setupErrors`. A rule that failed for a temporary reason is retried. Absent:
   * always `setupErrors`.
   */
  off?(): readonly RuleOff[]
  /**
   * All findings of all rules for the batch, ordered by event then rule, except for events that a rule's inline filter excludes.
   * May be called again before the last call has settled; batches are judged in order. Never rejects because of a rule: an
   * endless loop, a wrong type or a dead child is a finding of kind `error`. Only rejects if judging is impossible (the child
   * cannot be started).
   */
  evaluate(batch: DetectBatch): Promise<readonly Finding[]>
  /**
   * After the last batch of a detector created with `lazy`: load errors that no batch has reported because no rule had to see any
   * event. Empty if no rule was affected. Absent if `create` or a batch has reported all of them.
   */
  unreported?(): Promise<readonly RuleError[]>
  /** Runs one unit test of a rule: every function runs, nothing is truncated or replaced. */
  test(ruleId: string, test: DetectorTest): Promise<TestRun>
  /** Seconds spent and events seen per rule since the last call. */
  timings(): readonly { readonly ruleId: string; readonly seconds: number; readonly events: number }[]
  /** Resolves when the prefilter is ready, or it is known that it will not be. Absent: ready immediately. */
  readonly prefiltered?: Promise<void>
  /**
   * Takes over from another detector of this language: the rule cache as that one left it, and what it learned about the
   * `unchanged` rules (ids). Called before the first batch, after `before` has judged its last. Absent if there is nothing to
   * take over.
   */
  inherit?(before: Detector, unchanged: ReadonlySet<string>): void
  /** Process ids of the running children. Absent if this detector has none. */
  readonly pids?: readonly number[]
  /** Stops the children. Pending evaluations reject. */
  close(): Promise<void>
}

/** A unit test, ready to run. */
export interface DetectorTest extends Omit<RuleTest, 'tables'> {
  /** What `lookup` reads. Absent: what the event says that tables contain. */
  readonly rows?: TableRows
  /** The event is one of the engine's own, with times as it writes them. Default: a unit test's. */
  readonly isLive?: boolean
  /** Explain the result; needs a detector created with `traces`. Default: false. */
  readonly trace?: boolean
}

/** What a rule's functions returned in a unit test. */
export interface TestRun {
  /** Function (`detection` for rule()) → exact JSON text of its result. */
  readonly out: Readonly<Record<string, string>>
  /** Function → error text. */
  readonly errors: Readonly<Record<string, string>>
  /** Failed function → `file:line in function` of the innermost line of user code, if known. */
  readonly where?: Readonly<Record<string, string>>
  readonly printed: string
  readonly ms: number
  /** How the detection came to its result, if that was requested. */
  readonly trace?: RuleTrace
}

/** A detection language: it gets all its rules and a batch of events, never a single rule or event. */
export interface Language {
  readonly type: string
  readonly summary: string
  /** Extension of its code files, including the dot. Absent if it has none. */
  readonly extension?: string
  /**
   * Which rules may remember events, so that one detector has to judge batches in their order; `true` as well if that is uncertain. Absent: none
   * does.
   */
  remembers?(content: DetectionContent): (ruleId: string) => boolean
  /** The fields that a rule's text shows it to read. May throw if the text cannot be read. Absent: nothing is known. */
  reads?(rule: Rule): RuleReads
  /**
   * What holds for every event that a rule of the content can match, which the prefilter goes by. Resolves with `undefined` if nothing is
   * known. Absent: the prefilter does not concern its rules. `compiledFolder` is that of `DetectorOptions`.
   */
  necessary?(content: DetectionContent, ruleId: string, compiledFolder: string | undefined): Promise<Condition | undefined>
  /** How its rules are written in a rule's YAML. Absent if they are code files. */
  readonly yaml?: YamlCode
  /**
   * Starts what `create` would wait for, before the content is known. Resolves once that proceeds by itself; rejects if it cannot
   * be started. Absent if there is nothing to prepare.
   */
  prepare?(): Promise<Prepared>
  /** Loads every rule (with `all`, disabled ones too) and starts what it needs. */
  create(content: DetectionContent, options: DetectorOptions): Promise<Detector>
}

/**
 * Rules written in the YAML itself. Their code is the exact JSON text of an object with those of these keys that are in the YAML.
 */
export interface YamlCode {
  /** The first key marks a rule as being in this language. */
  readonly keys: readonly [string, ...string[]]
  /** Throws `ConfigError` with file and path if such code cannot be used. */
  check(code: string, where: { readonly file: string }): void
}

/** What a language started before the content is known. */
export interface Prepared {
  /** The language's own `create`; the first call uses what has been started. */
  readonly create: Language['create']
  /** Stops what no `create` has used. */
  close(): Promise<void>
}

export interface PrefilterOptions {
  /** `exact`: rules that could fail see every event. `matching`: errors on events that a rule cannot match are not detected. */
  readonly ruleErrors: RuleErrorMode
  /** One in this many events is passed to all rules to verify the prefilter; 0: none. */
  readonly shadowEvery: number
  /** Called if the rules could not be analysed, in which case every rule continues to see every event. */
  readonly onProblem?: (message: string) => void
}

/** Calls once after this many ms. The returned function cancels it. */
export type Later = (ms: number, call: () => void) => () => void

export interface DetectorOptions {
  /** Time limit for one rule function on one event. */
  readonly timeoutMs: number
  /** Load disabled rules too (unit tests). */
  readonly all: boolean
  /**
   * Absolute content folders: rules in different folders are isolated from each other, at the price of a child for each folder
   * with rules. Absent: one child for all.
   */
  readonly apart?: readonly string[] | undefined
  /**
   * A cache folder, created if missing, for what is expensive to compute about rules: their compiled code and their conditions
   * for the prefilter. Absent: nothing is cached.
   */
  readonly compiledFolder?: string | undefined
  /** Withhold events from rules that cannot match them. Absent: every rule sees every event. */
  readonly prefilter?: PrefilterOptions
  /** Called when a rule that was off is on again, or when one is switched off later. */
  readonly onOff?: (() => void) | undefined
  /**
   * Start the children at the first event that some rule must see, and analyse rules at the first event of a log type with rules,
   * instead of in `create`. Rules that cannot be loaded are then also findings of that batch, without an event (-1); if there is
   * no such batch, `unreported` returns them.
   */
  readonly lazy?: boolean | undefined
  /** Its tests may be traced, for which it keeps the text of all code. Default: false. */
  readonly traces?: boolean
  /** For tests of retries. Absent: timers that do not keep the process alive. */
  readonly later?: Later | undefined
  /** Initial contents of the rule cache, read once, in `create`. Absent: empty. */
  readonly cache?: { load(): Promise<readonly CacheEntry[]> }
}

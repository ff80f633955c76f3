import type { JsonObject } from '../../model/json.ts'
import type { LimitHit } from '../../model/limit.ts'
import type { CacheEntry, CacheWrite, Finding, RuleError } from '../../model/match.ts'
import type { DetectionContent, RuleTest } from '../../model/rule.ts'
import type { RuleErrorMode } from './prefilter/prefilter.ts'

/** Events of one log type, ready to be judged. */
export interface DetectBatch {
  readonly logType: string
  /** One exact JSON text per event (enrichment included), each followed by a newline. UTF-8. */
  readonly ndjson: Uint8Array
  /** The same events as objects, for whoever needs not all of them as text; absent: the text is all there is. */
  readonly events?: readonly JsonObject[]
  readonly count: number
  /**
   * Told, before `evaluate` settles, what the rules changed in their cache: it must be kept in one transaction with what
   * becomes of the findings, and how often rules lost entries. Batches are judged one after the other, so a later batch's writes hold the earlier one's.
   */
  readonly onCacheWrites?: (writes: readonly CacheWrite[], limits: readonly LimitHit[]) => void
}

/** The log type under which the rows of a scheduled query's answer are judged; no log's own name holds a slash. */
export function queryLogType(queryName: string): string {
  return `query/${queryName}`
}

/** A rule that could not be loaded, or that is left out for a while because of what it did, so nothing is judged by it. */
export interface RuleOff {
  readonly ruleId: string
  readonly cause: RuleError['cause']
  /** Error text with file and line, for a person. */
  readonly message: string
  /** Events and rows that it was not shown since the detector was made. */
  readonly missed: number
  /** When it is tried again, epoch ms; `undefined`: it would fail in the same way. */
  readonly retryMs: number | undefined
}

/** Judges batches with all enabled rules of one language. */
export interface Detector {
  /** Log types for which there is at least one enabled rule: other events need not be handed over. */
  readonly logTypes: ReadonlySet<string>
  /** Ids of the enabled rules for a log type, in their order. */
  ruleIds(logType: string): readonly string[]
  /** Rules that could not be loaded, known after `create`. */
  readonly setupErrors: readonly RuleError[]
  /** Rules that are off now; those of `setupErrors` at first. A rule that failed for a passing reason is tried again. Absent: `setupErrors` for good. */
  off?(): readonly RuleOff[]
  /**
   * All findings of all rules for the batch, ordered by event then rule; none of a rule about what its inline filter keeps from it. May be called again before the last call has
   * settled; batches are judged in order. Never rejects because of a rule: an endless loop, a wrong type, a dead child
   * are findings of kind `error`. Rejects only when judging is impossible (the child cannot be started).
   */
  evaluate(batch: DetectBatch): Promise<readonly Finding[]>
  /**
   * After the last batch of a detector made with `lazy`: errors of loading that no batch has reported, since no event that came had to be
   * seen by a rule. Empty when no rule was concerned. Absent: `create` or a batch has reported all.
   */
  unreported?(): Promise<readonly RuleError[]>
  /** Runs one unit test of a rule: every function runs, nothing is truncated or replaced. */
  test(ruleId: string, test: RuleTest): Promise<TestRun>
  /** Seconds spent and events seen per rule since the last call. */
  timings(): readonly { readonly ruleId: string; readonly seconds: number; readonly events: number }[]
  /** Resolves when as few rules as possible see each event, or it is known that this cannot be had. Absent: at once. */
  readonly prefiltered?: Promise<void>
  /**
   * Goes on where another detector of the language has come to: with the cache of rules as that one left it, and with what it found out
   * about the `unchanged` rules, whose ids these are. Called before the first batch, when `before` has judged its last. Absent: there
   * is nothing to go on with.
   */
  inherit?(before: Detector, unchanged: ReadonlySet<string>): void
  /** Process ids of the children that live. Absent: this detector has none. */
  readonly pids?: readonly number[]
  /** Ends the children. Evaluations under way reject. */
  close(): Promise<void>
}

/** What a rule's functions returned in a unit test. */
export interface TestRun {
  /** Function (`detection` for rule()) → exact JSON text of what it returned. */
  readonly out: Readonly<Record<string, string>>
  /** Function → error text. */
  readonly errors: Readonly<Record<string, string>>
  /** Function that failed → `file:line in function` of the innermost line that a user wrote, as far as it is known. */
  readonly where?: Readonly<Record<string, string>>
  readonly printed: string
  readonly ms: number
}

/** A detection language: takes all its rules and a batch of events, never one rule and one event. */
export interface Language {
  readonly type: string
  readonly summary: string
  /** Extension of the code files it runs, with the dot. Absent: it runs none. */
  readonly extension?: string
  /** How its rules are written in the YAML of a rule. Absent: they are code files. */
  readonly yaml?: YamlCode
  /**
   * Starts what `create` would wait for, before the content is known; resolves when that goes on by itself. Rejects when it
   * cannot be started. Absent: there is nothing of the kind.
   */
  prepare?(): Promise<Prepared>
  /** Loads every rule (disabled ones too when `all`), starts what it needs. */
  create(content: DetectionContent, options: DetectorOptions): Promise<Detector>
}

/** Rules written in the YAML itself. Their code is the exact JSON text of an object with those of the keys that the YAML has. */
export interface YamlCode {
  /** The first makes a rule one of this language. */
  readonly keys: readonly [string, ...string[]]
  /** Throws `ConfigError` with file and path when such code cannot be used. */
  check(code: string, where: { readonly file: string }): void
}

/** What a language has started before the content is known. */
export interface Prepared {
  /** The language's own; the first call takes what has been started. */
  readonly create: Language['create']
  /** Ends what no `create` has taken. */
  close(): Promise<void>
}

export interface PrefilterOptions {
  /** `exact`: rules that may fail see every event. `matching`: what a rule would fail on without matching is not seen. */
  readonly ruleErrors: RuleErrorMode
  /** Every so many events one is shown to all rules, to check the prefilter; 0: none. */
  readonly shadowEvery: number
  /** Told when the rules could not be read: every rule goes on seeing every event. */
  readonly onProblem?: (message: string) => void
}

/** Calls once after so many ms. The function that it gives takes that back. */
export type Later = (ms: number, call: () => void) => () => void

export interface DetectorOptions {
  /** One rule function on one event may take this long. */
  readonly timeoutMs: number
  /** Load disabled rules too (unit tests). */
  readonly all: boolean
  /**
   * Content folders, absolute: rules of one reach nothing of another's, at the price of a child for each that has rules. Absent:
   * one child for all.
   */
  readonly apart?: readonly string[] | undefined
  /**
   * A folder of ours, made when missing, in which is kept from run to run what takes long to find out about rules: their compiled
   * code, what the prefilter reads of them. Absent: nothing is kept.
   */
  readonly compiledFolder?: string | undefined
  /** Keep events from rules that cannot match them. Absent: every rule sees every event. */
  readonly prefilter?: PrefilterOptions
  /** Called when a rule that was off is on again, or one goes off later. */
  readonly onOff?: (() => void) | undefined
  /**
   * Start what rules need with the first event that some rule must see, and read conditions with the first event of a log type that has
   * rules. Rules that cannot be loaded are findings of that batch then, about no event (-1), beside `setupErrors`; without such a batch
   * `unreported` gives them. Absent: at `create`.
   */
  readonly lazy?: boolean | undefined
  /** For tests of what is tried again after a while. Absent: timers that keep no process alive. */
  readonly later?: Later | undefined
  /** Where the cache of rules begins: read once, at `create`. Absent: empty. */
  readonly cache?: { load(): Promise<readonly CacheEntry[]> }
}

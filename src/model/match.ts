import type { ReadRow } from './lookup.ts'
import type { Severity } from './rule.ts'

/** An event that a rule matched, with the results of the rule's functions (limits and fallbacks applied). */
export interface Match {
  readonly kind: 'match'
  readonly ruleId: string
  /** Index of the event in the evaluated batch. */
  readonly event: number
  readonly title: string
  readonly dedup: string
  readonly severity: Severity
  readonly description: string
  readonly reference: string
  readonly runbook: string
  /** `undefined`: routed by configuration. `['SKIP']`: not sent anywhere. */
  readonly destinations: readonly string[] | undefined
  /** Exact JSON text of an object, or `undefined` when the rule has no `alert_context`. */
  readonly alertContext: string | undefined
  /**
   * The result of `unique()`; the rule's threshold counts distinct ones. `null`: does not count. Absent: the rule has no such
   * function or it failed, and the match itself counts.
   */
  readonly unique?: string | null
  /** Errors in functions other than `rule`, for which the fallback was used: function → error text. */
  readonly functionErrors: Readonly<Record<string, string>>
  /** The rows that the rule read from tables by itself, the first 20. Absent: none. */
  readonly looked?: readonly ReadRow[]
}

/** A rule that failed on an event (or, with `event` -1, could not be loaded at all). Never stops other rules. */
export interface RuleError {
  readonly kind: 'error'
  readonly ruleId: string
  readonly event: number
  /**
   * `prefilter`: the rule matched an event that the prefilter would have withheld. `tampering`: it changed something that all
   * rules share (a helper, a built-in name).
   */
  readonly cause: 'exception' | 'return_type' | 'timeout' | 'import' | 'crash' | 'tampering' | 'prefilter'
  /** Error text with file and line, for a person. */
  readonly message: string
  /** The rule is off because of this. The system alert `RuleOff` reports it, so no rule error alert is raised. */
  readonly isOff?: true
}

export type Finding = Match | RuleError

/** An entry of the cache that rules share. The format of its text is up to the detection language. */
export interface CacheEntry {
  readonly key: string
  readonly entry: string
  /** Epoch ms; `undefined`: never. */
  readonly expiresMs: number | undefined
}

/** A change to the rule cache; `undefined`: the entry was removed. */
export type CacheWrite = CacheEntry | { readonly key: string; readonly entry: undefined }

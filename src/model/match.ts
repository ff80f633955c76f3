import type { Severity } from './rule.ts'

/** An event for which a rule said yes, with what the rule's functions answered (limits and fall-backs applied). */
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
  /** `undefined`: routing by configuration. `['SKIP']`: an alert that is sent nowhere. */
  readonly destinations: readonly string[] | undefined
  /** Exact JSON text of an object, or `undefined` when the rule has no `alert_context`. */
  readonly alertContext: string | undefined
  /**
   * What `unique()` answered: the rule's threshold counts distinct ones. `null`: nothing that counts. Absent: the rule has
   * no such function, or it failed; then the match itself counts.
   */
  readonly unique?: string | null
  /** What failed in the functions beside `rule`, each with its fall-back taken: function → error text. */
  readonly functionErrors: Readonly<Record<string, string>>
}

/** A rule that failed on an event (or, with `event` -1, could not be loaded at all). Never stops other rules. */
export interface RuleError {
  readonly kind: 'error'
  readonly ruleId: string
  readonly event: number
  /**
   * `prefilter`: the rule matched an event that the prefilter would have kept from it. `tampering`: it changed what all rules
   * share (a helper, a built-in name).
   */
  readonly cause: 'exception' | 'return_type' | 'timeout' | 'import' | 'crash' | 'tampering' | 'prefilter'
  /** Error text with file and line, for a person. */
  readonly message: string
  /** The rule is off because of this: the system alert `RuleOff` says so, and there is no second one. */
  readonly isOff?: true
}

export type Finding = Match | RuleError

/** An entry of the cache that rules share: its text is the detection language's own. */
export interface CacheEntry {
  readonly key: string
  readonly entry: string
  /** Epoch ms; `undefined`: never. */
  readonly expiresMs: number | undefined
}

/** What a batch changed in the cache of rules; a missing entry was removed. */
export type CacheWrite = CacheEntry | { readonly key: string; readonly entry: undefined }

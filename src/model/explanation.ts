/** A piece of code or a condition that was evaluated, and the result. */
export interface ExplainedStep {
  /**
   * `test`: a condition; `loop`: a loop ended, having found nothing more; `return`: the value that was returned.
   */
  readonly kind: 'test' | 'loop' | 'return'
  /** Absolute path; the line counts from 1. Line 0: not known. */
  readonly file: string
  readonly line: number
  /** The whole line, if its text is known. */
  readonly source?: string
  /** The Python function, or the path in the YAML (`Detection.0.Any.1`). */
  readonly function: string
  /** As written, or in words, on one line. */
  readonly text: string
  /** `True`, `False`, or the returned value as text. */
  readonly outcome: string
  /** What its parts were: `[part, value]`, as text. */
  readonly values: readonly (readonly [part: string, value: string])[]
}

/** A value that a rule read from its event. */
export interface ExplainedRead {
  readonly file: string
  readonly line: number
  readonly text: string
  readonly value: string
}

/** How a rule came to its result. */
export interface RuleTrace {
  /** The conditions in the order in which they were last tested. */
  readonly steps: readonly ExplainedStep[]
  /** What decided: a step of the rule, then, if that was a call, what decided in the called function, and so on. */
  readonly decided: readonly ExplainedStep[]
  readonly reads: readonly ExplainedRead[]
}

/**
 * `match`: the rule matches the event. `no_match`: it judges the event and does not match. `not_judged`: it would never see the event,
 * because it is off, judges other log types, or has a filter that keeps the event from it. `error`: its code fails.
 * `depends`: it is a correlation rule, and other events decide.
 */
export type Verdict = 'match' | 'no_match' | 'not_judged' | 'error' | 'depends'

/** Something that decides whether the rule sees the event. */
export interface ExplainedCheck {
  readonly what: 'enabled' | 'log type' | 'filter' | 'prefilter'
  readonly passed: boolean
  /** A sentence without a full stop. */
  readonly detail: string
  /** The conditions of a filter or of the prefilter; none for the others. */
  readonly decided: readonly ExplainedStep[]
}

/** What a match would do. */
export interface ExplainedAlert {
  readonly title: string
  readonly dedup: string
  readonly severity: string
  /** The function of the rule that failed, and how; what it would have returned is replaced. */
  readonly functionErrors: Readonly<Record<string, string>>
  readonly createAlert: boolean
  readonly threshold: number
  readonly dedupPeriodMinutes: number
}

/** Why a rule matches an event, or why not. */
export interface Explanation {
  readonly ruleId: string
  readonly kind: string
  /** The rule's code (for a rule in YAML the same as `definition`) and its YAML file, relative to their content folder. */
  readonly file: string
  readonly definition: string
  /** Hash of the rule's metadata and code. */
  readonly version: string
  readonly logType: string
  readonly rowId: string | undefined
  readonly verdict: Verdict
  /** One sentence, without a full stop. */
  readonly summary: string
  readonly checks: readonly ExplainedCheck[]
  /** What the rule's code says about the event, even if it would not see it. */
  readonly result: 'match' | 'no_match' | 'error'
  readonly trace: RuleTrace
  /** Where the code failed, and how. */
  readonly error: string | undefined
  /** Absent if the code does not match. */
  readonly alert: ExplainedAlert | undefined
  /** For a correlation rule: each of its rules, with the result on this event. */
  readonly members: readonly { readonly ruleId: string; readonly verdict: Verdict; readonly summary: string }[]
  readonly notes: readonly string[]
  /** The event's exact JSON text, with the rows of tables that were joined. */
  readonly event: string
}

/** A time in which a rule that should have run was off. What came meanwhile was not judged by it. */
export interface RuleSpan {
  readonly ruleId: string
  readonly logTypes: readonly string[]
  /** Why it was off, for a person. */
  readonly why: string
  readonly fromMs: number
  /** `null`: it is off now. */
  readonly toMs: number | null
  /** Events and rows of its log types in that time, as far as they were counted: a crash loses the last seconds of it. */
  readonly events: number
}

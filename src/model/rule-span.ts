/** A period in which an enabled rule was off. Events from that time were not judged by it. */
export interface RuleSpan {
  readonly ruleId: string
  readonly logTypes: readonly string[]
  /** Why it was off, for a person. */
  readonly why: string
  readonly fromMs: number
  /** `null`: it is off now. */
  readonly toMs: number | null
  /** Events and rows of its log types in that period. A crash may lose the last few seconds of counting. */
  readonly events: number
  /** The id of the replay that judges them late; '': none does. Absent: not decided yet. */
  readonly late?: string
}

/** What is remembered for one correlation rule and join key. */
export interface CorrelationEntry {
  /** Hash of the rule, its version and the join key. */
  readonly id: string
  readonly ruleId: string
  /** When it must be checked again: when a match becomes certain, or the entry is no longer needed. */
  readonly wakeMs: number
  /** JSON text. */
  readonly value: string
}

/** What a step changes, to be written in the same transaction as the step's matches. */
export interface CorrelationChanges {
  readonly saved: readonly CorrelationEntry[]
  readonly removed: readonly string[]
}

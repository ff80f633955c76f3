/** What is remembered of one correlation rule and join key. */
export interface CorrelationEntry {
  /** Hash of the rule, its version and the join key. */
  readonly id: string
  readonly ruleId: string
  /** When it must be looked at again: a match becomes certain, or the entry is of no more use. */
  readonly wakeMs: number
  /** JSON text. */
  readonly value: string
}

/** What a step changes: to be written in the transaction that holds the step's matches. */
export interface CorrelationChanges {
  readonly saved: readonly CorrelationEntry[]
  readonly removed: readonly string[]
}

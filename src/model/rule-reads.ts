/** Names from the event down to a field; the path ends before the first index or wildcard. */
export type FieldPath = readonly string[]

/** The fields that a rule is known to read, as far as its text shows. */
export interface RuleReads {
  readonly fields: readonly FieldPath[]
  /** Names that data models map to fields (`event.udm('source_ip')`). */
  readonly unified: readonly string[]
}

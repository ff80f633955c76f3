import type { Match } from './match.ts'

/** A match of an alert as it was decided, kept with the alert: retention of events does not delete it. */
export interface Evidence
  extends Pick<Match, 'title' | 'dedup' | 'severity' | 'description' | 'reference' | 'runbook' | 'unique' | 'functionErrors'> {
  readonly rowId: string
  readonly logType: string
  /** The hash of the content that decided. */
  readonly generation: string
  /** The version of the rule that decided; `null` if it had none. */
  readonly ruleVersion: string | null
  /** Exact JSON text of the event as the rule saw it, with the joined rows of tables; `null` if it is longer than `MAX_EVENT_CHARS`. */
  readonly event: string | null
  /** Exact JSON text: a list of each `ReadRow` of the match. */
  readonly looked: string
  /** The original record; `null` if there was none, as for a row of a query. */
  readonly raw: string | null
  /** Only the first 64 KiB of the record are kept. */
  readonly isRawCut: boolean
  readonly destinations: readonly string[] | null
  /** Exact JSON text. */
  readonly context: string | null
}

/** Evidence to store. */
export interface NewEvidence {
  readonly alertId: string
  /** Its number among the alert's matches, from 1. */
  readonly number: number
  readonly sourceId: string
  readonly evidence: Evidence
}

/** Matches of an alert that are kept, the first ones. */
export const MAX_EVIDENCE = 20
export const MAX_EVENT_CHARS = 256 * 1024
/** Evidence of all alerts together, compressed; that of the oldest alerts makes room. */
export const MAX_EVIDENCE_BYTES = 256 * 1024 * 1024

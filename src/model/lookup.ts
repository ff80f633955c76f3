import type { JsonObject, JsonValue } from './json.ts'

/** The tables that rules can read while they judge a batch. */
export interface TableRows {
  /** Two with the same stamp give the same answers, so these may be kept. */
  readonly stamp: string
  /** Finds what `event.lookup(table, key)` returns. */
  find(table: string, key: JsonValue): Looked
}

/** `row`: with `p_match` and `p_version`; `null` if the table has no such key; a list if keys of the table may have several rows. */
export type Looked =
  | { readonly table: string; readonly version: string; readonly row: JsonObject | JsonObject[] | null }
  | LookupProblem

/** Why there is no answer: the rule fails with this sentence. */
export interface LookupProblem {
  readonly problem: string
}

/** A row that a rule read from a table, as a match records it. A key without a row has `p_missing: true` instead of the columns. */
export interface ReadRow {
  readonly table: string
  readonly row: JsonObject
  /** It is one of a list, because keys of the table may have several rows. */
  readonly isOfList?: true
}

/** Where `p_enrichment` of a matched event has the rows that the rule read by itself: beside the table's selectors. */
export const LOOKUP_SELECTOR = 'p_lookup'

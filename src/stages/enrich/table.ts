import type { Event } from '../../model/event.ts'
import type { JsonObject } from '../../model/json.ts'
import type { TableRows } from '../../model/lookup.ts'
import { CaracalError } from '../../util/errors.ts'
import type { Binding, LogTypeShape } from './associations.ts'
import type { AddressBatch } from './tables/address-batch.ts'
import type { TableRow } from './tables/row-store.ts'

/**
 * How an event's value is compared with the keys: as text (`exact`, `ignore_case`), as an address (`ip`: every spelling
 * of one address is the same key), as an address within the keys' networks (`cidr`, the longest wins), or by the port in
 * it (`port`: the value may be `22`, `0.0.0.0:22`, `[::]:22`), as a name at or below a domain (`domain`, the longest wins),
 * or by patterns with `*` and `?` (`glob`, the most specific wins).
 */
export const MATCH_KINDS = ['exact', 'ignore_case', 'ip', 'cidr', 'port', 'domain', 'glob'] as const
/** `registrable_domain`: `domain` with `PublicSuffix: true`. */
export type MatchKind = (typeof MATCH_KINDS)[number] | 'registrable_domain'

/** One version of a lookup table's content, in memory and immutable; a refresh creates a new one. */
export interface Table {
  readonly name: string
  /** Hash of the content (12 hex digits), after its date if that is known: `2024-03-12-0123456789ab`. Goes into `p_version`. */
  readonly version: string
  /** How keys are compared; those of several columns each in its own way. */
  readonly match: MatchKind | 'composite'
  /** Distinct keys. */
  readonly size: number
  /** Memory of rows and index, shared by all threads that have the table. */
  readonly bytes: number
  /** Rows of the content that could not be used, with reasons for the first few. */
  readonly skipped: SkippedRows
  readonly binding: Binding
  /** Keys are addresses or networks, so `findAll` can be used. */
  readonly hasAddresses: boolean
  /** A key may have several rows: numbers are those of keys, and `list` returns their rows. */
  readonly isList: boolean
  /** Rows expire, so that look-ups depend on the time. */
  readonly isExpiring: boolean
  /**
   * The number of the row for a key (a composite one as `joinKey` writes it), -1 for none. Rows that have expired at `atMs` (epoch
   * milliseconds) are not found; without a time none has. No allocation (upper case under `ignore_case` aside).
   */
  find(key: string, atMs?: number): number
  /** The numbers of the rows for a batch of addresses, -1 for none. */
  findAll(batch: AddressBatch, rows: Int32Array, atMs?: number): void
  /** A row by its number, if no key has several. */
  row(number: number): TableRow
  /** The rows for a number that `find` returned for the same time, at least one. */
  list(number: number, atMs?: number): readonly TableRow[]
  /** The values of the (first) row for a key, or `undefined`. They belong to the table: copy them before changing anything. */
  get(key: string, atMs?: number): JsonObject | undefined
}

/** What other threads need to know about a table that was built. */
export interface BuiltTable {
  readonly version: string
  /** Distinct keys. */
  readonly rows: number
  readonly skipped: number
  /** Checks that the content did not pass, if it was accepted nevertheless. */
  readonly passedOver?: readonly string[]
}

/** Rows that a table could not accept. */
export interface SkippedRows {
  readonly count: number
  /** Reasons for the first few. */
  readonly examples: readonly string[]
}

export interface EnrichOptions {
  /** The events are judged again: addresses that live tables lack are not reported. */
  readonly isPast?: boolean
  /** The time at which rows must not have expired, epoch milliseconds. Without a time none has. */
  readonly atMs?: number
}

/** Adds `p_enrichment` from the tables in force to events, in place. */
export interface Enricher {
  /**
   * Joins events of one log type. Which tables are joined on which fields is determined once per schema. Rows that have expired at `atMs` are
   * not joined.
   */
  enrich(schema: LogTypeShape, events: readonly Event[], options?: EnrichOptions): void
  /** The same tables for `event.lookup(table, key)` in rules, regardless of expiration. */
  readonly rows: TableRows
  /** The same without rows that have expired at that time, epoch milliseconds. */
  rowsAt(atMs: number): TableRows
}

/** Content cannot become a table, or a provider could not fetch it. The message says what to do. */
export class TableError extends CaracalError {
  /** How long the server asks clients to wait before they try again. */
  readonly afterMs: number | undefined

  constructor(message: string, { afterMs, ...options }: ErrorOptions & { readonly afterMs?: number | undefined } = {}) {
    super('table', message, options)
    this.afterMs = afterMs
  }
}

/** There is nothing to fill the table with yet, which is a state of the table rather than a failure. */
export class NoContentYet extends TableError {}

/** Something answered, and the answer cannot be used or trusted. Worth an alert at once, whereas an outage may pass. */
export class RefusedAnswer extends TableError {}

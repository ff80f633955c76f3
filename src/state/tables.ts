import type { Generated, Selectable } from 'kysely'

/**
 * The state database. Foreign text (titles, error texts, contexts) is kept inside JSON text, which escapes what the
 * driver cannot store (NUL, lone surrogates); keys built from foreign text are hashes.
 */
export interface StateTables {
  meta: { key: string; value: string }
  /** Where reading goes on, per file (`place` = file id) or for the whole spool (`place` = 'spool'). */
  cursors: { source_id: string; place: string; value: string; updated_ms: number }
  /** Batches whose extent is recorded; `done` ones are kept until the source's next batch is done. */
  batches: { batch_id: string; source_id: string; extent: string; received_ms: number; done: number }
  /** Finished lake rows waiting for the flusher. */
  outbox: { id: number; spec_id: string; rows: Uint8Array; row_count: number; bytes: number; created_ms: number }
  /** Table shapes that outbox rows were written for: JSON of a `TableSpec`. */
  specs: { spec_id: string; spec: string }
  /** The flush under way: at most one. */
  flushes: { flush_id: string; from_id: number; to_id: number; created_ms: number }
  /** What a table of the lake (`database.table`) did not take of a flush that is over for the others: at most one each. */
  held_flushes: { lake_table: string; flush_id: string; from_id: number; to_id: number }
  alerts: {
    alert_id: string
    rule_id: string
    /** Hash of rule id and dedup string. */
    group_key: string
    /** Which window of its group it is: what ids are made of. 0: of an earlier version. */
    window_number: Generated<number>
    /** Hash of the rule, code included, that the first match was of. */
    rule_version: string | null
    /** 1: made by judging the past again. */
    retroactive: Generated<number>
    window_start_ms: number
    window_end_ms: number
    /** 1 once the threshold was reached: only then it is an alert that people see. */
    opened: number
    status: string
    severity: string
    event_count: number
    created_ms: number
    updated_ms: number
    /** JSON of an `AlertBody`. */
    body: string
  }
  /** Per rule: window numbers below this one are used up, also where their windows are deleted. */
  window_floors: { rule_id: string; next_number: number }
  /** How often a limit was reached, by rule and kind of limit, and when last. */
  rule_limits: { rule_id: string; what: string; n: number; last_ms: number }
  deliveries: {
    delivery_id: string
    alert_id: string
    destination: string
    /** `pending`, `delivered`, `dead`. */
    state: string
    tries: number
    next_ms: number
    created_ms: number
    /** The request body: JSON text. */
    body: string
    /** JSON text of the last error, or ''. */
    error: string
  }
  /** Records by source, outcome and reason ('' for stored and received). */
  counters: { source_id: string; outcome: string; reason: string; n: number }
  /** Fields that schemas do not know, JSON text of [log type, field]. */
  unknown_fields: { source_id: string; field: string; n: number }
  /** JSON of a table's last success, failure and version. */
  table_status: { name: string; value: string }
  sequences: { name: string; value: number }
  /** What correlation rules remember between signals; `value` is JSON text. */
  correlation: { id: string; rule_id: string; wake_ms: number; value: string }
  /** The cache of rules, by hash of the key; `entry` is JSON text of [key, entry]. Without an expiry: the end of time. What was written later has a greater `written`. */
  rule_cache: { key_hash: string; entry: string; expires_ms: number; written: number }
  /** Contents that were in force, numbered in their order. `actor` and `commits` are JSON text. */
  content_generations: {
    number: number
    generation: string
    created_ms: number
    cause: string
    actor: string
    commits: string
  }
  /** Files that a generation has changed, by the name of their content root: a hash that is absent is a file that was not there. */
  content_changes: { number: number; root: string; path: string; before_hash: string | null; after_hash: string | null }
  /** Files as they are in the last generation. */
  content_files: { root: string; path: string; hash: string }
  /** Texts of files, those of before their changes too; long ones are not kept. */
  content_texts: { hash: string; text: Uint8Array; bytes: number }
}

export type AlertRow = Selectable<StateTables['alerts']>
export type DeliveryRow = Selectable<StateTables['deliveries']>

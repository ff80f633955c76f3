import type { Generated, Selectable } from 'kysely'

/**
 * The state database. Untrusted text (titles, error texts, contexts) is stored inside JSON text, which escapes what the driver cannot
 * store (NUL, lone surrogates). Keys derived from untrusted text are hashes.
 */
export interface StateTables {
  meta: { key: string; value: string }
  /** Where reading resumes, per file (`place` = file id) or for the whole spool (`place` = 'spool'). */
  cursors: { source_id: string; place: string; value: string; updated_ms: number }
  /** Batches whose extent is recorded; `done` ones remain until the source's next batch is done. */
  batches: { batch_id: string; source_id: string; extent: string; received_ms: number; done: number }
  /** Finished lake rows waiting for the flusher. */
  outbox: { id: number; spec_id: string; rows: Uint8Array; row_count: number; bytes: number; created_ms: number }
  /** Table shapes that outbox rows were written for: JSON of a `TableSpec`. */
  specs: { spec_id: string; spec: string }
  /** The current flush: at most one. */
  flushes: { flush_id: string; from_id: number; to_id: number; created_ms: number }
  /** Rows of a flush that a lake table (`database.table`) has not accepted although the flush is done for the others: at most one each. */
  held_flushes: { lake_table: string; flush_id: string; from_id: number; to_id: number }
  alerts: {
    alert_id: string
    rule_id: string
    /** Hash of rule id and dedup string. */
    group_key: string
    /** The window's number within its group, from which ids are derived. 0: created by an earlier version. */
    window_number: Generated<number>
    /** Hash of the rule, code included, at the time of the first match. */
    rule_version: string | null
    /** 1: created by a replay. */
    retroactive: Generated<number>
    window_start_ms: number
    window_end_ms: number
    /** 1 once the threshold was reached; only then it is an alert that users see. */
    opened: number
    status: string
    severity: string
    event_count: number
    created_ms: number
    updated_ms: number
    /** JSON of an `AlertBody`. */
    body: string
    /** What people recorded: see `AlertWork`. */
    reason: Generated<string | null>
    quality: Generated<string | null>
    owner: Generated<string | null>
    /** JSON list. */
    context_tags: Generated<string>
    version: Generated<number>
    merged_into: Generated<string | null>
    /** The mute that covers all of its matches. */
    muted_by: Generated<string | null>
    /** JSON of an `AlertHold`. */
    hold: Generated<string | null>
  }
  /** What happened to each alert; `detail` is JSON of a `Happening`. Deleted with the alert. */
  alert_timeline: {
    id: Generated<number>
    alert_id: string
    at_ms: number
    until_ms: number
    by: string
    kind: string
    /** The commenter's own name for a comment. */
    key: string | null
    detail: string
  }
  /** Mutes; `criteria` is JSON of a `MuteCriteria`. */
  mutes: {
    mute_id: string
    criteria: string
    owner: string
    reason: string
    by: string
    created_ms: number
    expires_ms: number
    ended_ms: Generated<number | null>
    ended_by: Generated<string | null>
    matches: Generated<number>
    alerts: Generated<number>
    last_ms: Generated<number | null>
  }
  /** Calls with a key that the API has answered. `owner`, `key` and `call` are hashes, `answer` is JSON of a `KeptAnswer`. */
  answered_calls: { owner: string; key: string; call: string; created_ms: number; answer: Generated<string | null> }
  /** Tokens of the API; `hash` is the SHA-256 of the secret, in hex. `cidrs` and `log_types` are JSON lists. */
  tokens: {
    token_id: string
    hash: string
    name: string
    role: string
    cidrs: string
    log_types: string
    created_ms: number
    created_by: string
    expires_ms: number | null
    revoked_ms: Generated<number | null>
    revoked_by: Generated<string | null>
    last_ms: Generated<number | null>
    last_address: Generated<string | null>
    /** Whose it is: it ends with the person's account and can do no more than they can. */
    user_id: Generated<string | null>
  }
  /** People who sign in. This and the four tables that follow are better-auth's; `logTypes` is a JSON list. */
  users: {
    id: string
    name: string
    email: string
    emailVerified: number
    image: string | null
    createdAt: string
    updatedAt: string
    twoFactorEnabled: number | null
    role: string
    logTypes: string
    createdBy: string
    disabledAt: string | null
    lastSeenAt: string | null
  }
  /** `token` is the SHA-256 of what the cookie has. */
  user_sessions: {
    id: string
    expiresAt: string
    token: string
    createdAt: string
    updatedAt: string
    ipAddress: string | null
    userAgent: string | null
    userId: string
  }
  /** Hashes of passwords, and links to accounts of the sign-in service. */
  user_credentials: { id: string; userId: string; providerId: string; accountId: string; password: string | null }
  /** What is valid once and for a while: one-time links, pending second factors. */
  user_verifications: { id: string; identifier: string; value: string; expiresAt: string }
  /** Secrets of authenticator apps and recovery codes, encrypted with the key in the data folder. */
  user_second_factors: { id: string; userId: string; verified: number | null }
  /** Failed attempts to sign in, by hash of the account or address. */
  sign_in_failures: { key: string; failures: number; last_ms: number }
  /** Table versions joined to the events of alerts and of windows that may become one; deleted with them. */
  alert_tables: { table_name: string; version: string; alert_id: string }
  /** The first matches of alerts and of windows that may become one: compressed JSON of an `Evidence`. Deleted with them. */
  alert_evidence: {
    id: Generated<number>
    alert_id: string
    number: number
    source_id: string
    bytes: number
    detail: Uint8Array
  }
  /** Per rule: window numbers below this are used up, even if their windows have been deleted. */
  window_floors: { rule_id: string; next_number: number }
  /** How often each limit was reached, by rule and kind of limit, and when last. */
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
    /** Why it is sent: a `DeliveryKind`. */
    kind: Generated<string>
    /** JSON text of what the receiver calls what it created, or ''. */
    reference: Generated<string>
    /** The digest that carries or carried it, or ''. */
    digest_id: Generated<string>
    /** Rank of the alert's severity, 0 to 4: a pending delivery with a higher one is sent first. */
    urgency: Generated<number>
  }
  /** Records by source, outcome and reason ('' for stored and received). */
  counters: { source_id: string; outcome: string; reason: string; n: number }
  /** Per source: since when it has been configured without interruption, its last times, and its bytes so far. */
  source_activity: {
    source_id: string
    watched_ms: number
    /** 1: it was configured when the program last started. */
    is_configured: number
    first_ms: number | null
    last_ms: number | null
    event_ms: number | null
    lag_ms: number | null
    bytes: number
  }
  /** What sources sent by minute and by hour (`span_ms`). */
  source_flow: { source_id: string; span_ms: number; start_ms: number; records: number; bytes: number }
  /** Fields that no schema has: JSON text of [log type, field]. */
  unknown_fields: { source_id: string; field: string; n: number }
  /** JSON of a table's last success, failure and version. */
  table_status: { name: string; value: string }
  sequences: { name: string; value: number }
  /** What correlation rules remember between signals; `value` is JSON text. */
  correlation: { id: string; rule_id: string; wake_ms: number; value: string }
  /** The risk of entities; `shares` is JSON text. `rank` orders them by what is left of it at any one time. */
  risk: { field: string; value: string; score: number; at_ms: number; is_alerted: number; shares: string; rank: number }
  /**
   * The rule cache, by hash of the key; `entry` is JSON text of [key, entry]. An entry without an expiry expires at the end of time.
   * Later writes have a greater `written`.
   */
  rule_cache: { key_hash: string; entry: string; expires_ms: number; written: number }
  /**
   * Rows of lookup tables that events write, by hash of the key; `entry` is JSON text of [key, its spelling, columns]. Later writes have a
   * greater `position`.
   */
  written_rows: {
    table_name: string
    /** Hash of the key's columns and how they are compared. */
    shape: string
    key_hash: string
    entry: string
    /** The number of the write that gave the row its columns, and when that was. */
    version: number
    since_ms: number
    created_ms: number
    written_ms: number
    read_ms: number
    position: number
  }
  /** Content generations, numbered in order. `actor` and `commits` are JSON text. */
  content_generations: {
    number: number
    generation: string
    created_ms: number
    cause: string
    actor: string
    commits: string
  }
  /** Files that a generation changed, by the name of their content root. A missing hash means that the file did not exist. */
  content_changes: { number: number; root: string; path: string; before_hash: string | null; after_hash: string | null }
  /** Files of the last generation. */
  content_files: { root: string; path: string; hash: string }
  /** Texts of files, including old versions; long ones are not stored. */
  content_texts: { hash: string; text: Uint8Array; bytes: number }
  /** The processes that share this state. `roles`: what each does, separated by commas; `seen_ms`: by the clock of the database. */
  nodes: { name: string; roles: string; version: string; address: string; started_ms: number; seen_ms: number }
  /** Files of the data folder that every node must have; `hash` is the SHA-256 of the content. */
  stored_files: { path: string; bytes: number; hash: string }
  /** What they consist of, in order. */
  stored_parts: { path: string; part: number; chunk: string }
  /** By SHA-256. */
  stored_chunks: { chunk: string; data: Uint8Array }
}

export type AlertRow = Selectable<StateTables['alerts']>
export type MuteRow = Selectable<StateTables['mutes']>
export type TokenRow = Selectable<StateTables['tokens']>
export type TimelineRow = Selectable<StateTables['alert_timeline']>
export type DeliveryRow = Selectable<StateTables['deliveries']>

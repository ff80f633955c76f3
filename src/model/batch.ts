import type { Activity } from './activity.ts'
import type { AlertTable, AlertWindow, CrowdRef, GroupRef, KnownGroups, StoredAlert } from './alert.ts'
import type { TableSpec } from './column.ts'
import type { CorrelationChanges } from './correlation.ts'
import type { NewEvidence } from './evidence.ts'
import type { LimitHit } from './limit.ts'
import type { CacheWrite } from './match.ts'
import type { MuteCount } from './mute.ts'
import type { ListedKind } from './outgoing-alert.ts'
import type { RiskChanges } from './risk.ts'
import type { TableWrite } from './table-write.ts'

/** Where a batch begins and ends, with everything needed to build exactly the same batch again. Plain JSON. */
export interface Extent {
  readonly kind: string
  readonly [key: string]: unknown
}

/** Where reading one place (a file, the spool) continues after a committed batch. Plain JSON. */
export interface Cursor {
  readonly place: string
  readonly value: object
}

/** A batch as recorded before it is processed. */
export interface RecordedBatch {
  readonly batchId: string
  readonly sourceId: string
  readonly extent: Extent
  readonly receivedMs: number
}

/** Finished lake rows of one table, as a block (`src/util/block/writer.ts`). */
export interface FinishedRows {
  readonly spec: TableSpec
  readonly rows: Uint8Array
  readonly count: number
}

export interface Count {
  readonly sourceId: string
  readonly outcome: 'received' | 'stored' | 'filtered' | 'dead_lettered'
  /**
   * The reason for dead letters, the filter for filtered records, the log type for stored records if it was guessed; otherwise
   * ''.
   */
  readonly reason: string
  readonly n: number
}

export interface NewDelivery {
  readonly deliveryId: string
  /** Of rows of a query: `mailsOf` it. */
  readonly alertId: string
  readonly destination: string
  readonly body: string
  readonly createdMs: number
  /** Why it is sent. Default: the alert was opened. */
  readonly kind?: ListedKind
}

/** The effects of findings, wherever they come from: everything that one transaction stores about them. */
export interface Effects {
  readonly rows: readonly FinishedRows[]
  readonly windows: readonly AlertWindow[]
  /** The `windows` that became alerts, except muted ones. */
  readonly opened: readonly AlertWindow[]
  readonly deliveries: readonly NewDelivery[]
  /** The deliveries of an alert that was opened again because one of the `windows` that it is merged with was. Absent: none. */
  readonly onReopened?: (alert: StoredAlert, sentTo: ReadonlySet<string>) => readonly NewDelivery[]
  /** Table versions joined to the events of `windows`. Absent: none. */
  readonly alertTables?: readonly AlertTable[]
  /** Matches of `windows` to keep with them. Absent: none. */
  readonly evidence?: readonly NewEvidence[]
  /** What mutes did. Absent: nothing. */
  readonly mutes?: readonly MuteCount[]
  /** Changes that rules made to their cache. */
  readonly cacheWrites: readonly CacheWrite[]
  /** What correlation rules now remember. */
  readonly correlation: CorrelationChanges
  /** The risk of entities. Absent: unchanged. */
  readonly risk?: RiskChanges
  /** Limits that rules reached. */
  readonly limits?: readonly LimitHit[]
  /** Rule id → matches and errors. */
  readonly findings: {
    readonly matches: ReadonlyMap<string, number>
    readonly errors: ReadonlyMap<string, number>
    /** Rule id → the text of its last error. */
    readonly lastErrors?: ReadonlyMap<string, string>
  }
  readonly nowMs: number
}

/** All effects of one batch. */
export interface BatchEffects extends Effects {
  readonly batch: RecordedBatch
  readonly cursor: Cursor
  readonly counts: readonly Count[]
  readonly unknownFields: ReadonlyMap<string, number>
  /** Absent: it does not count as activity of its source. */
  readonly activity?: Activity
  /** What its events changed in tables. Absent: nothing. */
  readonly tableWrite?: TableWrite
}

/** All effects of something other than a source's batch, such as a scheduled query's result or the passing of time. */
export interface OtherEffects extends Effects {
  /** Values to store along with it, by key, such as when a query last ran or how far a replay has come. */
  readonly meta: ReadonlyMap<string, string>
  /** Records whose outcome is another one now. Absent: none. */
  readonly counts?: readonly Count[]
}

/**
 * Effects that depend on the state of alert groups at commit time. State locks the groups, including those it has never seen,
 * reads them and calls `decide` in the same transaction, so that concurrent writers decide one after another.
 */
export interface Decision<E> {
  readonly groups: readonly GroupRef[]
  /** `decide` does not need windows that ended before this time, epoch ms. */
  readonly fromMs: number
  /** Windows to count by rule. Default: none. */
  readonly crowds?: readonly CrowdRef[]
  /** Must be synchronous and change only the windows passed to it. Called again if the transaction is retried. */
  readonly decide: (known: KnownGroups) => E
}

/** A flush, recorded before its rows go to the lake so that exactly the same flush can be repeated after a crash. */
export interface Flush {
  readonly flushId: string
  readonly fromId: number
  readonly toId: number
  /**
   * The only table (`database.table`) for which it is unfinished. Default: all tables that are not waiting for an earlier flush.
   */
  readonly table?: string
  /** More rows were waiting when it was recorded. */
  readonly hasMore?: true
}

/** The rows of one flush for one table, in outbox order. */
export interface FlushPart {
  readonly spec: TableSpec
  /** Later rows of the same flush have a different spec of this table. */
  readonly late: boolean
  /** Insert token; it always stands for the same rows. */
  readonly token: string
  /** Blocks, or NDJSON from an older version, with one JSON array per row. */
  readonly blocks: readonly Uint8Array[]
  readonly count: number
}

/** The outcome of a flush apart from the stored rows. */
export interface FlushOutcome {
  /** Rows that the lake refused permanently, as dead letters. */
  readonly rows: readonly FinishedRows[]
  readonly counts: readonly Count[]
  /** Tables (`database.table`) that could not accept their rows for now. */
  readonly waiting: readonly string[]
}

export interface OutboxSize {
  /** Rows that can go to the lake, excluding those of tables that wait for an earlier flush. */
  readonly rows: number
  /** Of all rows. */
  readonly bytes: number
  /** When the oldest of `rows` was finished, epoch ms; `undefined` when there are none. */
  readonly oldestMs: number | undefined
}

/** The outcome of one attempt. */
export type DeliveryResult =
  | {
      readonly deliveryId: string
      readonly kind: 'delivered'
      readonly tries: number
      readonly nowMs: number
      /** What the receiver calls what it created. */
      readonly reference?: string | undefined
      /** The digest that carried it. Absent: it was sent by itself. */
      readonly digestId?: string
    }
  | {
      readonly deliveryId: string
      readonly kind: 'again'
      readonly tries: number
      readonly nextMs: number
      readonly error: string
    }
  | { readonly deliveryId: string; readonly kind: 'dead'; readonly tries: number; readonly error: string; readonly nowMs: number }

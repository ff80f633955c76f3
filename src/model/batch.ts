import type { AlertWindow, CrowdRef, GroupRef, KnownGroups } from './alert.ts'
import type { TableSpec } from './column.ts'
import type { CorrelationChanges } from './correlation.ts'
import type { LimitHit } from './limit.ts'
import type { CacheWrite } from './match.ts'

/** Where a batch begins and ends, with all that is needed to make exactly the same batch again. Plain JSON. */
export interface Extent {
  readonly kind: string
  readonly [key: string]: unknown
}

/** Where reading of one place (a file, the spool) goes on after a committed batch. Plain JSON. */
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
  /** Of dead letters the reason, of filtered records the filter, of stored ones the log type when it was a guess; else ''. */
  readonly reason: string
  readonly n: number
}

export interface NewDelivery {
  readonly deliveryId: string
  readonly alertId: string
  readonly destination: string
  readonly body: string
  readonly createdMs: number
}

/** What findings do, wherever they come from: everything that one transaction keeps of them. */
export interface Effects {
  readonly rows: readonly FinishedRows[]
  readonly windows: readonly AlertWindow[]
  /** Those of `windows` that became alerts. */
  readonly opened: readonly AlertWindow[]
  readonly deliveries: readonly NewDelivery[]
  /** What rules changed in their cache. */
  readonly cacheWrites: readonly CacheWrite[]
  /** What correlation rules remember now. */
  readonly correlation: CorrelationChanges
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
}

/** All effects of something that is no batch of a source: a scheduled query's answer, time that has passed. */
export interface OtherEffects extends Effects {
  /** State to be remembered with it, by key: when a query ran last. */
  readonly meta: ReadonlyMap<string, string>
}

/**
 * Effects that depend on what state holds of alert groups at the moment of the commit. State locks the groups, also those it has
 * never seen, reads them and calls `decide` within the same transaction, so that several writers decide one after the other.
 */
export interface Decision<E> {
  readonly groups: readonly GroupRef[]
  /** Windows that ended by then are of no use to `decide`, epoch ms. */
  readonly fromMs: number
  /** Windows that are counted by rule; absent: none. */
  readonly crowds?: readonly CrowdRef[]
  /** Must not wait for anything, and changes nothing but the windows it is given. Called again when the transaction is repeated. */
  readonly decide: (known: KnownGroups) => E
}

/** A flush as recorded before its rows go to the lake: after a crash exactly the same one is made again. */
export interface Flush {
  readonly flushId: string
  readonly fromId: number
  readonly toId: number
  /** The only table (`database.table`) that it is not over for; absent: all tables that do not wait for an earlier flush. */
  readonly table?: string
}

/** What one flush gives to one table, in the order of the outbox. */
export interface FlushPart {
  readonly spec: TableSpec
  /** Later rows of the same flush have another spec of the same table. */
  readonly late: boolean
  /** Insert token: the same rows under it, always. */
  readonly token: string
  /** Blocks; an older version left NDJSON, one JSON array a row. */
  readonly blocks: readonly Uint8Array[]
  readonly count: number
}

/** What became of a flush beside what is stored. */
export interface FlushOutcome {
  /** What the lake refused for good, as dead letters. */
  readonly rows: readonly FinishedRows[]
  readonly counts: readonly Count[]
  /** Tables (`database.table`) that could not take their rows now. */
  readonly waiting: readonly string[]
}

export interface OutboxSize {
  /** Rows that can go to the lake: those of tables that wait for an earlier flush are not among them. */
  readonly rows: number
  /** Of all rows. */
  readonly bytes: number
  /** When the oldest of `rows` was finished, epoch ms; `undefined` when there are none. */
  readonly oldestMs: number | undefined
}

/** What became of one try. */
export type DeliveryResult =
  | { readonly deliveryId: string; readonly kind: 'delivered'; readonly tries: number; readonly nowMs: number }
  | {
      readonly deliveryId: string
      readonly kind: 'again'
      readonly tries: number
      readonly nextMs: number
      readonly error: string
    }
  | { readonly deliveryId: string; readonly kind: 'dead'; readonly tries: number; readonly error: string; readonly nowMs: number }

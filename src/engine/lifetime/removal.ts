import type { RetentionDeleted } from '../../model/retention.ts'
import type { Order } from '../../pipeline/order.ts'
import { isArchivable } from '../../stages/store/archive.ts'
import type { Lake } from '../../stages/store/lake.ts'
import type { PartitionId, RetireAsk } from '../../stages/store/partitions.ts'
import type { Log } from '../../telemetry/log.ts'
import { CaracalError, messageOf, RetryLater } from '../../util/errors.ts'
import type { Archiver } from '../archive/archiver.ts'
import type { Due } from './plan.ts'
import { partitionName } from './weeks.ts'

export interface RemovalDeps {
  readonly lake: Pick<Lake, 'retire'>
  /** Alerts on hold. */
  readonly held: () => Promise<readonly string[]>
  /** Where events and matches go before they are deleted; `undefined`: nowhere. */
  readonly archiver?: Pick<Archiver, 'archive'> | undefined
  /** Whether a partition is left alone, because rows of it were restored from the archive. */
  readonly keeps?: ((partition: PartitionId) => boolean) | undefined
  /** Keeps the deletion of a partition apart from the beginning of a restore. */
  readonly order: Order
  readonly log: Log
  readonly now: () => number
}

const REASONS = { age: 'older than its retention', size: 'the lake is larger than retention.lake_max_bytes' } as const

/** Removes what is due in one run of retention: archived first, if there is an archive. What cannot be archived stays. */
export class Removal {
  readonly #deps: RemovalDeps
  readonly #signal: AbortSignal
  readonly #deleted: RetentionDeleted[] = []
  readonly #failed: { readonly name: string; readonly message: string }[] = []
  /** Why the archive does not answer: it is not tried again in this run. */
  #unreachable: string | undefined

  constructor(deps: RemovalDeps, signal: AbortSignal) {
    this.#deps = deps
    this.#signal = signal
  }

  get deleted(): readonly RetentionDeleted[] {
    return this.#deleted
  }

  /** What is due and could not be archived. */
  get failed(): readonly { readonly name: string; readonly message: string }[] {
    return this.#failed
  }

  /** Returns the number of deleted rows. Rejects if the lake cannot do it. */
  remove(due: Due, reason: RetentionDeleted['reason']): Promise<number> {
    return this.#deps.order.run(() => this.#remove(due, reason))
  }

  async #remove(due: Due, reason: RetentionDeleted['reason']): Promise<number> {
    const { lake, held, keeps, log, now } = this.#deps
    const { partition, beforeMs, logTypes } = due
    const { database, table, id } = partition
    if (keeps?.(partition)) return 0
    const ask: RetireAsk = { database, table, id, beforeMs, logTypes, held: await held() }
    const archived = isArchivable(partition) ? await this.#archive(due, ask) : undefined
    if (archived === 'failed') return 0
    const { rows, kept, isChanged } = await lake.retire(archived === undefined ? ask : { ...ask, expected: archived })
    if (isChanged) this.#fail(due, 'its rows changed after they had been archived')
    if (rows === 0) return 0
    const named = archived ? `were archived and deleted from the lake` : 'were deleted from the lake'
    log.info({ rows, kept }, `Rows of ${nameOf(due)} ${named} (${rows}): ${REASONS[reason]}.`)
    this.#deleted.push({ name: nameOf(due), rows, archived: archived ?? 0, reason, atMs: now() })
    return rows
  }

  /** The number of rows that are in the archive; `undefined`: there is no archive. */
  async #archive(due: Due, ask: RetireAsk): Promise<number | 'failed' | undefined> {
    const { archiver, log } = this.#deps
    if (!archiver) return undefined
    if (this.#unreachable !== undefined) return this.#fail(due, this.#unreachable)
    const { bytes, rows: all, logType, table } = due.partition
    try {
      const { rows, days, bytes: written } = await archiver.archive(ask, { logType: logType ?? table, bytes, all }, this.#signal)
      if (days > 0) log.info({ rows, days, bytes: written }, `Rows of ${nameOf(due)} were archived.`)
      return rows
    } catch (error) {
      if (this.#signal.aborted) throw error
      // A fault of the program is not one of the archive.
      if (!(error instanceof CaracalError)) log.error({ err: error }, `Rows of ${nameOf(due)} cannot be archived.`)
      if (error instanceof RetryLater) this.#unreachable = error.message
      return this.#fail(due, messageOf(error))
    }
  }

  #fail(due: Due, message: string): 'failed' {
    this.#failed.push({ name: nameOf(due), message })
    return 'failed'
  }
}

/** Table and week, as in `logs.zeek_conn 2026-03-02`. */
export function nameOf({ partition: { database, table, id } }: Pick<Due, 'partition'>): string {
  return `${database}.${table} ${partitionName(id)}`
}

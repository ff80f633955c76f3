import { resolve } from 'node:path'
import type { TableSpec } from '../../../model/column.ts'
import type { Clock } from '../../../util/clock.ts'
import { Refused, RetryLater } from '../../../util/errors.ts'
import type { ArchiveDays, ExportAsk, ImportAsk, Imported, RowSum } from '../archive.ts'
import type { DataAnswers, DataAsk, MoveAsk } from '../chdb-protocol.ts'
import { quoteName } from '../ddl.ts'
import { Ensured } from '../ensured.ts'
import type { EraseAsk, FoundRows } from '../erase.ts'
import { type Brought, type Lake, LakeEnded, type QueryOptions, type QueryResult } from '../lake.ts'
import type { LakeWork } from '../lake-work.ts'
import type { LookupVersion, LookupView } from '../lookups.ts'
import type { Partition, PartitionId, RetireAsk, Retired } from '../partitions.ts'
import { QueryLimit } from '../query-limit.ts'
import { queryResult } from '../query-result.ts'
import type { ServerHealth } from './health.ts'
import type { Servers } from './servers.ts'

/** What a lake is once its servers have answered. */
export interface OpenedLake {
  readonly work: LakeWork
  /** The tables that were migrated to the current layout. */
  readonly brought: readonly Brought[]
}

interface ServerLakeDeps {
  readonly servers: Servers
  readonly health: ServerHealth
  readonly maxQueryMs: number
  readonly maxRows: number
  readonly clock: Clock
}

/** A lake on a ClickHouse server. Everything runs in this process, since the engine is in another one already. */
export class ServerLake implements Lake {
  readonly #deps: ServerLakeDeps
  readonly #ensured: Ensured
  #opened: OpenedLake | undefined
  #isClosed = false
  #queries = 0

  /** Without `opened`, calls reject with `RetryLater` until `open` is called. */
  constructor(deps: ServerLakeDeps, opened?: OpenedLake) {
    this.#deps = deps
    this.#opened = opened
    this.#ensured = new Ensured((spec, late) => this.#work.ensure({ spec, late }))
  }

  async ready(): Promise<readonly Brought[]> {
    return this.#opened?.brought ?? []
  }

  /** The servers have answered; false if it is closed by now. */
  open(opened: OpenedLake): boolean {
    if (!this.#isClosed) this.#opened = opened
    return !this.#isClosed
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  async ensure(spec: TableSpec, late = false): Promise<void> {
    this.#open()
    return this.#ensured.ensure(spec, late)
  }

  async store(spec: TableSpec, file: string, token: string): Promise<string | undefined> {
    this.#open()
    try {
      return await this.#work.store({ spec, file: resolve(file), token })
    } catch (error) {
      // Somebody may have dropped or changed it on the server.
      this.#ensured.forget(spec)
      throw error
    }
  }

  async storeLookup(version: LookupVersion): Promise<void> {
    this.#open()
    await this.#work.lookups((lookups) => lookups.store(version))
  }

  async showLookups(views: readonly LookupView[]): Promise<void> {
    this.#open()
    await this.#work.lookups((lookups) => lookups.show(views))
  }

  async query(sql: string, options: QueryOptions = {}): Promise<QueryResult> {
    this.#open()
    const { params = {}, maxRows = this.#deps.maxRows, counted = false, checksOnly = false, signal, after, logTypes } = options
    if (!Number.isSafeInteger(maxRows) || maxRows < 0) throw new Refused(`a query cannot return ${maxRows} rows`)
    const { maxQueryMs, clock } = this.#deps
    const limit = new QueryLimit(Math.min(options.timeoutMs ?? maxQueryMs, maxQueryMs), clock, signal)
    try {
      if (after) await limit.before('rows still being stored', after)
      const id = ++this.#queries
      const state = { hasBegun: false }
      const request = { id, sql, params, maxRows, counted, checksOnly, ...(logTypes && { logTypes }) }
      const answer = this.#work.query(request, () => {
        state.hasBegun = true
      })
      answer.catch(() => {})
      options.onBegin?.(() => this.#work.progress(id))
      const asked = {
        answer,
        get hasBegun() {
          return state.hasBegun
        },
        cancel: () => void this.#work.cancel(id).catch(() => {}),
      }
      const { head, rows } = await limit.watch(asked, () => this.#work.abandon(id))
      return queryResult(head, rows)
    } catch (error) {
      // The server has its own time limit for it.
      if (error instanceof LakeEnded) throw new Refused(error.message.replace(/; .*/, '; the server is still ending it'))
      throw error
    } finally {
      limit.dispose()
    }
  }

  async toParquet(from: string, columns: QueryResult['columns'], to: string): Promise<void> {
    this.#open()
    const structure = columns.map(({ name, type }) => `${quoteName(name)} ${type}`).join(', ')
    await this.#work.parquet({ from: resolve(from), structure, to: resolve(to) })
  }

  async removeSource(sourceId: string, held: readonly string[] = []): Promise<void> {
    this.#open()
    await this.#work.removeSource(sourceId, held)
  }

  partitions(): Promise<readonly Partition[]> {
    return this.#data({ do: 'partitions' })
  }

  logTypesIn(partition: PartitionId): Promise<readonly string[]> {
    return this.#data({ do: 'logTypes', partition })
  }

  retire(ask: RetireAsk): Promise<Retired> {
    return this.#data({ do: 'retire', ...ask })
  }

  archiveDays(ask: RetireAsk): Promise<ArchiveDays> {
    return this.#data({ do: 'archiveDays', ...ask })
  }

  exportDay(ask: ExportAsk): Promise<RowSum> {
    return this.#data({ do: 'exportDay', ...ask, file: resolve(ask.file) })
  }

  async importFile(ask: ImportAsk): Promise<Imported> {
    await this.ensure(ask.spec, true)
    return this.#data({ do: 'importFile', ...ask, file: resolve(ask.file) })
  }

  find(ask: EraseAsk): Promise<readonly FoundRows[]> {
    return this.#data({ do: 'find', ...ask })
  }

  erase(ask: EraseAsk): Promise<readonly FoundRows[]> {
    return this.#data({ do: 'erase', ...ask })
  }

  scrub(): Promise<void> {
    return this.#data({ do: 'scrub' })
  }

  move<A extends MoveAsk>(ask: A): Promise<DataAnswers[A['do']]> {
    return this.#data(ask)
  }

  async snapshot(): Promise<undefined> {
    return undefined
  }

  async dropSnapshot(): Promise<void> {
    // There never is one: the server has its own backups.
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#deps.health.stop()
    await this.#opened?.work.close()
    await this.#deps.servers.close()
  }

  get #work(): LakeWork {
    if (!this.#opened) throw new RetryLater('the ClickHouse server of the lake has not answered since this process was started')
    return this.#opened.work
  }

  #open(): void {
    if (this.#isClosed) throw new RetryLater('the lake is closed')
  }

  async #data<A extends DataAsk>(ask: A): Promise<DataAnswers[A['do']]> {
    this.#open()
    return (await this.#work.data(ask)) as DataAnswers[A['do']]
  }
}

import { mkdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { z } from 'zod'
import type { TableSpec } from '../../model/column.ts'
import type { SystemProblem } from '../../model/system-problem.ts'
import { type Clock, steadyClock } from '../../util/clock.ts'
import { Refused, RetryLater } from '../../util/errors.ts'
import type { ArchiveDays, ExportAsk, ImportAsk, Imported, RowSum } from './archive.ts'
import { ChdbProcess, FolderTaken } from './chdb-process.ts'
import type { ChildOptions, DataAnswers, DataAsk, MoveAsk } from './chdb-protocol.ts'
import { FROZEN, SNAPSHOT } from './chdb-snapshot.ts'
import { watchProcess } from './chdb-watch.ts'
import { Culprits } from './culprits.ts'
import { quoteName } from './ddl.ts'
import { Ensured } from './ensured.ts'
import type { EraseAsk, FoundRows } from './erase.ts'
import { Incidents } from './incidents.ts'
import type { Brought } from './lake.ts'
import { defineLake, type Lake, LakeEnded, type QueryOptions, type QueryResult } from './lake.ts'
import { LAKE_KEYS } from './limits.ts'
import type { LookupVersion, LookupView } from './lookups.ts'
import type { Partition, PartitionId, RetireAsk, Retired } from './partitions.ts'
import { QueryLimit } from './query-limit.ts'
import { queryResult } from './query-result.ts'

const MIB = 1024 * 1024

/** Pauses between starts of a process that keeps ending. */
const BACK_OFF_MS = [100, 500, 2000, 5000, 15_000]

/** A lake that is not open after this time is reported. Its process is left alone, since a large lake takes long to open or to migrate. */
const SLOW_START_MS = 60_000

const OPEN_ATTEMPTS = 4
const OPEN_PAUSE_MS = 300

const config = z.object({
  readers: LAKE_KEYS.readers,
  max_query_ms: z.int().min(100).default(60_000).describe('Time limit for a query, in milliseconds.'),
  max_query_bytes: LAKE_KEYS.max_query_bytes,
  max_memory_bytes: z
    .int()
    .min(256 * MIB)
    .default(2048 * MIB)
    .describe('Memory limit for the whole lake, in bytes.'),
  max_result_bytes: LAKE_KEYS.max_result_bytes,
  fsync: LAKE_KEYS.fsync,
  max_rows: z.int().min(1).default(10_000).describe('Maximum number of rows in a result, unless the query sets its own limit.'),
})

export type ChdbConfig = z.output<typeof config>

/** ClickHouse in a separate process next to ours: nothing to install or run. */
export const chdb = defineLake({
  type: 'chdb',
  summary: 'Keeps events in an embedded ClickHouse (chDB) in the data folder.',
  // The limits on query time and answer size apply to any lake.
  config: config.omit({ max_query_ms: true, max_rows: true }),
  example: {},
  create: (settings, { dataDir, onProblems, maxQueryMs, maxRows }) =>
    createChdbLake({ ...settings, dataDir, onProblems, max_query_ms: maxQueryMs, max_rows: maxRows }),
})

export interface ChdbLakeOptions extends Partial<ChdbConfig>, Partial<ChdbLakeDeps> {
  /** The data folder; the lake is in its `lake` folder. */
  readonly dataDir: string
}

interface ChdbLakeDeps {
  readonly clock: Clock
  /** Called with all current problems of the lake's process whenever they change. */
  readonly onProblems: (problems: readonly SystemProblem[]) => void
}

/** Opens the lake. Rejects with `NotSupported` without the engine, and with `StorageError` if another process has the folder. */
export async function createChdbLake(given: ChdbLakeOptions): Promise<ChdbLake> {
  const { dataDir, clock = steadyClock, onProblems = () => {}, ...rest } = given
  const settings = config.parse(rest)
  const path = resolve(join(dataDir, 'lake'))
  mkdirSync(path, { recursive: true })
  const options: ChildOptions = {
    path,
    readers: settings.readers,
    maxQueryBytes: settings.max_query_bytes,
    maxMemoryBytes: settings.max_memory_bytes,
    maxQueryMs: settings.max_query_ms,
    maxResultBytes: settings.max_result_bytes,
    fsync: settings.fsync,
  }
  return openLake(options, settings.max_rows, { clock, onProblems })
}

/** If a parent ends suddenly, its lake process holds the folder for another moment, so opening a taken folder is retried. */
async function openLake(options: ChildOptions, maxRows: number, deps: ChdbLakeDeps): Promise<ChdbLake> {
  for (let attempt = 1; ; attempt++) {
    const lake = new ChdbLake(options, maxRows, deps)
    try {
      await lake.ready()
      // What a backup left that a crash interrupted.
      await lake.dropSnapshot()
      return lake
    } catch (error) {
      await lake.close()
      if (!(error instanceof FolderTaken) || attempt === OPEN_ATTEMPTS) throw error
      await setTimeout(OPEN_PAUSE_MS)
    }
  }
}

/** The parent's side: starts the process, restarts it when it ends, and communicates with it. */
export class ChdbLake implements Lake {
  readonly #options: ChildOptions
  readonly #maxRows: number
  readonly #ensured = new Ensured((spec, late) => this.#ask({ op: 'ensure', spec, late }))
  readonly #clock: Clock
  readonly #culprits: Culprits
  readonly #incidents: Incidents
  #process: ChdbProcess
  #restarting: Promise<void> | undefined
  #failures = 0
  readonly #closing = new AbortController()

  constructor(options: ChildOptions, maxRows: number, { clock, onProblems }: ChdbLakeDeps) {
    this.#options = options
    this.#maxRows = maxRows
    this.#clock = clock
    this.#culprits = new Culprits(clock)
    this.#incidents = new Incidents(clock, onProblems)
    this.#process = this.#start()
  }

  /** The current process, for tests and diagnostics. */
  get pid(): number | undefined {
    return this.#process.pid
  }

  /**
   * Resolves once the lake can be used, with the tables that its last start migrated to the current layout. Rejects if its process did
   * not start.
   */
  async ready(): Promise<readonly Brought[]> {
    if (this.#process.isGone) await this.#process.ended
    await this.#restarting
    return this.#process.ready
  }

  ensure(spec: TableSpec, late = false): Promise<void> {
    return this.#ensured.ensure(spec, late)
  }

  async store(spec: TableSpec, file: string, token: string): Promise<string | undefined> {
    const { header } = await this.#ask({ op: 'store', spec, file, token })
    return header.refused
  }

  async storeLookup(version: LookupVersion): Promise<void> {
    await this.#ask({ op: 'storeLookup', version })
  }

  async showLookups(views: readonly LookupView[]): Promise<void> {
    await this.#ask({ op: 'showLookups', views })
  }

  async query(sql: string, options: QueryOptions = {}): Promise<QueryResult> {
    const {
      params = {},
      maxRows = this.#maxRows,
      counted = false,
      checksOnly = false,
      signal,
      after,
      logTypes,
      onBegin,
    } = options
    if (!Number.isSafeInteger(maxRows) || maxRows < 0) throw new Refused(`a query cannot return ${maxRows} rows`)
    const timeoutMs = Math.min(options.timeoutMs ?? this.#options.maxQueryMs, this.#options.maxQueryMs)
    const limit = new QueryLimit(timeoutMs, this.#clock, signal)
    const turn = this.#culprits.turn(sql)
    try {
      await limit.before("another query that was running when the lake's process ended", turn)
      this.#culprits.check(sql)
      if (after) await limit.before('rows still being stored', after)
      const process = await limit.before('the lake to open', this.#open())
      const request = { op: 'query' as const, sql, params, maxRows, counted, checksOnly, ...(logTypes && { logTypes }) }
      const asked = process.start(request)
      onBegin?.(() => asked.progress())
      const { header, payload } = await limit
        .watch(asked, () => process.end('it could not stop a query', true))
        .catch((error) => {
          // If the process did not end because of a single query, each running query is a suspect.
          const isSuspect = process.isGone && !process.hasCulprit && asked.hasBegun && !this.#closing.signal.aborted
          if (isSuspect || error instanceof LakeEnded) this.#culprits.blame(sql)
          throw error
        })
      return queryResult(header.answer!, payload)
    } finally {
      limit.dispose()
      void turn.then((over) => over())
    }
  }

  async toParquet(from: string, columns: QueryResult['columns'], to: string): Promise<void> {
    const structure = columns.map(({ name, type }) => `${quoteName(name)} ${type}`).join(', ')
    await this.#ask({ op: 'parquet', from: resolve(from), structure, to: resolve(to) })
  }

  async removeSource(sourceId: string, held: readonly string[] = []): Promise<void> {
    await this.#ask({ op: 'removeSource', sourceId, held })
  }

  partitions(): Promise<readonly Partition[]> {
    return this.#data({ do: 'partitions' })
  }

  logTypesIn({ database, table, id }: PartitionId): Promise<readonly string[]> {
    return this.#data({ do: 'logTypes', partition: { database, table, id } })
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

  async snapshot(): Promise<string> {
    await this.#ask({ op: 'snapshot' })
    return join(this.#options.path, SNAPSHOT)
  }

  async dropSnapshot(): Promise<void> {
    await rm(join(this.#options.path, FROZEN), { recursive: true, force: true })
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#restarting
    await this.#process.close()
  }

  async #ask(...request: Parameters<ChdbProcess['ask']>): ReturnType<ChdbProcess['ask']> {
    return (await this.#open()).ask(...request)
  }

  async #data<A extends DataAsk>(ask: A): Promise<DataAnswers[A['do']]> {
    const { header } = await this.#ask({ op: 'data', ask })
    return header.data as DataAnswers[A['do']]
  }

  async #open(): Promise<ChdbProcess> {
    if (this.#closing.signal.aborted) throw new RetryLater('the lake is closed')
    try {
      await this.ready()
    } catch (error) {
      throw new RetryLater(`the lake is not open: ${(error as Error).message}`, undefined, { cause: error })
    }
    return this.#process
  }

  #start(): ChdbProcess {
    const started = new ChdbProcess(this.#options, this.#clock)
    watchProcess(started, this.#clock)
    let wasReady = false
    const cancelSlow = this.#clock.after(SLOW_START_MS, () =>
      this.#incidents.down(`its process has been starting for ${SLOW_START_MS / 60_000} min`),
    )
    started.ready.then(
      () => {
        wasReady = true
        cancelSlow()
        this.#failures = 0
        this.#incidents.opened()
      },
      () => {},
    )
    void started.ended.then(() => {
      cancelSlow()
      if (this.#closing.signal.aborted || started !== this.#process) return
      if (wasReady) this.#incidents.replaced(started.reason!)
      else this.#incidents.down(`its process does not start because ${started.reason}`)
      this.#restarting = this.#restart()
    })
    return started
  }

  async #restart(): Promise<void> {
    const pause = BACK_OFF_MS[Math.min(this.#failures++, BACK_OFF_MS.length - 1)]!
    await setTimeout(pause, undefined, { signal: this.#closing.signal }).catch(() => {})
    if (!this.#closing.signal.aborted) this.#process = this.#start()
  }
}

import { setTimeout } from 'node:timers/promises'
import { Refused, RetryLater } from '../../util/errors.ts'
import { COUNTED_FORMAT, FORMAT, readAnswer, readCountedAnswer } from './answer.ts'
import { archiveDays, exportDay } from './archive.ts'
import type { AnswerHead, DataAnswers, DataAsk, Request } from './chdb-protocol.ts'
import { type Keeping, UNITED } from './ddl.ts'
import {
  type Engine,
  killStatement,
  progressStatement,
  type QueryLimits,
  type ReaderDatabase,
  rowsOf,
  type Session,
  type Settings,
} from './engine.ts'
import { queryError, refusalOf, statementError } from './engine-error.ts'
import { eraseRows, findRows } from './erase.ts'
import type { Brought, QueryProgress } from './lake.ts'
import { LakeTables, unite } from './lake-tables.ts'
import { bringToLayout } from './layout.ts'
import { LakeLookups } from './lookups.ts'
import { createStored, loadPiece, sumPiece, unloadPiece } from './moving/piece-rows.ts'
import { piecesOf } from './moving/pieces.ts'
import { storedTables } from './moving/stored-tables.ts'
import { listPartitions, logTypesIn, removeSourceRows, retire } from './partitions.ts'
import { guardQuery, placeInQuery } from './sql-guard.ts'

type Ask<Op extends Request['op']> = Omit<Extract<Request, { op: Op }>, 'op' | 'id'>

/** How rows of a result become a file. It takes a bounded part of them at a time. Every reader knows Snappy. */
const PARQUET: Settings = {
  max_threads: 1,
  date_time_input_format: 'best_effort',
  session_timezone: 'UTC',
  output_format_parquet_compression_method: 'snappy',
}

/** How a lake works, whatever its engine is. */
export interface WorkOptions extends QueryLimits, Keeping {
  /** Number of queries that can run at the same time. */
  readonly readers: number
}

const KILL_PAUSE_MS = 50

const CANCELLED = new Refused('the query was cancelled')

/** Maximum number of queries waiting for a reader; further ones must be retried. */
const MAX_WAITING = 200

interface Waiting {
  readonly id: number
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

interface RunningQuery {
  cancelled: boolean
  /** Set once it is sent to the engine. */
  reader: Session | undefined
}

/** Operations of a lake on its engine. Inserts and definitions run one after another, queries alongside them. */
export class LakeWork {
  readonly #engine: Engine
  readonly #options: WorkOptions
  readonly #tables: LakeTables
  readonly #lookups: LakeLookups
  /** Queries that can begin now. */
  #slots: number
  /** By the database in which names without one are found. */
  readonly #idle: Record<ReaderDatabase, Session[]> = { logs: [], default: [] }
  #waiting: Waiting[] = []
  readonly #running = new Map<number, RunningQuery>()
  #writing: Promise<unknown> = Promise.resolve()

  /** At most `options.readers` queries run at the same time. */
  constructor(engine: Engine, options: WorkOptions) {
    this.#engine = engine
    this.#options = options
    this.#tables = new LakeTables(engine.writer, options)
    this.#lookups = new LakeLookups(engine.writer)
    this.#slots = options.readers
  }

  /**
   * Call this once, first. Repairs what a crash left behind, creates what every lake has, and migrates an older lake to the current
   * layout. Returns the migrated tables.
   */
  async prepare(): Promise<readonly Brought[]> {
    await this.#engine.repair()
    const brought = await bringToLayout(this.#engine.writer, this.#options)
    for (const database of UNITED) await unite(this.#engine.writer, database)
    return brought
  }

  ensure({ spec, late }: Ask<'ensure'>): Promise<void> {
    return this.#write(() => this.#tables.ensure(spec, late))
  }

  /** Returns a message if the rows can never be stored together. */
  store({ spec, file, token }: Ask<'store'>): Promise<string | undefined> {
    return this.#write(async () => {
      const insert = await this.#tables.insertFrom(spec, file, token)
      try {
        await this.#engine.insert(insert)
        return undefined
      } catch (error) {
        this.#tables.forget(spec)
        return refusalOf(error)
      }
    })
  }

  lookups(work: (lookups: LakeLookups) => Promise<void>): Promise<void> {
    return this.#write(() => work(this.#lookups))
  }

  /** Runs users' SQL on a free reader; `onBegin` is called when it begins. The parent enforces the time limit, with `cancel`. */
  async query(
    { id, sql, params, maxRows: wanted, counted, checksOnly, logTypes }: Ask<'query'> & { readonly id: number },
    onBegin: () => void,
  ): Promise<{ head: AnswerHead; rows: Uint8Array }> {
    const began = performance.now()
    // One row more is read, to see whether there are more: so this reads none.
    const maxRows = checksOnly ? -1 : wanted
    const guarded = guardQuery(sql, params, maxRows, this.#engine.surface, logTypes)
    const state: RunningQuery = { cancelled: false, reader: undefined }
    this.#running.set(id, state)
    try {
      await this.#slot(id)
      try {
        onBegin()
        // A name without a database would pass the guard of a limited query: there it names a table of `default`, which is empty.
        const database = logTypes ? 'default' : 'logs'
        const text = await this.#read(`${this.#marker(id)} ${guarded}`, state, counted ? COUNTED_FORMAT : FORMAT, database)
        const { columns, rows, rowsRead, bytesRead } = counted ? readCountedAnswer(text) : readAnswer(text)
        const head = {
          columns,
          truncated: !checksOnly && rows.length > maxRows,
          ms: performance.now() - began,
          ...(rowsRead !== undefined && { rowsRead }),
          ...(bytesRead !== undefined && { bytesRead }),
        }
        return { head, rows: Buffer.from(rows.slice(0, wanted).join('\n')) }
      } finally {
        this.#leave()
      }
    } catch (error) {
      if (state.cancelled) throw CANCELLED
      if (error instanceof RetryLater) throw error
      throw queryError(error, logTypes ? { isLimited: true } : { placeOf: (place) => placeInQuery(sql, params, place) })
    } finally {
      this.#running.delete(id)
    }
  }

  /** How far a running query is; `undefined` if the engine does not run it. */
  async progress(query: number): Promise<QueryProgress | undefined> {
    const text = await this.#engine.control.run(progressStatement(this.#marker(query)))
    const [row] = rowsOf<[number | string, number | string, number | string]>(text)
    const [rowsRead = 0, bytesRead = 0, rowsTotal = 0] = (row ?? []).map(Number)
    return row && { rowsRead, bytesRead, rowsTotal }
  }

  /** Converts a file of rows, in a session of its own: inserts and queries need not wait for it. */
  async parquet({ from, structure, to }: Ask<'parquet'>): Promise<void> {
    const session = this.#engine.open()
    try {
      await session.withFile({ path: from, format: 'JSONCompactEachRow', structure }, (rows) =>
        session.toFile('Parquet', `SELECT * FROM ${rows}`, { ...PARQUET, max_memory_usage: this.#options.maxQueryBytes }, to),
      )
    } catch (error) {
      throw statementError('the result cannot be written as Parquet', error)
    } finally {
      session.close()
    }
  }

  /** Checks that the engine answers, even if only with an error. */
  async ping(): Promise<void> {
    await this.#engine.control.run('SELECT 1').catch(() => {})
  }

  /** The session of a failed query still holds partial output and would put it before the next answer, so it is closed. */
  async #read(statement: string, state: RunningQuery, format: string, database: ReaderDatabase): Promise<string> {
    const idle = this.#idle[database]
    const reader = idle.pop() ?? (await this.#engine.openReader(database))
    if (state.cancelled) {
      idle.push(reader)
      throw CANCELLED
    }
    state.reader = reader
    try {
      const text = await reader.run(statement, format)
      idle.push(reader)
      return text
    } catch (error) {
      reader.close()
      throw error
    }
  }

  /** Deletes permanently, not only from view. The engine finishes a deletion that a crash interrupts; the same call may be repeated. */
  removeSource(sourceId: string, held: readonly string[]): Promise<void> {
    return this.#apart((session) => removeSourceRows(session, sourceId, held))
  }

  /** Reading runs alongside everything else; what deletes takes its turn with the inserts. */
  async data(ask: DataAsk): Promise<DataAnswers[DataAsk['do']]> {
    switch (ask.do) {
      case 'partitions':
        return this.#apart(listPartitions)
      case 'logTypes':
        return this.#apart((session) => logTypesIn(session, ask.partition))
      case 'retire':
        return this.#write((writer) => retire(writer, ask))
      case 'archiveDays':
        return this.#apart((session) => archiveDays(session, ask))
      case 'exportDay':
        return this.#apart((session) => exportDay(session, ask, this.#options.maxQueryBytes))
      case 'importFile':
        return this.#write(() => this.#tables.importFile(ask))
      case 'find':
        return this.#apart((session) => findRows(session, ask))
      case 'erase':
        return this.#apart((session) => this.#engine.withSought(ask, (sought) => eraseRows(session, ask, sought)))
      case 'storedTables':
        return this.#apart(storedTables)
      case 'createStored':
        return this.#write((writer) => createStored(writer, ask.table)).then(() => undefined)
      case 'pieces':
        return this.#apart((session) => piecesOf(session, ask.table, ask.limits))
      case 'sumPiece':
        return this.#apart((session) => sumPiece(session, ask))
      case 'unloadPiece':
        return this.#apart((session) => unloadPiece(session, ask, this.#options.maxQueryBytes)).then(() => undefined)
      case 'loadPiece':
        return this.#write((writer) => loadPiece(writer, ask)).then(() => undefined)
      case 'scrub':
        return this.#write(() => this.#engine.scrub()).then(() => undefined)
    }
  }

  async #apart<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const session = this.#engine.open()
    try {
      return await work(session)
    } finally {
      session.close()
    }
  }

  /** Does something while nothing is written. */
  alone<T>(work: (writer: Session) => Promise<T>): Promise<T> {
    return this.#write(work)
  }

  /** Ends a running query. The engine checks between blocks; until then the reader stays busy. */
  async cancel(id: number): Promise<void> {
    const state = this.#running.get(id)
    if (!state || state.cancelled) return
    state.cancelled = true
    if (state.reader) await this.#kill(id)
    else {
      this.#waiting.find((waiting) => waiting.id === id)?.reject(CANCELLED)
      this.#waiting = this.#waiting.filter((waiting) => waiting.id !== id)
    }
  }

  /** Waits no longer for a query that was cancelled and has not ended. */
  abandon(id: number): void {
    this.#running.get(id)?.reader?.close()
  }

  /** Repeats until it has ended: the engine can only kill a statement that is in its list, which takes a moment. */
  async #kill(id: number): Promise<void> {
    while (this.#running.has(id)) {
      await this.#engine.control.run(killStatement(this.#marker(id)))
      await setTimeout(KILL_PAUSE_MS)
    }
  }

  /** Waits for pending operations, then closes all connections. */
  async close(): Promise<void> {
    await Promise.all([...this.#running.keys()].map((id) => this.cancel(id)))
    await this.#writing.catch(() => {})
    for (let i = 0; i < this.#options.readers; i++) await this.#slot(0)
    for (const session of [...this.#idle.logs, ...this.#idle.default, this.#engine.control, this.#engine.writer]) session.close()
  }

  #write<T>(work: (writer: Session) => Promise<T>): Promise<T> {
    const run = this.#writing.catch(() => {}).then(() => work(this.#engine.writer))
    this.#writing = run
    return run
  }

  #slot(id: number): Promise<void> {
    if (this.#slots > 0) {
      this.#slots--
      return Promise.resolve()
    }
    if (this.#waiting.length >= MAX_WAITING)
      return Promise.reject(new RetryLater(`${MAX_WAITING} queries are already waiting for the lake`))
    return new Promise((resolve, reject) => this.#waiting.push({ id, resolve, reject }))
  }

  #leave(): void {
    const next = this.#waiting.shift()
    if (next) next.resolve()
    else this.#slots++
  }

  /** What the statement of a query begins with. */
  #marker(id: number): string {
    return `/* ${this.#engine.name}query ${id} */`
  }
}

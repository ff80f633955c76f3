import { setTimeout } from 'node:timers/promises'
import { Refused, RetryLater } from '../../util/errors.ts'
import { COUNTED_FORMAT, FORMAT, readAnswer, readCountedAnswer } from './answer.ts'
import { type Engine, killStatement, type ReaderDatabase, rowsOf, type Session } from './chdb-engine.ts'
import type { AnswerHead, ChildOptions, Request } from './chdb-protocol.ts'
import { forgetLostTokens } from './chdb-repair.ts'
import { takeSnapshot } from './chdb-snapshot.ts'
import { ChdbTables, unite } from './chdb-tables.ts'
import { ALL, quoteName, quoteText, tableName, UNITED } from './ddl.ts'
import { queryError, refusalOf } from './engine-error.ts'
import type { Brought } from './lake.ts'
import { bringToLayout } from './layout.ts'
import { ChdbLookups } from './lookups.ts'
import { guardQuery } from './sql-guard.ts'

type EnsureRequest = Extract<Request, { op: 'ensure' }>
type StoreRequest = Extract<Request, { op: 'store' }>
type QueryRequest = Extract<Request, { op: 'query' }>

const KILL_PAUSE_MS = 50

const CANCELLED = new Refused('the query was cancelled')

/** Maximum number of queries waiting for a reader; further ones must be retried. */
const MAX_WAITING = 200

interface Waiting {
  readonly id: number
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/** Operations of the lake's process on its engine. Inserts and definitions run one after another, queries alongside them. */
export class ChdbWork {
  readonly #engine: Engine
  readonly #options: ChildOptions
  readonly #tables: ChdbTables
  readonly #lookups: ChdbLookups
  /** Queries that can begin now. */
  #slots: number
  /** By the database in which names without one are found. */
  readonly #idle: Record<ReaderDatabase, Session[]> = { logs: [], default: [] }
  #waiting: Waiting[] = []
  readonly #running = new Map<number, { cancelled: boolean; started: boolean }>()
  #writing: Promise<unknown> = Promise.resolve()

  /** At most `options.readers` queries run at the same time. */
  constructor(engine: Engine, options: ChildOptions) {
    this.#engine = engine
    this.#options = options
    this.#tables = new ChdbTables(engine.writer, options)
    this.#lookups = new ChdbLookups(engine.writer)
    this.#slots = options.readers
  }

  /**
   * Call this once, first. Repairs what a crash left behind, creates what every lake has, and migrates an older lake to the current
   * layout. Returns the migrated tables.
   */
  async prepare(): Promise<readonly Brought[]> {
    await forgetLostTokens(this.#engine.writer)
    const brought = await bringToLayout(this.#engine.writer, this.#options)
    for (const database of UNITED) await unite(this.#engine.writer, database)
    return brought
  }

  ensure({ spec, late }: EnsureRequest): Promise<void> {
    return this.#write(() => this.#tables.ensure(spec, late))
  }

  /** Returns a message if the rows can never be stored together. */
  store({ spec, file, token }: StoreRequest): Promise<string | undefined> {
    return this.#write(async (writer) => {
      const statement = await this.#tables.insertFrom(spec, file, token)
      return writer.run(statement).then(() => undefined, refusalOf)
    })
  }

  lookups(work: (lookups: ChdbLookups) => Promise<void>): Promise<void> {
    return this.#write(() => work(this.#lookups))
  }

  /** Runs users' SQL on a free reader; `onBegin` is called when it begins. The parent enforces the time limit, with `cancel`. */
  async query(
    { id, sql, params, maxRows, counted, logTypes }: QueryRequest,
    onBegin: () => void,
  ): Promise<{ head: AnswerHead; rows: Uint8Array }> {
    const began = performance.now()
    const guarded = guardQuery(sql, params, maxRows, this.#engine.surface, logTypes)
    const state = { cancelled: false, started: false }
    this.#running.set(id, state)
    try {
      await this.#slot(id)
      try {
        onBegin()
        // A name without a database would pass the guard of a limited query: there it names a table of `default`, which is empty.
        const database = logTypes ? 'default' : 'logs'
        const text = await this.#read(`${marker(id)} ${guarded}`, state, counted ? COUNTED_FORMAT : FORMAT, database)
        const { columns, rows, rowsRead } = counted ? readCountedAnswer(text) : readAnswer(text)
        const head = {
          columns,
          truncated: rows.length > maxRows,
          ms: performance.now() - began,
          ...(rowsRead !== undefined && { rowsRead }),
        }
        return { head, rows: Buffer.from(rows.slice(0, maxRows).join('\n')) }
      } finally {
        this.#leave()
      }
    } catch (error) {
      if (state.cancelled) throw CANCELLED
      throw error instanceof RetryLater ? error : queryError(error, { isLimited: logTypes !== undefined })
    } finally {
      this.#running.delete(id)
    }
  }

  /** Checks that the engine answers, even if only with an error. */
  async ping(): Promise<void> {
    await this.#engine.control.run('SELECT 1').catch(() => {})
  }

  /** The session of a failed query still holds partial output and would put it before the next answer, so it is closed. */
  async #read(
    statement: string,
    state: { cancelled: boolean; started: boolean },
    format: string,
    database: ReaderDatabase,
  ): Promise<string> {
    const idle = this.#idle[database]
    const reader = idle.pop() ?? (await this.#engine.openReader(database))
    if (state.cancelled) {
      idle.push(reader)
      throw CANCELLED
    }
    state.started = true
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
  async removeSource(sourceId: string): Promise<void> {
    const session = this.#engine.open()
    try {
      for (const { table, column } of await sourceTables(session)) {
        const rows = `${quoteName(column)} = ${quoteText(sourceId)}`
        await session.run(`ALTER TABLE ${table} DELETE WHERE ${rows} SETTINGS mutations_sync = 2`)
      }
    } finally {
      session.close()
    }
  }

  snapshot(): Promise<void> {
    return this.#write((writer) => takeSnapshot(writer, this.#options.path))
  }

  /** Ends a running query. The engine checks between blocks; until then the reader stays busy. */
  async cancel(id: number): Promise<void> {
    const state = this.#running.get(id)
    if (!state || state.cancelled) return
    state.cancelled = true
    if (state.started) await this.#kill(id)
    else {
      this.#waiting.find((waiting) => waiting.id === id)?.reject(CANCELLED)
      this.#waiting = this.#waiting.filter((waiting) => waiting.id !== id)
    }
  }

  /** Repeats until it has ended: the engine can only kill a statement that is in its list, which takes a moment. */
  async #kill(id: number): Promise<void> {
    while (this.#running.has(id)) {
      await this.#engine.control.run(killStatement(marker(id)))
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
}

function marker(id: number): string {
  return `/* query ${id} */`
}

/** The tables with rows of a source, and the column that contains the source's id. */
async function sourceTables(session: Session): Promise<{ table: string; column: string }[]> {
  const text = await session.run(`SELECT database, table, name FROM system.columns WHERE table != ${quoteText(ALL)} AND
    (database IN ('logs', 'matches') AND name = 'p_source_id' OR database = 'monitor' AND (table, name) IN (('dead_letters', 'source'), ('replayed_dead_letters', 'source'), ('indicators', 'p_source_id')))`)
  return rowsOf<[string, string, string]>(text).map(([database, table, column]) => ({
    table: tableName({ database, table }),
    column,
  }))
}

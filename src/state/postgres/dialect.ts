import {
  type CompiledQuery,
  type DatabaseConnection,
  type DatabaseIntrospector,
  type Dialect,
  type Driver,
  type Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryCompiler,
  type QueryResult,
  sql,
} from 'kysely'
import type { OwnAdapter } from '../own-adapter.ts'
import { Mutex } from './mutex.ts'
import type { Owner } from './owner.ts'
import type { Readers } from './readers.ts'
import type { Session } from './session.ts'

/** The dialect of PostgreSQL over the session that writes, or over those that read. */
export class StatePostgresDialect implements Dialect {
  readonly #driver: () => Driver

  constructor(sessions: Owner | Readers) {
    this.#driver = () => ('takeOver' in sessions ? new WriterDriver(sessions) : new ReaderDriver(sessions))
  }

  createDriver(): Driver {
    return this.#driver()
  }

  createQueryCompiler(): QueryCompiler {
    return new PostgresQueryCompiler()
  }

  createAdapter(): PostgresAdapter {
    return new StateAdapter()
  }

  createIntrospector(db: Kysely<unknown>): DatabaseIntrospector {
    return new PostgresIntrospector(db)
  }
}

/** The state's lock is held already, so migrations need no other. */
class StateAdapter extends PostgresAdapter implements OwnAdapter {
  override async acquireMigrationLock(): Promise<void> {}

  override async releaseMigrationLock(): Promise<void> {}

  async scrub(db: Kysely<never>, tables: readonly string[]): Promise<void> {
    for (const table of tables) await sql`VACUUM (FULL) ${sql.table(table)}`.execute(db)
  }

  /** Round trips cost more than the disk here, and turning the wait off would take one. */
  unhurried<DB, T>(db: Kysely<DB>, work: (db: Kysely<DB>) => Promise<T>): Promise<T> {
    return work(db)
  }
}

/** A transaction of the session that writes, or single statements in it. */
class WriterConnection implements DatabaseConnection {
  readonly #owner: Owner
  /** The session of the transaction: its statements must not go to a later one. */
  session: Session | undefined
  xid = ''

  constructor(owner: Owner) {
    this.#owner = owner
  }

  async executeQuery<R>({ sql: text, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    return resultOf(await (this.session ?? (await this.#owner.session())).query(text, parameters))
  }

  // biome-ignore lint/correctness/useYield: the state reads page by page instead.
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new TypeError('the state is not read as a stream')
  }
}

/** One after the other, as SQLite does it: everybody who writes the state relies on that. */
class WriterDriver implements Driver {
  readonly #owner: Owner
  readonly #connection: WriterConnection
  readonly #mutex = new Mutex()

  constructor(owner: Owner) {
    this.#owner = owner
    this.#connection = new WriterConnection(owner)
  }

  async init(): Promise<void> {
    await this.#owner.session()
  }

  async acquireConnection(): Promise<DatabaseConnection> {
    await this.#mutex.lock()
    return this.#connection
  }

  async beginTransaction(): Promise<void> {
    this.#connection.xid = await this.#owner.begin()
    this.#connection.session = await this.#owner.session()
  }

  async commitTransaction(): Promise<void> {
    await this.#owner.commit(this.#connection.xid)
  }

  async rollbackTransaction(): Promise<void> {
    const { session } = this.#connection
    // The server takes back what a lost session has begun. The error that led here must not be hidden by another.
    if (session && !session.isLost) await session.script('ROLLBACK').catch((error: unknown) => session.end(error))
  }

  async releaseConnection(): Promise<void> {
    this.#connection.session = undefined
    this.#mutex.unlock()
  }

  destroy(): Promise<void> {
    return this.#owner.close()
  }
}

class ReaderConnection implements DatabaseConnection {
  readonly #readers: Readers

  constructor(readers: Readers) {
    this.#readers = readers
  }

  async executeQuery<R>({ sql: text, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    return resultOf(await this.#readers.query(text, parameters))
  }

  // biome-ignore lint/correctness/useYield: the state reads page by page instead.
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new TypeError('the state is not read as a stream')
  }
}

class ReaderDriver implements Driver {
  readonly #readers: Readers

  constructor(readers: Readers) {
    this.#readers = readers
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return new ReaderConnection(this.#readers)
  }

  async beginTransaction(): Promise<void> {
    throw new TypeError('the state was opened read-only, so it has no transactions')
  }

  async commitTransaction(): Promise<void> {}

  async rollbackTransaction(): Promise<void> {}

  async releaseConnection(): Promise<void> {}

  destroy(): Promise<void> {
    return this.#readers.close()
  }
}

const CHANGES = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE'])

function resultOf<R>({ command, rowCount, rows }: { command: string; rowCount: number | null; rows: unknown[] }): QueryResult<R> {
  return { rows: rows as R[], ...(CHANGES.has(command) && { numAffectedRows: BigInt(rowCount ?? 0) }) }
}

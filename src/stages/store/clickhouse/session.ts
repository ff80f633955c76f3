import { randomUUID } from 'node:crypto'
import type { Cluster } from '../cluster.ts'
import type { RowFile, Session, Settings } from '../engine.ts'
import { settingsText, WRITER } from '../engine.ts'
import type { Credentials, ServerClient } from './client.ts'

/** What statements of Caracal's own rely on, whatever the profile of the user says. */
const OWN: Settings = {
  ...WRITER,
  max_query_size: 16 * 1024 * 1024,
  max_execution_time: 0,
  output_format_json_quote_64bit_integers: 0,
  date_time_input_format: 'best_effort',
  session_timezone: 'UTC',
}

/** How a file is loaded: in the order of its rows. */
const LOADED: Settings = { input_format_parallel_parsing: 0, max_insert_threads: 1, max_threads: 1 }

/** The server forgets a session, and its temporary table, after this many seconds without a statement. */
const SESSION_SECONDS = 3600

const FILE_TABLE = 'caracal_file'

/** A session of the writing user. */
export class WriterSession implements Session {
  readonly cluster: Cluster | undefined
  readonly #client: ServerClient
  readonly #as: Credentials
  readonly #own: Settings
  /** While a file is loaded. */
  #session: Settings = {}

  /** `more`: settings of all its statements. */
  constructor(
    client: ServerClient,
    as: Credentials,
    { cluster, more = {} }: { cluster?: Cluster | undefined; more?: Settings } = {},
  ) {
    this.cluster = cluster
    this.#client = client
    this.#as = as
    this.#own = { ...OWN, ...more }
  }

  run(sql: string, format = 'JSONCompactEachRow'): Promise<string> {
    return this.#client.text(this.#as, { sql, params: { ...this.#own, ...this.#session, default_format: format } })
  }

  /** Runs an INSERT of the rows of a file. */
  async insert(sql: string, file: string): Promise<void> {
    await this.#client.text(this.#as, { sql, file, params: { ...this.#own, ...this.#session } })
  }

  /** The file becomes a temporary table, which only this session has. */
  async withFile<T>({ path, format, structure }: RowFile, work: (table: string) => Promise<T>): Promise<T> {
    this.#session = { session_id: randomUUID(), session_timeout: SESSION_SECONDS }
    try {
      await this.run(`CREATE TEMPORARY TABLE ${FILE_TABLE} (${structure}) ENGINE = Memory`)
      await this.insert(`INSERT INTO ${FILE_TABLE} SETTINGS ${settingsText(LOADED)} FORMAT ${format}`, path)
      return await work(FILE_TABLE)
    } finally {
      // If this fails, the server removes it with the session.
      await this.run(`DROP TEMPORARY TABLE IF EXISTS ${FILE_TABLE}`).catch(() => {})
      this.#session = {}
    }
  }

  async toFile(format: 'Parquet' | 'Native', select: string, settings: Settings, path: string): Promise<void> {
    const sql = `${select} SETTINGS ${settingsText(settings)} FORMAT ${format}`
    await this.#client.toFile(this.#as, { sql, params: { ...this.#own, ...this.#session } }, path)
  }

  close(): void {}
}

/** A session of the reading user, whose settings cannot be changed: they are those of its profile. */
export class ReaderSession implements Session {
  readonly #client: ServerClient
  readonly #as: Credentials
  readonly #database: string
  readonly #end = new AbortController()

  constructor(client: ServerClient, as: Credentials, database: string) {
    this.#client = client
    this.#as = as
    this.#database = database
  }

  run(sql: string, format = 'JSONCompactEachRow'): Promise<string> {
    const params = { database: this.#database, default_format: format }
    return this.#client.text(this.#as, { sql, params, signal: this.#end.signal })
  }

  withFile(): Promise<never> {
    return Promise.reject(new Error('the reader reads no files'))
  }

  toFile(): Promise<never> {
    return Promise.reject(new Error('the reader writes no files'))
  }

  /** Ends the request of a statement that is running. */
  close(): void {
    this.#end.abort()
  }
}

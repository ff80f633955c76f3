import { setTimeout as sleep } from 'node:timers/promises'
import type { Client, QueryResult } from 'pg'
import { StorageError } from '../../util/errors.ts'
import { lostError, openingError, statementError } from './errors.ts'
import { nameOf, type PostgresPlace } from './place.ts'
import { bound, parserOf } from './values.ts'

export interface SessionTimes {
  /** The server ends a statement after this time; a little later the connection counts as lost. */
  readonly statementMs: number
  /** The server ends a session that does nothing in an open transaction. */
  readonly idleInTransactionMs: number
  readonly connectMs: number
}

export const TIMES: SessionTimes = { statementMs: 60_000, idleInTransactionMs: 60_000, connectMs: 10_000 }
/** How much later than the server the client gives up. */
const GRACE_MS = 5000
/** For statements that rewrite or index whole tables. */
const MAINTENANCE_MS = 4 * 3_600_000
const MAINTENANCE = /^\s*(?:vacuum|create|alter|drop|insert into alert_timeline|update deliveries\s+set urgency)\b/i
/** Prepared statements kept per session; beyond, statements are sent as they are. */
const MAX_PREPARED = 200
const LEAST_VERSION = 140_000

/** Who a session is to the server. */
export interface SessionId {
  readonly pid: number
  /** Process ids come again; with this, they do not. */
  readonly started: string
}

/** One connection to the server. Once it is lost, every call rejects with `StorageError`. */
export class Session {
  readonly id: SessionId
  readonly #client: Client
  readonly #times: SessionTimes
  readonly #names = new Map<string, string>()
  #lost: unknown

  private constructor(client: Client, times: SessionTimes, id: SessionId) {
    this.#client = client
    this.#times = times
    this.id = id
  }

  /**
   * @throws {StorageError} if the server cannot be reached, refuses, or is not as the state needs it.
   */
  static async open(place: PostgresPlace, use: 'write' | 'read', times: SessionTimes = TIMES): Promise<Session> {
    const { Client } = (await import('pg')).default
    const { host, port, database, user, password, tls } = place
    const client = new Client({
      ...{ host, port, database, user },
      // A function, so that no file or environment variable of the user is searched for a password.
      password: () => password ?? '',
      ssl: tls ? { rejectUnauthorized: true, ...(tls.ca !== undefined && { ca: tls.ca }) } : false,
      application_name: 'caracal',
      connectionTimeoutMillis: times.connectMs,
      keepAlive: true,
      types: { getTypeParser: parserOf as never },
    })
    let session: Session | undefined
    // Without a listener an error would end the process, also while nothing is asked.
    let early: unknown
    const lost = (error: unknown) => {
      early = error
      session?.end(error)
    }
    client.on('error', lost)
    client.on('end', () => lost(new Error('the server has closed it')))
    try {
      await client.connect()
      const id = await prepare(client, place, use, times)
      session = new Session(client, times, id)
      if (early !== undefined) session.end(early)
      return session
    } catch (error) {
      void client.end().catch(() => {})
      throw openingError(error, place)
    }
  }

  get isLost(): boolean {
    return this.#lost !== undefined
  }

  /** The connection is of no more use. */
  end(why: unknown): void {
    if (this.#lost !== undefined) return
    this.#lost = why ?? new Error('it was closed')
    // Not `end`, which waits for a server that may never answer.
    ;(this.#client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy()
  }

  async close(): Promise<void> {
    if (this.#lost !== undefined) return
    this.#lost = new Error('it was closed')
    await Promise.race([this.#client.end().catch(() => {}), sleep(GRACE_MS, undefined, { ref: false })])
  }

  /** Several statements without values, in one message. */
  async script(text: string): Promise<QueryResult[]> {
    return this.#ask(async () => [await this.#client.query(text)].flat(), this.#times.statementMs)
  }

  async query(text: string, values: readonly unknown[]): Promise<QueryResult> {
    const bind = values.map(bound)
    if (!MAINTENANCE.test(text)) {
      const name = this.#nameFor(text)
      const question = { text, values: bind, ...(name !== undefined && { name }) }
      return this.#ask(() => this.#client.query(question), this.#times.statementMs)
    }
    await this.script('SET statement_timeout = 0')
    try {
      return await this.#ask(() => this.#client.query(text, bind), MAINTENANCE_MS)
    } finally {
      // In a transaction that has failed, the server has taken the first setting back itself.
      if (!this.isLost) await this.script(`SET statement_timeout = ${this.#times.statementMs}`).catch(() => {})
    }
  }

  #nameFor(text: string): string | undefined {
    const known = this.#names.get(text)
    if (known !== undefined || this.#names.size >= MAX_PREPARED) return known
    const name = `s${this.#names.size}`
    this.#names.set(text, name)
    return name
  }

  async #ask<T>(ask: () => Promise<T>, limitMs: number): Promise<T> {
    if (this.#lost !== undefined) throw lostError(this.#lost)
    const timer = setTimeout(() => this.end(new Error(`no answer within ${limitMs + GRACE_MS} ms`)), limitMs + GRACE_MS)
    try {
      return await ask()
    } catch (error) {
      // An error of the server has a severity; any other is one of the connection, or of a value that cannot be read.
      if ((error as { severity?: unknown }).severity === undefined && !(error instanceof TypeError)) this.end(error)
      if (/^(?:57P0[1-5]|25P03)$/.test(String((error as { code?: unknown }).code))) this.end(error)
      throw this.#lost === undefined ? statementError(error) : lostError(this.#lost)
    } finally {
      clearTimeout(timer)
    }
  }
}

interface Found {
  readonly pid: number
  readonly started: string
  readonly version: string
  readonly encoding: string
  readonly standby: number
  readonly durability: string
}

/** Sets what the state relies on, and refuses a server that is not as it must be. */
async function prepare(client: Client, place: PostgresPlace, use: 'write' | 'read', times: SessionTimes): Promise<SessionId> {
  const settings = [
    ['statement_timeout', times.statementMs],
    ['idle_in_transaction_session_timeout', times.idleInTransactionMs],
    ['default_transaction_isolation', 'read committed'],
    ['default_transaction_read_only', use === 'read' ? 'on' : 'off'],
    ['bytea_output', 'hex'],
    ['extra_float_digits', 1],
    ['standard_conforming_strings', 'on'],
    // A machine that is gone must not hold the lock for hours.
    ['tcp_keepalives_idle', 10],
    ['tcp_keepalives_interval', 5],
    ['tcp_keepalives_count', 3],
  ] as const
  await client.query(settings.map(([name, value]) => `SET ${name} = '${value}'`).join('; '))
  const { rows } = await client.query<Found>(`SELECT pg_backend_pid() AS pid,
    (SELECT backend_start::text FROM pg_stat_activity WHERE pid = pg_backend_pid()) AS started,
    current_setting('server_version_num') AS version, current_setting('server_encoding') AS encoding,
    pg_is_in_recovery() AS standby, current_setting('synchronous_commit') AS durability`)
  const { pid, started, version, encoding, standby, durability } = rows[0]!
  const refuse = (text: string) => {
    throw new StorageError(`The state's database ${nameOf(place)} cannot be used: ${text}`)
  }
  if (Number(version) < LEAST_VERSION)
    refuse(`the server has version ${Math.floor(Number(version) / 10_000)} of PostgreSQL, and 14 is the least. Upgrade it.`)
  if (encoding !== 'UTF8')
    refuse(
      `its encoding is ${encoding}, and must be UTF8. Create another one: CREATE DATABASE name ENCODING 'UTF8' TEMPLATE template0`,
    )
  if (standby === 1 && use === 'write') refuse('the server is a standby, which only reads. Name the primary in state.url.')
  // A pooler that hands the session to others would hand them the lock as well.
  if ((client as unknown as { processID: number | null }).processID !== pid)
    refuse(
      'a connection pooler stands between. Name the server itself in state.url, because the lock of the state belongs to a session.',
    )
  if (durability === 'off') await client.query('SET synchronous_commit = on')
  return { pid, started }
}

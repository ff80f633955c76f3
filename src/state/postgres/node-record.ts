import { messageOf } from '../../util/errors.ts'
import { MISSING_MS } from '../nodes.ts'
import { NODE_LOCK_SQL } from './lock-holders.ts'
import type { PostgresPlace } from './place.ts'
import { Session, type SessionTimes } from './session.ts'

export interface NodeRecordOptions {
  readonly node: string
  /** What it does, separated by commas. */
  readonly roles: string
  /** Of Caracal. */
  readonly version: string
  /** Its URL. */
  readonly address: string
  /** Why it cannot be recorded, in words; `undefined`: it can again. */
  readonly onTrouble: (message: string | undefined) => void
  /** Milliseconds between two signs of life. */
  readonly everyMs?: number
}

const EVERY_MS = 10_000
/** A node that has not been seen for this time is forgotten. */
const FORGOTTEN_MS = 24 * 3_600_000
const NOW = '(extract(epoch FROM clock_timestamp()) * 1000)::bigint'
const SESSION_TIMES: SessionTimes = { statementMs: 5000, idleInTransactionMs: 60_000, connectMs: 5000 }

/** The row of this node in the table `nodes`: the only one that a process which is not active writes, over a connection of its own. */
export class NodeRecord {
  readonly #place: PostgresPlace
  readonly #options: NodeRecordOptions
  readonly #startedMs = Date.now()
  #roles: string
  #session: Session | undefined
  /**
   * Whether `#session` has the lock of this node's name. The server frees the lock of a process that was killed, so the next one is in the row
   * at once.
   */
  #hasName = false
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> = Promise.resolve()

  constructor(place: PostgresPlace, options: NodeRecordOptions) {
    this.#place = place
    this.#options = options
    this.#roles = options.roles
  }

  /** Records the node now and from then on. Never rejects. */
  async start(): Promise<void> {
    this.#timer ??= setInterval(() => void this.#look(), this.#options.everyMs ?? EVERY_MS)
    await this.#look()
  }

  /** The node does something else from now on. Never rejects. */
  async become(roles: string): Promise<void> {
    this.#roles = roles
    await this.#look()
  }

  /** Removes the row: a node that was stopped is not missed. Never rejects. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#writing
    await this.#session
      ?.query('DELETE FROM nodes WHERE name = $1 AND started_ms = $2', [this.#options.node, this.#startedMs])
      .catch(() => {})
    await this.#session?.close()
  }

  #look(): Promise<void> {
    this.#writing = this.#writing.then(async () => {
      try {
        await this.#write()
        this.#options.onTrouble(undefined)
      } catch (error) {
        // The first node of all creates the table only later.
        const { code } = error as { readonly code?: unknown }
        if (code !== '42P01') this.#options.onTrouble(messageOf(error))
      }
    })
    return this.#writing
  }

  async #write(): Promise<void> {
    const { node, version, address } = this.#options
    if (!this.#session || this.#session.isLost) {
      this.#session = await Session.open(this.#place, 'write', SESSION_TIMES)
      this.#hasName = false
    }
    this.#hasName ||= await takeName(this.#session, node)
    const { rows } = await this.#session.query(
      `INSERT INTO nodes (name, roles, version, address, started_ms, seen_ms) VALUES ($1, $2, $3, $4, $5, ${NOW})
      ON CONFLICT (name) DO UPDATE SET roles = excluded.roles, version = excluded.version, address = excluded.address,
        started_ms = excluded.started_ms, seen_ms = excluded.seen_ms
      WHERE ${this.#hasName} OR nodes.started_ms = excluded.started_ms OR nodes.seen_ms < ${NOW} - ${MISSING_MS} RETURNING name`,
      [node, this.#roles, version, address, this.#startedMs],
    )
    await this.#session.query(`DELETE FROM nodes WHERE seen_ms < ${NOW} - ${FORGOTTEN_MS}`, [])
    if (rows.length === 0)
      throw new Error(
        `another process has recorded itself as the node '${node}' within the last minute: if it still runs, give one of the two another name with \`node\``,
      )
  }
}

async function takeName(session: Session, node: string): Promise<boolean> {
  const { rows } = await session.query(`SELECT pg_try_advisory_lock(${NODE_LOCK_SQL}) AS got`, [node])
  return (rows[0] as { got: 0 | 1 }).got === 1
}

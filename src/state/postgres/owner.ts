import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf, StorageError } from '../../util/errors.ts'
import { endSession, lockHolder, lockSql } from './lock-holders.ts'
import { nameOf, type PostgresPlace } from './place.ts'
import { Session, type SessionId, type SessionTimes } from './session.ts'

/** How long to wait for the lock: a session of a process that was killed is over in that time. */
const LOCK_MS = 5000
/** Pause before the server is asked again for the outcome of a commit. */
const PAUSE_MS = 500
/** Key in `sequences`: how often a process has taken the state over. */
export const OWNER = 'owner'

export interface OwnerOptions {
  readonly times?: SessionTimes
  /** The connection is lost, in words; `undefined`: it is there again. */
  readonly onTrouble?: ((message: string | undefined) => void) | undefined
  /** Another process has written the state since: what this one remembers of it is worth nothing. */
  readonly onTaken?: ((error: StorageError) => void) | undefined
  /** Aborted: nothing waits for a server that is away any longer. */
  readonly signal?: AbortSignal | undefined
}

/**
 * The one session that writes the state. It holds the state's lock, so whatever is committed in it is committed by the owner: when the
 * session is over, the lock is free and nothing of it can still be committed. A lost session is replaced by one that first takes the lock
 * again, which waits until the server has ended the lost one, and then looks whether another process has had the lock in between.
 */
export class Owner {
  readonly #place: PostgresPlace
  readonly #options: OwnerOptions
  #session: Session | undefined
  #last: SessionId | undefined
  #turn: number | undefined
  #taken: StorageError | undefined
  #isClosed = false

  constructor(place: PostgresPlace, options: OwnerOptions) {
    this.#place = place
    this.#options = options
  }

  /** The session; a new one if it was lost. Rejects with `StorageError` if there cannot be one now. */
  async session(): Promise<Session> {
    if (this.#taken) throw this.#taken
    if (this.#session && !this.#session.isLost) return this.#session
    if (this.#isClosed) throw new StorageError('the state is closed')
    try {
      this.#session = await this.#open()
      this.#options.onTrouble?.(undefined)
      return this.#session
    } catch (error) {
      this.#options.onTrouble?.(`${messageOf(error)} Everything waits until the state can be written again.`)
      // People who call the API may read it, and need not know where the database is.
      if (this.#taken) throw this.#taken
      if (this.#last) throw new StorageError("the state's database cannot be used now, so nothing is stored", { cause: error })
      throw error
    }
  }

  /** From now on the state is this process's: call it once, when its tables exist. */
  async takeOver(): Promise<void> {
    const session = await this.session()
    const { rows } = await session.query(
      `INSERT INTO sequences (name, value) VALUES ($1, 1)
      ON CONFLICT (name) DO UPDATE SET value = sequences.value + 1 RETURNING value`,
      [OWNER],
    )
    this.#turn = (rows[0] as { value: number }).value
  }

  /** Begins a transaction, and returns its number. */
  async begin(): Promise<string> {
    const results = await (await this.session()).script('BEGIN; SELECT pg_current_xact_id()::text AS xid')
    return (results.at(-1)!.rows[0] as { xid: string }).xid
  }

  /**
   * Commits. If the connection is lost before the server has answered, its next session knows what became of the transaction, so that
   * nobody has to repeat what is done already. Waits for that as long as it takes.
   */
  async commit(xid: string): Promise<void> {
    const session = this.#session!
    try {
      const [result] = await session.script('COMMIT')
      // What the server answers to the commit of a transaction in which a statement has failed.
      if (result?.command !== 'COMMIT') throw new Error('the transaction was rolled back, because one of its statements failed')
    } catch (error) {
      if (!session.isLost || !(await this.#isCommitted(xid))) throw error
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#session?.close()
  }

  async #isCommitted(xid: string): Promise<boolean> {
    for (;;) {
      try {
        // With the lock, so the lost session is over: its transaction is not in progress any more.
        const { rows } = await (await this.session()).query('SELECT pg_xact_status($1::xid8) AS status', [xid])
        return (rows[0] as { status: string | null }).status === 'committed'
      } catch (error) {
        const { signal } = this.#options
        if (this.#taken || signal?.aborted) throw error
        await sleep(PAUSE_MS, undefined, signal ? { signal } : {}).catch(() => {})
      }
    }
  }

  async #open(): Promise<Session> {
    const session = await Session.open(this.#place, 'write', this.#options.times)
    try {
      // The server may not know yet that the last connection is gone.
      if (this.#last) await endSession(session, this.#last)
      await this.#lock(session)
      await this.#checkTurn(session)
      this.#last = session.id
      return session
    } catch (error) {
      await session.close()
      throw error
    }
  }

  async #lock(session: Session): Promise<void> {
    try {
      await session.script(`SET lock_timeout = ${LOCK_MS}; SELECT pg_advisory_lock(${lockSql('state')}); SET lock_timeout = 0`)
    } catch (error) {
      const { cause } = error as { readonly cause?: { readonly code?: unknown } }
      if (cause?.code !== '55P03') throw error
      throw new StorageError(
        `The state's database ${nameOf(this.#place)} is in use by another Caracal process${await holder(session)}. Stop that one first, or name another database in state.url.`,
        { cause },
      )
    }
  }

  async #checkTurn(session: Session): Promise<void> {
    if (this.#turn === undefined) return
    const { rows } = await session.query('SELECT value FROM sequences WHERE name = $1', [OWNER])
    if ((rows[0] as { value: number } | undefined)?.value === this.#turn) return
    this.#taken = new StorageError(
      `Another Caracal process has used the state's database while this one had lost its connection. This one stores nothing any more: stop one of the two, and start this one again only if it is the one to stay.`,
    )
    this.#options.onTaken?.(this.#taken)
    throw this.#taken
  }
}

/** From where the holder of the lock is connected, in words. */
async function holder(session: Session): Promise<string> {
  const found = await lockHolder(session, 'state')
  return found ? `, which is connected from ${found.address} since ${found.started}` : ''
}

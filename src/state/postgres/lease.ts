import { setTimeout as sleep } from 'node:timers/promises'
import type { ActiveNode } from '../../model/node.ts'
import { messageOf, StorageError } from '../../util/errors.ts'
import { endSession, type LockHolder, lockHolder, lockSql } from './lock-holders.ts'
import { OWNER } from './owner.ts'
import type { PostgresPlace } from './place.ts'
import { Session, type SessionTimes } from './session.ts'

/** Milliseconds. */
export interface LeaseTimes {
  /** Between two signs of life of the active process. */
  readonly beatMs: number
  /** Between two looks of one that waits. */
  readonly pollMs: number
  /** A lock that was held must have been free for this time: an active process that only lost its connection is back sooner. */
  readonly freeMs: number
  /** An active process without a sign of life for this time is taken for dead, and its sessions are ended. */
  readonly silentMs: number
  /** A process whose last sign of life is older than this acts only after another one. Much less than `silentMs`. */
  readonly sureMs: number
}

export const LEASE_TIMES: LeaseTimes = { beatMs: 2000, pollMs: 1000, freeMs: 3000, silentMs: 20_000, sureMs: 10_000 }
/** A sign of life is a short statement. */
const SESSION_TIMES: SessionTimes = { statementMs: 3000, idleInTransactionMs: 60_000, connectMs: 5000 }
const APPLICATION = 'caracal '

export interface LeaseOptions {
  /** The name of this node. */
  readonly node: string
  /** Another process is active: this one waits. Called again when it is another one. */
  readonly onWait?: ((active: ActiveNode) => void) | undefined
  /** The server cannot be reached, in words; `undefined`: it can again. */
  readonly onTrouble?: ((message: string | undefined) => void) | undefined
  /** Another process has become active: this one must not act any more. */
  readonly onTaken: (error: StorageError) => void
  /** Aborted: nothing is waited for any longer. */
  readonly signal?: AbortSignal | undefined
  readonly times?: LeaseTimes
}

/**
 * The right to be the active one of several processes with the same state. A session that writes the state is fenced by its own lock
 * (`Owner`); the lease decides who may try, and whether what has no lock (deliveries, the lake) may still be done: a process that was stopped
 * for a while learns here that another one has taken its place before it does anything.
 */
export class Lease {
  readonly #place: PostgresPlace
  readonly #options: LeaseOptions
  readonly #times: LeaseTimes
  #session: Session
  /** How often a process had taken the state over before this one. */
  readonly #before: number
  #sureAt: number
  #taken: StorageError | undefined
  #timer: NodeJS.Timeout | undefined
  #beating: Promise<void> | undefined
  #isClosed = false

  private constructor(place: PostgresPlace, options: LeaseOptions, found: { session: Session; before: number; at: number }) {
    this.#place = place
    this.#options = options
    this.#times = options.times ?? LEASE_TIMES
    this.#session = found.session
    this.#before = found.before
    this.#sureAt = found.at
    this.#timer = setInterval(() => void this.#beat().catch(() => {}), this.#times.beatMs)
  }

  /**
   * Resolves when this process is the active one: at once if there is no other, otherwise when that one has ended or is silent.
   *
   * @throws {StorageError} if the server cannot be used at the first attempt; the signal's reason when it is aborted.
   */
  static async take(place: PostgresPlace, options: LeaseOptions): Promise<Lease> {
    const waiting = new Waiting(place, options)
    try {
      return new Lease(place, options, await waiting.untilActive())
    } catch (error) {
      await waiting.close()
      throw error
    }
  }

  /**
   * Resolves if this process is still the active one, as far as that can be known: call it before everything that the lock of the state does
   * not protect. Rejects with `StorageError` if another one may be.
   */
  async sure(): Promise<void> {
    if (this.#isSure()) return
    await this.#beat().catch(() => {})
    if (this.#taken) throw this.#taken
    if (!this.#isSure())
      throw new StorageError(
        'this node cannot reach the database of the state, and another one may be active: it sends and stores nothing until it can',
      )
  }

  /** A value of `meta`; `undefined` also before the first start has created it. */
  async meta(key: string): Promise<string | undefined> {
    if (!(await hasTable(this.#session, 'meta'))) return undefined
    const { rows } = await this.#session.query('SELECT value FROM meta WHERE key = $1', [key])
    return (rows[0] as { value: string } | undefined)?.value
  }

  /** Lets another process be active. */
  async release(): Promise<void> {
    this.#isClosed = true
    clearInterval(this.#timer)
    await this.#beating?.catch(() => {})
    await this.#session.close()
  }

  #isSure(): boolean {
    return this.#taken === undefined && performance.now() - this.#sureAt < this.#times.sureMs
  }

  #beat(): Promise<void> {
    this.#beating ??= this.#confirm().finally(() => {
      this.#beating = undefined
    })
    return this.#beating
  }

  async #confirm(): Promise<void> {
    if (this.#taken || this.#isClosed) return
    const at = performance.now()
    try {
      if (this.#session.isLost) await this.#again()
      else await this.#session.query('SELECT 1', [])
      this.#sureAt = at
      this.#options.onTrouble?.(undefined)
    } catch (error) {
      if (!this.#taken && !this.#isClosed) this.#options.onTrouble?.(messageOf(error))
      throw error
    }
  }

  /** Another session in place of a lost one, unless another process has become active in between. */
  async #again(): Promise<void> {
    const session = await openNamed(this.#place, this.#options.node)
    try {
      const turn = await turnOf(session)
      // One more is this process's own.
      if (turn > this.#before + 1) this.#giveUp()
      if (!(await tryLock(session))) throw new StorageError('another node is about to become the active one')
      if ((await turnOf(session)) > this.#before + 1) this.#giveUp()
      this.#session = session
      if (this.#isClosed) await session.close()
    } catch (error) {
      await session.close()
      throw error
    }
  }

  #giveUp(): never {
    this.#taken = new StorageError(
      'Another node has become the active one while this one was stopped or cut off. This one does nothing any more, and ends; started again, it waits as a standby.',
    )
    clearInterval(this.#timer)
    this.#options.onTaken(this.#taken)
    throw this.#taken
  }
}

/** A process that is not active yet. */
class Waiting {
  readonly #place: PostgresPlace
  readonly #options: LeaseOptions
  readonly #times: LeaseTimes
  #session: Session | undefined
  #active: string | undefined
  #freeAt: number | undefined

  constructor(place: PostgresPlace, options: LeaseOptions) {
    this.#place = place
    this.#options = options
    this.#times = options.times ?? LEASE_TIMES
  }

  async untilActive(): Promise<{ session: Session; before: number; at: number }> {
    const { signal, onTrouble } = this.#options
    for (let isFirst = true; ; isFirst = false) {
      signal?.throwIfAborted()
      const at = performance.now()
      try {
        const session = await this.#open()
        if ((await this.#isFree(session)) && (await tryLock(session))) {
          if (this.#active !== undefined) await succeed(session)
          return { session, before: await turnOf(session), at }
        }
        onTrouble?.(undefined)
      } catch (error) {
        if (isFirst) throw error
        onTrouble?.(messageOf(error))
      }
      await sleep(this.#times.pollMs, undefined, signal ? { signal } : {}).catch(() => {})
    }
  }

  async close(): Promise<void> {
    await this.#session?.close()
  }

  async #open(): Promise<Session> {
    if (this.#session && !this.#session.isLost) return this.#session
    this.#session = await openNamed(this.#place, this.#options.node)
    return this.#session
  }

  async #isFree(session: Session): Promise<boolean> {
    const holder = await lockHolder(session, 'active')
    if (!holder) {
      this.#freeAt ??= performance.now()
      return this.#active === undefined || performance.now() - this.#freeAt >= this.#times.freeMs
    }
    this.#freeAt = undefined
    await this.#heed(session, holder)
    if (holder.silentMs === undefined || holder.silentMs < this.#times.silentMs) return false
    // It is gone or stopped. First what it writes with, so that nothing is committed after the lock has changed hands.
    const writer = await lockHolder(session, 'state')
    if (writer) await endSession(session, writer)
    await endSession(session, holder)
    this.#freeAt = performance.now() - this.#times.freeMs
    return false
  }

  async #heed(session: Session, { pid, started, name: application, address }: LockHolder): Promise<void> {
    const id = `${pid} ${started}`
    if (this.#active === id) return
    this.#active = id
    const node = application.startsWith(APPLICATION) ? application.slice(APPLICATION.length) : address
    const known = (await hasTable(session, 'nodes'))
      ? (await session.query('SELECT address FROM nodes WHERE name = $1', [node])).rows[0]
      : undefined
    this.#options.onWait?.({ node, url: (known as { address: string } | undefined)?.address })
  }
}

/**
 * From now on whoever was active before finds another number than its own, and gives up. A process that continues at this very moment may
 * have the state's lock once more: it is ended after that, so that it looks again.
 */
async function succeed(session: Session): Promise<void> {
  if (!(await hasTable(session, 'sequences'))) return
  await session.query('UPDATE sequences SET value = value + 1 WHERE name = $1', [OWNER])
  const writer = await lockHolder(session, 'state')
  if (writer) await endSession(session, writer)
}

async function tryLock(session: Session): Promise<boolean> {
  const { rows } = await session.query(`SELECT pg_try_advisory_lock(${lockSql('active')}) AS got`, [])
  return (rows[0] as { got: 0 | 1 }).got === 1
}

/** How often a process has taken the state over. */
async function turnOf(session: Session): Promise<number> {
  if (!(await hasTable(session, 'sequences'))) return 0
  const { rows } = await session.query('SELECT value FROM sequences WHERE name = $1', [OWNER])
  return (rows[0] as { value: number } | undefined)?.value ?? 0
}

async function hasTable(session: Session, table: string): Promise<boolean> {
  const { rows } = await session.query('SELECT to_regclass($1)::text AS name', [table])
  return (rows[0] as { name: string | null }).name !== null
}

/** A session that others see as this node's. */
async function openNamed(place: PostgresPlace, node: string): Promise<Session> {
  const session = await Session.open(place, 'write', SESSION_TIMES)
  try {
    await session.query("SELECT set_config('application_name', $1, false)", [`${APPLICATION}${node}`])
    return session
  } catch (error) {
    await session.close()
    throw error
  }
}

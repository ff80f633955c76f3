import type { KnownActive } from '../model/node.ts'
import { LEASE_TIMES } from '../state/postgres/lease.ts'
import { type LockHolder, lockHolder } from '../state/postgres/lock-holders.ts'
import type { PostgresPlace } from '../state/postgres/place.ts'
import { Session, type SessionTimes } from '../state/postgres/session.ts'
import { messageOf } from '../util/errors.ts'

const LOOK_MS = 1000
const SESSION_TIMES: SessionTimes = { statementMs: 3000, idleInTransactionMs: 60_000, connectMs: 5000 }
/** Sessions that hold a lease are called by this and the name of their node. */
const APPLICATION = 'caracal '

export interface ActiveWatchOptions {
  readonly place: PostgresPlace
  /** The key that all nodes with the same state have; `undefined`: not known yet. */
  readonly key: () => Promise<string | undefined>
  readonly lookMs?: number
}

/** Which node is active, as the state says. */
export class ActiveWatch {
  readonly #options: ActiveWatchOptions
  readonly #listeners = new Set<() => void>()
  #session: Session | undefined
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> | undefined
  #current: KnownActive | undefined
  #trouble: string | undefined

  private constructor(options: ActiveWatchOptions) {
    this.#options = options
  }

  /** Looks once, and then every second. Never rejects. */
  static async start(options: ActiveWatchOptions): Promise<ActiveWatch> {
    const watch = new ActiveWatch(options)
    watch.#timer = setInterval(() => void watch.#look(), options.lookMs ?? LOOK_MS)
    await watch.#look()
    return watch
  }

  /** The last one that was active. It may have ended since, as long as no other one has taken over. */
  get current(): KnownActive | undefined {
    return this.#current
  }

  /** Why that is not known, in words. */
  get trouble(): string | undefined {
    return this.#trouble
  }

  /** Calls back after each look. */
  onLook(listener: () => void): void {
    this.#listeners.add(listener)
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#looking
    await this.#session?.close()
  }

  #look(): Promise<void> {
    this.#looking ??= this.#read()
      .then(
        () => {
          this.#trouble = undefined
        },
        (error: unknown) => {
          this.#trouble = `which node is active cannot be read from the state: ${messageOf(error)}`
        },
      )
      .finally(() => {
        this.#looking = undefined
        for (const listener of this.#listeners) listener()
      })
    return this.#looking
  }

  async #read(): Promise<void> {
    if (!this.#session || this.#session.isLost) this.#session = await Session.open(this.#options.place, 'read', SESSION_TIMES)
    const holder = await lockHolder(this.#session, 'active')
    // While another node takes over, no node is active for a few seconds.
    if (!holder?.name.startsWith(APPLICATION)) return
    const node = holder.name.slice(APPLICATION.length)
    const { rows } = await this.#session.query('SELECT address FROM nodes WHERE name = $1', [node])
    const url = (rows[0] as { address: string } | undefined)?.address
    // Opening the key takes as long as checking a password.
    const known = this.#current?.node === node ? this.#current.key : undefined
    const key = known ?? (await this.#options.key())
    const isSilent = isSilentFor(holder)
    this.#current = { node, url, key, isSilent }
  }
}

/** Whether a standby would take it for dead. */
function isSilentFor({ silentMs }: LockHolder): boolean {
  return silentMs !== undefined && silentMs >= LEASE_TIMES.silentMs
}

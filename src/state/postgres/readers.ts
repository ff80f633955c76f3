import { setTimeout as sleep } from 'node:timers/promises'
import type { QueryResult } from 'pg'
import { StorageError } from '../../util/errors.ts'
import type { PostgresPlace } from './place.ts'
import { Session, type SessionTimes } from './session.ts'

/** Sessions that read at the same time. */
const MOST = 4
/** How long a read is tried while the server is away: a restart passes unnoticed. */
const TRIED_MS = 10_000
const PAUSE_MS = 250

/** There was no session, or it was lost. */
class NotAsked extends Error {}

/** Sessions that only read. A read whose connection is lost is repeated for a while: it changes nothing. */
export class Readers {
  readonly #place: PostgresPlace
  readonly #times: SessionTimes | undefined
  readonly #free: Session[] = []
  readonly #waiting: (() => void)[] = []
  #inUse = 0
  #isClosed = false

  constructor(place: PostgresPlace, times?: SessionTimes) {
    this.#place = place
    this.#times = times
  }

  async query(text: string, values: readonly unknown[]): Promise<QueryResult> {
    const until = performance.now() + TRIED_MS
    for (;;) {
      try {
        return await this.#once(text, values)
      } catch (error) {
        if (!(error instanceof NotAsked) || this.#isClosed) throw error
        if (performance.now() > until)
          // People who call the API may read it, and need not know where the database is.
          throw new StorageError("the state's database does not answer, so nothing can be read from it", { cause: error.cause })
        await sleep(PAUSE_MS)
      }
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all(this.#free.splice(0).map((session) => session.close()))
  }

  async #once(text: string, values: readonly unknown[]): Promise<QueryResult> {
    if (this.#inUse >= MOST) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    else this.#inUse++
    let session: Session | undefined
    try {
      if (this.#isClosed) throw new StorageError('the state is closed')
      session = await this.#session()
      return await session.query(text, values)
    } catch (error) {
      if (this.#isClosed || (session && !session.isLost)) throw error
      throw new NotAsked('there was no answer', { cause: error })
    } finally {
      if (session && !session.isLost) {
        if (this.#isClosed) await session.close()
        else this.#free.push(session)
      }
      const next = this.#waiting.shift()
      if (next) next()
      else this.#inUse--
    }
  }

  async #session(): Promise<Session> {
    for (;;) {
      const session = this.#free.pop()
      if (!session) return Session.open(this.#place, 'read', this.#times)
      if (!session.isLost) return session
    }
  }
}

import type { Clock } from '../../util/clock.ts'
import { Refused, RetryLater } from '../../util/errors.ts'
import { LakeEnded } from './lake.ts'

/** How long the engine has to stop a query before the process is killed. */
export const GRACE_MS = 2000

/** A query sent to the lake's process. */
export interface UnderWay<T> {
  readonly answer: Promise<T>
  /** True once a reader has started it; until then it waits for one. */
  readonly hasBegun: boolean
  /** Asks the engine to stop it; `answer` then rejects, sooner or later. */
  cancel(): void
}

/** The limits of one query: `ms` for everything from now on, including waiting, and no longer than its caller wants it. */
export class QueryLimit {
  readonly #ms: number
  readonly #clock: Clock
  /** Set once the query must stop; resolves then. */
  readonly #over: Promise<void>
  #why: 'time' | 'caller' | undefined
  #dispose = () => {}

  constructor(ms: number, clock: Clock, signal?: AbortSignal) {
    this.#ms = ms
    this.#clock = clock
    this.#over = new Promise((resolve) => {
      const stop = (why: 'time' | 'caller') => {
        this.#why ??= why
        resolve()
      }
      const aborted = () => stop('caller')
      const cancelTimer = clock.after(ms, () => stop('time'))
      signal?.addEventListener('abort', aborted, { once: true })
      if (signal?.aborted) aborted()
      this.#dispose = () => {
        cancelTimer()
        signal?.removeEventListener('abort', aborted)
      }
    })
  }

  /** Waits for something that must happen before the query can begin. Rejects with `RetryLater` if the limit is reached first. */
  async before<T>(what: string, ready: Promise<T>): Promise<T> {
    const first = await Promise.race([ready.then((value) => ({ value })), this.#over])
    if (first) return first.value
    ready.catch(() => {})
    throw this.#neverBegan(what)
  }

  /**
   * The query's answer, if it arrives in time. Rejects with `Refused` if it had to be stopped, with `RetryLater` if it never began, and
   * with `LakeEnded` after `endProcess`, which is called if the engine could not stop it.
   */
  async watch<T>(query: UnderWay<T>, endProcess: () => void): Promise<T> {
    const first = await Promise.race([query.answer.then((value) => ({ value })), this.#over])
    if (first) return first.value
    query.cancel()
    const stopped = this.#stopped(query, endProcess)
    if (!query.hasBegun) throw this.#neverBegan('a free reader')
    const end = await stopped
    if (end === 'ended') {
      throw new LakeEnded(`${this.#ended()}; the engine could not stop it, so the lake's process was replaced`)
    }
    if (end === 'stopped') throw new Refused(this.#ended())
    return end.value
  }

  /**
   * Continues when no caller waits for the answer any more, because a query may begin while its cancellation is in transit. Never
   * rejects.
   */
  async #stopped<T>(query: UnderWay<T>, endProcess: () => void): Promise<{ readonly value: T } | 'stopped' | 'ended'> {
    let cancelTimer = () => {}
    const late = new Promise<'late'>((resolve) => {
      cancelTimer = this.#clock.after(GRACE_MS, () => resolve('late'))
    })
    const end = await Promise.race([query.answer.then((value) => ({ value })).catch(() => 'stopped' as const), late])
    cancelTimer()
    if (end !== 'late') return end
    if (query.hasBegun) endProcess()
    return 'ended'
  }

  /** Call this when the query is over. */
  dispose(): void {
    this.#dispose()
  }

  #ended(): string {
    return this.#why === 'time' ? `the query was ended after its time limit of ${this.#ms} ms` : 'the query was cancelled'
  }

  #neverBegan(what: string): Error {
    return this.#why === 'time'
      ? new RetryLater(
          `the query did not begin within its time limit of ${this.#ms} ms: it waited for ${what}; ask again`,
          this.#ms,
        )
      : new Refused('the query was cancelled before it began')
  }
}

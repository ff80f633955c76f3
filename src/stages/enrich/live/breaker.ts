/** Consecutive failures after which no requests are sent for a while. */
const MAX_FAILURES = 5
const FIRST_PAUSE_MS = 60_000
const MIN_PAUSE_MS = 1000
const MAX_PAUSE_MS = 3_600_000

export type BreakerState = 'closed' | 'open' | 'half_open'

/**
 * Stops requests to a service that fails: after five failures in a row for a minute, doubled up to an hour each time the one request that
 * is then attempted fails too.
 */
export class Breaker {
  #failures = 0
  #pauseMs = 0
  #untilMs = 0

  /** Milliseconds until a request may be sent. */
  waitMs(nowMs: number): number {
    // A clock that was set back must not prolong a pause.
    if (this.#untilMs - nowMs > this.#pauseMs) this.#untilMs = nowMs + this.#pauseMs
    return Math.max(0, this.#untilMs - nowMs)
  }

  state(nowMs: number): BreakerState {
    if (this.waitMs(nowMs) > 0) return 'open'
    return this.#pauseMs > 0 ? 'half_open' : 'closed'
  }

  succeeded(): void {
    this.#failures = 0
    this.#pauseMs = 0
    this.#untilMs = 0
  }

  failed(nowMs: number): void {
    // Of a request that was already under way when the pause began.
    if (this.waitMs(nowMs) > 0) return
    this.#failures++
    if (this.#failures >= MAX_FAILURES || this.#pauseMs > 0) this.#pause(nowMs)
  }

  /** The service wants to be left alone, for that time if it says so. */
  refused(nowMs: number, forMs?: number): void {
    this.#pause(nowMs, forMs)
  }

  #pause(nowMs: number, forMs?: number): void {
    this.#pauseMs = Math.min(
      MAX_PAUSE_MS,
      Math.max(forMs ?? FIRST_PAUSE_MS, forMs === undefined ? this.#pauseMs * 2 : MIN_PAUSE_MS),
    )
    this.#untilMs = nowMs + this.#pauseMs
  }
}

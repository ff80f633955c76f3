const MINUTE_MS = 60_000

/** How many messages a destination may get: a token bucket that is full at the start and refills within a minute. */
export class DeliveryRate {
  readonly #perMinute: number
  #tokens: number
  #filledMs: number
  #digestMs = Number.NEGATIVE_INFINITY

  constructor(perMinute: number, nowMs: number) {
    this.#perMinute = perMinute
    this.#tokens = perMinute
    this.#filledMs = nowMs
  }

  /**
   * Of `waiting` deliveries, how many to send one by one now, and whether the rest go into a digest. After a digest, whatever exceeds the
   * rate is collected for a minute.
   */
  plan(waiting: number, atOnce: number, nowMs: number): { readonly single: number; readonly digest: boolean } {
    this.#fill(nowMs)
    const tokens = Math.floor(this.#tokens)
    const few = Math.min(waiting, atOnce)
    if (waiting <= tokens) return this.#take(few, false, nowMs)
    if (tokens < 1 || nowMs < this.#digestMs + MINUTE_MS) return { single: 0, digest: false }
    return this.#take(Math.min(tokens - 1, few - 1), true, nowMs)
  }

  #take(single: number, digest: boolean, nowMs: number): { readonly single: number; readonly digest: boolean } {
    if (digest) {
      // The digest uses up the rest, so that the minute after it is quiet.
      this.#tokens = 0
      this.#digestMs = nowMs
    } else this.#tokens -= single
    return { single, digest }
  }

  #fill(nowMs: number): void {
    // A clock that was set back must not stop the refill.
    const passed = Math.max(0, nowMs - this.#filledMs)
    this.#tokens = Math.min(this.#perMinute, this.#tokens + (passed * this.#perMinute) / MINUTE_MS)
    this.#filledMs = nowMs
    if (nowMs < this.#digestMs) this.#digestMs = nowMs
  }
}

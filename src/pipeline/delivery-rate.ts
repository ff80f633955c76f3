const MINUTE_MS = 60_000

/** How many messages a destination may get: a token bucket that is full at the start and refills within a minute. */
export class DeliveryRate {
  readonly #perMinute: number
  #tokens: number
  #filledMs: number
  #digestMs = Number.NEGATIVE_INFINITY
  #isAfterDigest = false

  constructor(perMinute: number, nowMs: number) {
    this.#perMinute = perMinute
    this.#tokens = perMinute
    this.#filledMs = nowMs
  }

  /** Whether the last message was a digest. */
  get isAfterDigest(): boolean {
    return this.#isAfterDigest
  }

  /** Messages that may be sent now. */
  allowed(nowMs: number): number {
    this.#fill(nowMs)
    return Math.floor(this.#tokens)
  }

  /**
   * How to send `waiting` deliveries: one by one, or some of them in a digest, or not now. After a digest of all that waited, whatever
   * exceeds the rate is collected for a minute; a full one is followed by the next. Uses nothing up: `sent` does.
   */
  plan(waiting: number, nowMs: number): 'single' | 'digest' | 'wait' {
    const allowed = this.allowed(nowMs)
    if (allowed < 1) return 'wait'
    if (waiting <= allowed) return 'single'
    return nowMs < this.#digestMs + MINUTE_MS ? 'wait' : 'digest'
  }

  /** Uses up what was sent: `single` deliveries one by one, and maybe a digest, `full` if there are more than it can carry. */
  sent(single: number, digest: 'none' | 'whole' | 'full', nowMs: number): void {
    if (digest === 'whole') {
      // The digest uses up the rest, so that the minute after it is quiet.
      this.#tokens = 0
      this.#digestMs = nowMs
    } else this.#tokens -= single + (digest === 'full' ? 1 : 0)
    if (digest !== 'none') this.#isAfterDigest = true
    else if (single > 0) this.#isAfterDigest = false
  }

  #fill(nowMs: number): void {
    // A clock that was set back must not stop the refill.
    const passed = Math.max(0, nowMs - this.#filledMs)
    this.#tokens = Math.min(this.#perMinute, this.#tokens + (passed * this.#perMinute) / MINUTE_MS)
    this.#filledMs = nowMs
    if (nowMs < this.#digestMs) this.#digestMs = nowMs
  }
}

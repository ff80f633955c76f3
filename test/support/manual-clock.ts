import type { Clock } from '../../src/util/clock.ts'

/** A clock that only moves when it is advanced. */
export class ManualClock implements Clock {
  #now = 0
  readonly #timers = new Set<{ readonly at: number; readonly run: () => void }>()

  now(): number {
    return this.#now
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.#now + ms, run }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  /** Timers that have not fired. */
  get waiting(): number {
    return this.#timers.size
  }

  /** Advances the clock, fires due timers in order, and waits for the effects of each. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms
    await settled()
    for (;;) {
      const next = [...this.#timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0]
      if (!next) break
      this.#timers.delete(next)
      this.#now = next.at
      next.run()
      await settled()
    }
    this.#now = until
  }
}

/** Resolves when all work that only waits for promises is done. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

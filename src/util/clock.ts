/** Time, passed in wherever a limit counts, so that tests need not wait. */
export interface Clock {
  /** Milliseconds; only differences count. */
  now(): number
  /** Calls `run` once after `ms`; the function it returns cancels that. */
  after(ms: number, run: () => void): () => void
}

/** The machine's clock. Its timers keep no process alive. */
export const steadyClock: Clock = {
  now: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms).unref()
    return () => clearTimeout(timer)
  },
}

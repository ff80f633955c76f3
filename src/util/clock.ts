/** A clock, passed in wherever there is a time limit so that tests need not wait. */
export interface Clock {
  /** Milliseconds; only differences are meaningful. */
  now(): number
  /** Calls `run` once after `ms`; the returned function cancels it. */
  after(ms: number, run: () => void): () => void
}

/** The machine's clock. Its timers do not keep the process alive. */
export const steadyClock: Clock = {
  now: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms).unref()
    return () => clearTimeout(timer)
  },
}

/**
 * Tells the interpreter that a call has taken too long, without a second thread: Python reads element 0 of its interrupt
 * buffer every few dozen steps of a loop, and finds 2 (SIGINT) there when the call has used up its processor time. How long it
 * has been under way does not count: that a busy machine does not run this process is nothing that a rule did.
 * Code that does not read the buffer, or swallows the exception that follows, is for the parent to end (`patience.ts`).
 */
export interface Watch {
  /** What `setInterruptBuffer` is given. */
  readonly buffer: Uint8Array
  /** A new request begins: marks of the last one mean nothing. */
  begin(timeoutMs: number): void
}

/** What a busy child reports to its parent: the current call, its duration in ms, and whether it has been interrupted. */
export interface Beat {
  readonly mark: number
  readonly ms: number
  readonly interrupted: boolean
}

/** Clocks of a process, in milliseconds. */
export interface Meter {
  /** Of a steady clock. */
  now(): number
  /** Processor time used so far. */
  worked(): number
}

/** How often the parent hears from a busy child. */
export const BEAT_MS = 100

/** A call that has taken less than this part of its limit is not measured: nearly all are over by then. */
const UNMEASURED = 1 / 16

/** The meter of this process. Its helper threads count as well, which `createWatch` makes up for. */
export function processMeter(): Meter {
  const cpuUsage = process.cpuUsage.bind(process)
  return {
    now: performance.now.bind(performance),
    worked: () => {
      const { user, system } = cpuUsage()
      return (user + system) / 1000
    },
  }
}

/** `cells` reads the interpreter's memory, which moves when it grows; `address` is that of the cells of `limits.py`. */
export function createWatch(cells: () => Uint32Array, address: number, beat: (beat: Beat) => void, meter: Meter): Watch {
  const index = address >>> 2
  let seen = 0
  let since = 0
  let lastBeat = 0
  let interrupted = false
  /** Where the call was last measured, and what it had worked by then, from the first measuring on. */
  let measured: { readonly at: number; readonly worked: number; readonly spent: number } | undefined

  function tell(mark: number, time: number): void {
    lastBeat = time
    beat({ mark, ms: Math.round(time - since), interrupted })
  }

  /** The call's processor time in ms. Never more than has passed: the process has other threads, which compile and collect. */
  function measure(time: number): number {
    const worked = meter.worked()
    const spent = measured ? measured.spent + Math.min(worked - measured.worked, time - measured.at) : 0
    measured = { at: time, worked, spent }
    return spent
  }

  function read(): number {
    const memory = cells()
    // A call's exception is dealt with at the call's mark: its text may be made by the rule's own code.
    const mark = memory[index]! || memory[index + 3]!
    const time = meter.now()
    if (mark !== seen) {
      seen = mark
      since = time
      measured = undefined
      if (interrupted) {
        interrupted = false
        tell(mark, time)
      }
    }
    if (time - lastBeat > BEAT_MS) tell(mark, time)
    // The engine shortens it for a rule that has timed out in this batch. A rule that writes 0 there would be stopped or not by chance.
    const limit = Math.max(memory[index + 2]!, 1)
    if (mark === 0 || interrupted || time - since < limit * UNMEASURED) return 0
    // Before so much time has passed it cannot have been spent.
    if (measured && time - measured.at < limit - measured.spent) return 0
    if (measure(time) < limit) return 0
    // Tells the signal's handler which call is meant. It does nothing while an exception is dealt with.
    memory[index + 1] = mark
    interrupted = true
    tell(mark, time)
    return 2
  }

  const buffer = Object.defineProperty({}, '0', { get: read, set() {} }) as Uint8Array
  return {
    buffer,
    begin(timeoutMs) {
      cells()[index + 2] = timeoutMs
      seen = 0
      interrupted = false
      measured = undefined
      since = lastBeat = meter.now()
    },
  }
}

/**
 * Interrupts calls that take too long, without a second thread: Python reads element 0 of its interrupt
 * buffer every few dozen steps of a loop, and finds 2 (SIGINT) there once the call has used up its CPU time. Elapsed
 * time does not count, because a rule is not to blame for a busy machine.
 * The parent ends code that does not read the buffer or swallows the resulting exception (`patience.ts`).
 */
export interface Watch {
  /** The argument of `setInterruptBuffer`. */
  readonly buffer: Uint8Array
  /** A new request begins: marks of the previous one are invalid. */
  begin(timeoutMs: number): void
}

/** Report of a busy child to its parent: the current call, its duration in ms, and whether it has been interrupted. */
export interface Beat {
  readonly mark: number
  readonly ms: number
  readonly interrupted: boolean
}

/** Clocks of a process, in milliseconds. */
export interface Meter {
  /** Time of a monotonic clock. */
  now(): number
  /** CPU time used so far. */
  worked(): number
}

/** Interval between a busy child's reports to its parent. */
export const BEAT_MS = 100

/** Calls are measured only after this fraction of their limit: nearly all are over by then. */
const UNMEASURED = 1 / 16

/** The meter of this process. It includes helper threads, which `createWatch` corrects for. */
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

/** `cells` reads the interpreter's memory, which moves when it grows; `address` is the address of the cells in `limits.py`. */
export function createWatch(cells: () => Uint32Array, address: number, beat: (beat: Beat) => void, meter: Meter): Watch {
  const index = address >>> 2
  let seen = 0
  let since = 0
  let lastBeat = 0
  let interrupted = false
  /** Time of the last measurement, and the CPU time from the first measurement until then. */
  let measured: { readonly at: number; readonly worked: number; readonly spent: number } | undefined

  function tell(mark: number, time: number): void {
    lastBeat = time
    beat({ mark, ms: Math.round(time - since), interrupted })
  }

  /** The call's CPU time in ms. Never more than the elapsed time, because other threads of the process compile and collect garbage. */
  function measure(time: number): number {
    const worked = meter.worked()
    const spent = measured ? measured.spent + Math.min(worked - measured.worked, time - measured.at) : 0
    measured = { at: time, worked, spent }
    return spent
  }

  function read(): number {
    const memory = cells()
    // A call's exception is handled under the call's mark, because the rule's own code may produce its text.
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
    // The engine shortens it for a rule that has timed out in this batch. Without this, a rule that writes 0 there would be stopped at random.
    const limit = Math.max(memory[index + 2]!, 1)
    if (mark === 0 || interrupted || time - since < limit * UNMEASURED) return 0
    // CPU time cannot exceed elapsed time.
    if (measured && time - measured.at < limit - measured.spent) return 0
    if (measure(time) < limit) return 0
    // Tells the signal handler which call is meant. The handler does nothing while an exception is handled.
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

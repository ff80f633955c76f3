/**
 * Tells the interpreter that a call has taken too long, without a second thread: Python reads element 0 of its interrupt
 * buffer every few dozen steps of a loop, and finds 2 (SIGINT) there when the mark has not changed for the time limit.
 * Code that does not read it, or swallows the exception that follows, is for the parent to end.
 */
export interface Watch {
  /** What `setInterruptBuffer` is given. */
  readonly buffer: Uint8Array
  /** A new request begins: marks of the last one mean nothing. */
  begin(timeoutMs: number): void
}

/** What the parent hears of a busy child: the call under way, for how many ms it has been, and whether it has been told to stop. */
export interface Beat {
  readonly mark: number
  readonly ms: number
  readonly interrupted: boolean
}

/** How often the parent hears from a busy child. */
export const BEAT_MS = 100

/** The least share of the second half of the limit that the process must have worked: a machine too busy to run it proves nothing. */
const WORKED = 0.1
/** But for so many limits nobody waits, whatever the reason. */
const LIMITS = 4

/** `cells` reads the interpreter's memory, which moves when it grows; `address` is that of the cells of `limits.py`. */
export function createWatch(cells: () => Uint32Array, address: number, beat: (beat: Beat) => void): Watch {
  const index = address >>> 2
  const now = performance.now.bind(performance)
  const cpuUsage = process.cpuUsage.bind(process)
  let seen = 0
  let since = 0
  let lastBeat = 0
  let interrupted = false
  /** The second half of the limit, in ms: when it began to be watched, and what the process had worked by then. */
  let half: { readonly at: number; readonly worked: number } | undefined

  function worked(): number {
    const { user, system } = cpuUsage()
    return (user + system) / 1000
  }

  function tell(mark: number, time: number): void {
    lastBeat = time
    beat({ mark, ms: Math.round(time - since), interrupted })
  }

  function read(): number {
    const memory = cells()
    // A call's exception is dealt with at the call's mark: its text may be made by the rule's own code.
    const mark = memory[index]! || memory[index + 3]!
    const time = now()
    if (mark !== seen) {
      seen = mark
      since = time
      half = undefined
      if (interrupted) {
        interrupted = false
        tell(mark, time)
      }
    }
    if (time - lastBeat > BEAT_MS) tell(mark, time)
    // The engine shortens it for a rule that has timed out in this batch.
    const limit = memory[index + 2]!
    if (mark === 0 || interrupted || time - since < limit / 2) return 0
    half ??= { at: time, worked: worked() }
    if (time - since < limit) return 0
    if (worked() - half.worked < WORKED * (time - half.at) && time - since < LIMITS * limit) return 0
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
      half = undefined
      since = lastBeat = now()
    },
  }
}

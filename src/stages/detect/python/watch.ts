/**
 * Tells the interpreter that a call has taken too long, without a second thread: Python reads element 0 of its interrupt
 * buffer every few dozen steps of a loop, and finds 2 (SIGINT) there when the mark has not changed for the time limit.
 */
export interface Watch {
  /** What `setInterruptBuffer` is given. */
  readonly buffer: Uint8Array
  /** A new request begins: marks of the last one mean nothing. */
  begin(timeoutMs: number): void
}

/** How often the parent hears from a busy child. */
export const BEAT_MS = 200

/** `cells` reads the interpreter's memory, which moves when it grows; `address` is that of the cells of `limits.py`. */
export function createWatch(cells: () => Uint32Array, address: number, beat: (mark: number) => void): Watch {
  const index = address >>> 2
  const now = performance.now.bind(performance)
  let limit = 0
  let seen = 0
  let since = 0
  let lastBeat = 0

  function read(): number {
    const memory = cells()
    const mark = memory[index]!
    const time = now()
    if (time - lastBeat > BEAT_MS) {
      lastBeat = time
      beat(mark)
    }
    if (mark !== seen) {
      seen = mark
      since = time
      return 0
    }
    if (mark === 0 || time - since <= limit) return 0
    // Tells the signal's handler which call is meant; another signal follows after another limit if this one is swallowed.
    memory[index + 1] = mark
    since = time
    return 2
  }

  const buffer = Object.defineProperty({}, '0', { get: read, set() {} }) as Uint8Array
  return {
    buffer,
    begin(timeoutMs) {
      limit = timeoutMs
      cells()[index + 2] = timeoutMs
      seen = 0
      since = lastBeat = now()
    },
  }
}

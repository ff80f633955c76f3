import type { Clock } from '../../util/clock.ts'

const CHECK_MS = 5000
/** Number of consecutive checks without an answer: 30 seconds in which the process was asked and this process itself was not stalled. */
const MAX_UNANSWERED = 6
/** An insert is at most 256 MiB and takes seconds. After a restart, what it had stored is not stored again. */
const WRITE_LIMIT_MS = 10 * 60_000

/** The watch's interface to a process. */
export interface Watched {
  readonly ready: Promise<unknown>
  readonly ended: Promise<void>
  /** Resolves or rejects when the process has answered. */
  ping(): Promise<unknown>
  /** When the oldest pending insert or table definition was requested, in the clock's time. */
  readonly oldestWrite: number | undefined
  end(why: string): void
}

/** Ends a process that does not answer or never finishes a write once the lake is open. The watch ends with the process. */
export function watchProcess(process: Watched, clock: Clock): void {
  let isOver = false
  let unanswered = 0
  let isAsking = false

  const check = () => {
    const { oldestWrite } = process
    if (isAsking) {
      unanswered++
      if (unanswered >= MAX_UNANSWERED)
        return process.end(`it had not responded for ${(MAX_UNANSWERED * CHECK_MS) / 1000} seconds`)
    } else {
      unanswered = 0
      isAsking = true
      const answered = () => {
        isAsking = false
      }
      process.ping().then(answered, answered)
    }
    if (oldestWrite !== undefined && clock.now() - oldestWrite > WRITE_LIMIT_MS) {
      return process.end(`it had not finished a write within ${WRITE_LIMIT_MS / 60_000} minutes`)
    }
    cancel = clock.after(CHECK_MS, check)
  }

  let cancel = () => {}
  process.ready.then(
    () => {
      if (!isOver) cancel = clock.after(CHECK_MS, check)
    },
    () => {},
  )
  void process.ended.then(() => {
    isOver = true
    cancel()
  })
}

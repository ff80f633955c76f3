import { messageOf, RetryLater } from '../../util/errors.ts'
import { pause } from '../../util/pause.ts'
import type { IntakeDeps, SpoolEntry } from './source.ts'

const RETRY_MS = 500

/** How long to try. */
export interface Insisting {
  /** Once it is aborted, the spool is tried one more time. */
  readonly signal: AbortSignal
  /** Called with the reason why the spool does not take the body, and with `undefined` once it has. */
  readonly onProblem: (problem: string | undefined) => void
  /** What it is, for the warning that it is lost. */
  readonly what: string
}

/** Puts a body into the spool, trying again while that has no room: for senders that cannot send it again. */
export async function appendUntilTaken(
  append: IntakeDeps['append'],
  body: Uint8Array,
  entry: SpoolEntry,
  { signal, onProblem, what }: Insisting,
): Promise<void> {
  for (;;) {
    const isLast = signal.aborted
    try {
      // A copy, because the bytes are transferred to another thread.
      await append(Uint8Array.from(body), entry)
      return onProblem(undefined)
    } catch (error) {
      const problem = messageOf(error)
      onProblem(problem)
      if (isLast) return process.emitWarning(`${body.length} bytes of ${what} could not be saved on shutdown: ${problem}`)
      await pause(error instanceof RetryLater ? (error.afterMs ?? RETRY_MS) : RETRY_MS, signal)
    }
  }
}

import type { Later } from '../../language.ts'

const FIRST_MS = 15_000
const LONGEST_MS = 60 * 60_000

/** Retries something, doubling the delay after each attempt without success. */
export class Retries {
  readonly #isNeeded: () => boolean
  readonly #again: () => Promise<boolean>
  readonly #later: Later
  #delayMs = FIRST_MS
  #isRunning = false
  #isStopped = false
  #cancel: (() => void) | undefined
  /** Epoch ms of the next attempt. */
  nextMs: number | undefined

  /** `again` resolves to whether it succeeded; a rejection counts as a failure. */
  constructor(isNeeded: () => boolean, again: () => Promise<boolean>, later: Later = timer) {
    this.#isNeeded = isNeeded
    this.#again = again
    this.#later = later
  }

  /** Signals that there may be something to retry. */
  plan(): void {
    if (!this.#isNeeded() || this.#cancel || this.#isRunning || this.#isStopped) return
    this.nextMs = Date.now() + this.#delayMs
    this.#cancel = this.#later(this.#delayMs, () => void this.#run())
  }

  /** Prevents further attempts. */
  stop(): void {
    this.#isStopped = true
    this.#cancel?.()
  }

  async #run(): Promise<void> {
    this.#cancel = this.nextMs = undefined
    this.#isRunning = true
    this.#delayMs = Math.min(this.#delayMs * 2, LONGEST_MS)
    try {
      if (await this.#again()) this.#delayMs = FIRST_MS
    } catch {
      // No child could be started, or the detector was closed meanwhile: the next attempt may succeed.
    } finally {
      this.#isRunning = false
      this.plan()
    }
  }
}

/** A timer that does not keep the process alive. */
export function timer(ms: number, call: () => void): () => void {
  const handle = setTimeout(call, ms).unref()
  return () => clearTimeout(handle)
}

import { messageOf } from './errors.ts'

/**
 * The steps of a start, each with how to undo it. Stopping undoes them in the opposite order, so that the order is written down once.
 * Every part may rely on what was started before it for as long as it runs.
 */
export class Started {
  readonly #ends: { readonly name: string; readonly end: () => unknown }[] = []
  readonly #onError: (message: string) => void
  #stopped: Promise<void> | undefined

  /** `onError` gets a sentence about each part that does not end well; the others are ended all the same. */
  constructor(onError: (message: string) => void) {
    this.#onError = onError
  }

  /** What `steps` makes. When a step fails, those before it are undone and its error is thrown. */
  static async all<T>(onError: (message: string) => void, steps: (started: Started) => Promise<T>): Promise<T> {
    let isFailing = false
    // The error that ends the start is the one to report, not what follows from it.
    const started = new Started((message) => (isFailing ? undefined : onError(message)))
    try {
      return await steps(started)
    } catch (error) {
      isFailing = true
      await started.stop()
      throw error
    }
  }

  /** Runs a step; `end` undoes it. Throws what the step throws, or an error when everything was stopped meanwhile. */
  async step<T>(name: string, start: () => T | Promise<T>, end: (made: T) => unknown = () => {}): Promise<T> {
    if (this.#stopped) throw new Error(`stopped before ${name} was started`)
    const made = await start()
    this.#ends.push({ name, end: () => end(made) })
    if (!this.#stopped) return made
    await this.#endAll()
    throw new Error(`stopped while ${name} was starting`)
  }

  /** Undoes all steps, last first, once: later calls wait for the first. Never rejects. */
  stop(): Promise<void> {
    this.#stopped ??= this.#endAll()
    return this.#stopped
  }

  async #endAll(): Promise<void> {
    for (let last = this.#ends.pop(); last; last = this.#ends.pop()) {
      try {
        await last.end()
      } catch (error) {
        this.#onError(`${last.name} did not end well: ${messageOf(error)}`)
      }
    }
  }
}

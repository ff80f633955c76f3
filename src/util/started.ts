import { messageOf } from './errors.ts'

/**
 * The steps of a start, each with how to undo it. Stopping undoes them in reverse order, so the order is only written once. Each
 * part can rely on the parts started before it for as long as it runs.
 */
export class Started {
  readonly #ends: { readonly name: string; readonly end: () => unknown }[] = []
  readonly #onError: (message: string) => void
  #stopped: Promise<void> | undefined

  /** `onError` gets a sentence about each part that fails to stop; the others are stopped anyway. */
  constructor(onError: (message: string) => void) {
    this.#onError = onError
  }

  /** Returns what `steps` makes. If a step fails, the ones before it are undone and its error is thrown. */
  static async all<T>(onError: (message: string) => void, steps: (started: Started) => Promise<T>): Promise<T> {
    let isFailing = false
    // Report the error that made the start fail, not those that follow from it.
    const started = new Started((message) => (isFailing ? undefined : onError(message)))
    try {
      return await steps(started)
    } catch (error) {
      isFailing = true
      await started.stop()
      throw error
    }
  }

  /** Runs a step; `end` undoes it. Throws what the step throws, or an error if everything was stopped in the meantime. */
  async step<T>(name: string, start: () => T | Promise<T>, end: (made: T) => unknown = () => {}): Promise<T> {
    if (this.#stopped) throw new Error(`stopped before ${name} was started`)
    const made = await start()
    this.#ends.push({ name, end: () => end(made) })
    if (!this.#stopped) return made
    await this.#endAll()
    throw new Error(`stopped while ${name} was starting`)
  }

  /** Undoes all steps once, last first; later calls wait for the first. Never rejects. */
  stop(): Promise<void> {
    this.#stopped ??= this.#endAll()
    return this.#stopped
  }

  async #endAll(): Promise<void> {
    for (let last = this.#ends.pop(); last; last = this.#ends.pop()) {
      try {
        await last.end()
      } catch (error) {
        this.#onError(`${last.name} failed to stop: ${messageOf(error)}`)
      }
    }
  }
}

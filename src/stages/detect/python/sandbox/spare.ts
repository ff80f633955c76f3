import type { Sandbox } from './sandbox.ts'
import { beginSandbox, startSandbox } from './snapshot.ts'

/** A child that starts before it is needed; the first caller takes it. */
export class SpareSandbox {
  readonly #ended: AbortController
  #started: Promise<Sandbox> | undefined

  /** `ended` aborts the start of the child. */
  constructor(started: Promise<Sandbox>, ended: AbortController) {
    this.#started = started
    this.#ended = ended
  }

  /** Resolves when the child starts by itself. Rejects if none can be started. */
  static async begin(): Promise<SpareSandbox> {
    const ended = new AbortController()
    const { started } = await beginSandbox(ended.signal)
    return new SpareSandbox(started, ended)
  }

  /** The child, or a new one if it has been taken. Rejects if it cannot be started. */
  take(): Promise<Sandbox> {
    const started = this.#started ?? startSandbox()
    this.#started = undefined
    return started
  }

  /** Ends the child unless it has been taken. */
  async close(): Promise<void> {
    const started = this.#started
    this.#started = undefined
    if (!started) return
    this.#ended.abort()
    await started.then(
      (sandbox) => sandbox.close(),
      () => {},
    )
  }
}

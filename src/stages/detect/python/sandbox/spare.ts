import type { Sandbox } from './sandbox.ts'
import { beginSandbox, startSandbox } from './snapshot.ts'

/** A child that starts before anybody needs it, for whoever is first. */
export class SpareSandbox {
  readonly #ended: AbortController
  #started: Promise<Sandbox> | undefined

  /** `ended` ends the child while it starts. */
  constructor(started: Promise<Sandbox>, ended: AbortController) {
    this.#started = started
    this.#ended = ended
  }

  /** Resolves when the child starts by itself. Rejects when there can be none. */
  static async begin(): Promise<SpareSandbox> {
    const ended = new AbortController()
    const { started } = await beginSandbox(ended.signal)
    return new SpareSandbox(started, ended)
  }

  /** The child, or a new one when it has been taken. Rejects when it cannot be started. */
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

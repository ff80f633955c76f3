import type { Caracal } from './caracal.ts'

/** Sends numbered events to the source `web` for as long as it runs, with one request after the other on a few connections. */
export class LiveLoad {
  readonly #caracal: Caracal
  readonly #perRequest: number
  readonly #pauseMs: number
  /** Status codes other than 202. */
  readonly refused: number[] = []
  #next = 0
  #accepted = 0
  #isStopped = false
  #running: Promise<void>[] = []

  constructor(
    caracal: Caracal,
    { perSecond, perRequest, senders = 2 }: { perSecond: number; perRequest: number; senders?: number },
  ) {
    this.#caracal = caracal
    this.#perRequest = perRequest
    this.#pauseMs = (1000 * perRequest * senders) / perSecond
    this.#running = Array.from({ length: senders }, () => Promise.resolve())
  }

  /** Events that were accepted so far. */
  get accepted(): number {
    return this.#accepted
  }

  start(): void {
    this.#running = this.#running.map(() => this.#send())
  }

  /** Resolves when this many more events have been accepted. */
  async more(events: number): Promise<void> {
    const until = this.#accepted + events
    while (this.#accepted < until && !this.#isStopped) await new Promise((resolve) => setTimeout(resolve, 20))
  }

  /** Stops sending; returns the number of accepted events. */
  async stop(): Promise<number> {
    this.#isStopped = true
    await Promise.all(this.#running)
    return this.#accepted
  }

  async #send(): Promise<void> {
    let due = performance.now()
    while (!this.#isStopped) {
      const first = this.#next
      this.#next += this.#perRequest
      let body = ''
      for (let n = first; n < first + this.#perRequest; n++) body += `{"n":${n},"ip":"10.0.0.1"}\n`
      const { status } = await this.#caracal.fetch('/ingest/web', { method: 'POST', body })
      if (status === 202) this.#accepted += this.#perRequest
      else this.refused.push(status)
      due += this.#pauseMs
      const wait = due - performance.now()
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
    }
  }
}

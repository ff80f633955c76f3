import { type SystemProblem, systemProblem } from '../model/system-problem.ts'
import { messageOf } from '../util/errors.ts'
import { type Send, shownUrl } from '../util/http/send.ts'

export interface HeartbeatDeps {
  readonly url: string
  readonly send: Send
  /** False while alerts cannot be raised or sent: the missing heartbeat is then the signal. */
  readonly isAlive: () => boolean
  /** Reports what is wrong with the heartbeat itself; nothing while it works. */
  readonly onProblems: (problems: readonly SystemProblem[]) => void
}

const EVERY_MS = 60_000
const TIMEOUT_MS = 10_000
/** Consecutive failed calls before a problem is reported. */
const MAX_FAILED = 3

/** Calls a URL every minute while Caracal works, so that the service there notices when it does not. */
export class Heartbeat {
  readonly #deps: HeartbeatDeps
  readonly #stopping = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #isCalling = false
  #failed = 0

  constructor(deps: HeartbeatDeps) {
    this.#deps = deps
  }

  start(): void {
    this.#timer = setInterval(() => void this.beat(), EVERY_MS)
    this.#timer.unref()
    void this.beat()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#stopping.abort()
  }

  /** Makes one call, unless the previous one is still in progress or Caracal does not work. Never rejects. */
  async beat(): Promise<void> {
    const { isAlive, onProblems } = this.#deps
    if (this.#isCalling || !isAlive()) return
    this.#isCalling = true
    const failure = await this.#call()
    this.#isCalling = false
    if (this.#stopping.signal.aborted) return
    this.#failed = failure === undefined ? 0 : this.#failed + 1
    onProblems(this.#failed >= MAX_FAILED ? [systemProblem('HeartbeatFailed', '', this.#sentence(failure!))] : [])
  }

  /** Why it failed, or `undefined`. */
  async #call(): Promise<string | undefined> {
    try {
      const { url, send } = this.#deps
      const { status } = await send({ url, signal: this.#stopping.signal, timeoutMs: TIMEOUT_MS, maxBytes: 0 })
      if (status >= 200 && status < 300) return undefined
      const isElsewhere = status >= 300 && status < 400
      return `it answered ${status}${isElsewhere ? ', and redirects are not followed' : ''}`
    } catch (error) {
      return `it cannot be reached: ${messageOf(error)}`
    }
  }

  /** Only the host: the rest of such a URL is a secret. */
  #sentence(failure: string): string {
    return `${this.#failed} consecutive heartbeat calls to ${shownUrl(this.#deps.url)} failed, most recently because ${failure}`
  }
}

import { type SystemProblem, systemProblem } from '../model/system-problem.ts'
import { messageOf } from '../util/errors.ts'

export interface HeartbeatDeps {
  readonly url: string
  readonly fetch: typeof fetch
  /** False while alerts cannot be made or sent: then silence is what must be noticed. */
  readonly isAlive: () => boolean
  /** What is wrong with the heartbeat itself now. */
  readonly onProblems: (problems: readonly SystemProblem[]) => void
}

const EVERY_MS = 60_000
const TIMEOUT_MS = 10_000
/** So many calls in a row must fail before it is a problem. */
export const MAX_FAILED = 3

/** Calls an address each minute while Caracal works, so that somebody else notices when it does not. */
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

  /** One call, unless the last one is still under way or Caracal does not work. Never rejects. */
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
      const response = await this.#deps.fetch(this.#deps.url, {
        redirect: 'manual',
        signal: AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(TIMEOUT_MS)]),
      })
      await response.body?.cancel().catch(() => {})
      if (response.ok) return undefined
      const isElsewhere = response.status >= 300 && response.status < 400
      return `it answered ${response.status}${isElsewhere ? ', and redirects are not followed' : ''}`
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : ''
      return `it cannot be reached: ${messageOf(error)}${cause}`
    }
  }

  /** Names the host alone: the rest of such an address is a secret. */
  #sentence(failure: string): string {
    return `${this.#failed} calls in a row of the heartbeat's address at ${new URL(this.#deps.url).host} failed; ${failure}`
  }
}

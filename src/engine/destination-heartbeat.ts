import { type SystemProblem, systemProblem } from '../model/system-problem.ts'
import type { Destination } from '../stages/deliver/destination.ts'
import { heartbeatAlert } from '../stages/deliver/test-alert.ts'
import { messageOf } from '../util/errors.ts'

export interface DestinationHeartbeatDeps {
  /** The destination's id. */
  readonly id: string
  readonly destination: Pick<Destination, 'send'>
  readonly everyMs: number
  /** For links. */
  readonly baseUrl: string
  readonly now: () => number
  /** False while alerts cannot be raised or sent: the missing heartbeat is then the signal. */
  readonly isAlive: () => boolean
  /** Reports that the destination misses heartbeats; nothing once it has got one. */
  readonly onProblems: (problems: readonly SystemProblem[]) => void
}

const TIMEOUT_MS = 60_000
/** A heartbeat that failed is sent again after this, until the next one is due. */
const RETRY_MS = 60_000

/**
 * Sends a destination a message at the start and regularly after it, so that whoever reads there notices when Caracal, or the way there,
 * does not work. It is not an alert: it is not stored, counted or rate-limited.
 */
export class DestinationHeartbeat {
  readonly #deps: DestinationHeartbeatDeps
  readonly #stopping = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #isSending = false
  #dueMs: number

  constructor(deps: DestinationHeartbeatDeps) {
    this.#deps = deps
    this.#dueMs = deps.now()
  }

  start(): void {
    this.#timer = setInterval(() => void this.beat(), Math.min(RETRY_MS, this.#deps.everyMs))
    this.#timer.unref()
    void this.beat()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#stopping.abort()
  }

  /** Sends a heartbeat if one is due and Caracal works. Never rejects. */
  async beat(): Promise<void> {
    const { id, destination, everyMs, baseUrl, now, isAlive, onProblems } = this.#deps
    const nowMs = now()
    // A clock that was set back must not stop heartbeats.
    if (this.#isSending || !isAlive() || (nowMs < this.#dueMs && this.#dueMs - nowMs <= everyMs)) return
    this.#isSending = true
    const alert = heartbeatAlert(nowMs, everyMs, baseUrl)
    try {
      const signal = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(TIMEOUT_MS)])
      await destination.send({ id: alert.alertId, kind: 'test', alert }, signal)
      this.#dueMs = nowMs + everyMs
      onProblems([])
    } catch (error) {
      if (this.#stopping.signal.aborted) return
      const message = `Destination ${id} missed its heartbeat: ${messageOf(error)}`
      onProblems([systemProblem('HeartbeatFailed', id, message, { notTo: [id] })])
    } finally {
      this.#isSending = false
    }
  }
}

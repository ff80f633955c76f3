import type { DeliveryResult } from '../model/batch.ts'
import type { Destination } from '../stages/deliver/destination.ts'
import { messageOf, Refused, RetryLater } from '../util/errors.ts'

/** A delivery that is due. */
export interface DueDelivery {
  readonly deliveryId: string
  readonly alertId: string
  readonly destination: string
  readonly tries: number
  readonly body: string
}

export interface DelivererDeps {
  readonly destinations: ReadonlyMap<string, Destination>
  /** Due deliveries, at most `limit` of each destination, oldest first, without those of the ids given. */
  readonly due: (nowMs: number, limit: number, except: readonly string[]) => Promise<readonly DueDelivery[]>
  readonly save: (result: DeliveryResult) => Promise<void>
  readonly now: () => number
  readonly retryMinMs: number
  readonly retryMaxMs: number
  readonly onResult: (destination: string, outcome: 'delivered' | 'retried' | 'dead') => void
  readonly onTrouble: (message: string | undefined) => void
}

/** After this many tries a delivery is dead: it stays visible, and people are told. */
export const MAX_TRIES = 10
/** Tries under way at the same time, per destination: a slow one uses up only its own. */
const AT_ONCE = 16
const CHECK_MS = 500
/** A destination that does not even let go of a try that was ended is not waited for. */
const LAST_GRACE_MS = 1000

/** Sends what the outbox of deliveries holds, at least once each, with back-off. Slow destinations do not stop others. */
export class Deliverer {
  readonly #deps: DelivererDeps
  readonly #underWay = new Map<string, { readonly destination: string; readonly done: Promise<void> }>()
  readonly #stopping = new AbortController()
  /** The grace time is over. */
  readonly #ending = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #stopped: Promise<void> | undefined
  #looking: Promise<void> | undefined
  #again = false
  readonly #troubles = new Map<string, string>()

  constructor(deps: DelivererDeps) {
    this.#deps = deps
  }

  start(): void {
    this.#timer = setInterval(() => this.wake(), CHECK_MS)
    this.wake()
  }

  /** New deliveries may be due. */
  wake(): void {
    if (this.#stopping.signal.aborted) return
    if (this.#looking) {
      this.#again = true
      return
    }
    this.#looking = this.#look()
      .then(() => this.#tell('read', undefined))
      .catch((error: unknown) => this.#tell('read', `Deliveries cannot be read: ${messageOf(error)}`))
      .finally(() => {
        this.#looking = undefined
        if (this.#again) {
          this.#again = false
          this.wake()
        }
      })
  }

  /**
   * Waits for the tries under way, at most `graceMs`, then ends them; they are made again after the next start. Further calls wait
   * for the first one.
   */
  stop(graceMs = 5000): Promise<void> {
    this.#stopped ??= this.#stop(graceMs)
    return this.#stopped
  }

  async #stop(graceMs: number): Promise<void> {
    clearInterval(this.#timer)
    this.#stopping.abort()
    await this.#looking
    await this.#settled(graceMs)
    this.#ending.abort()
    await this.#settled(LAST_GRACE_MS)
    await Promise.all([...this.#deps.destinations.values()].map((destination) => destination.close()))
  }

  async #settled(atMostMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const time = new Promise((resolve) => {
      timer = setTimeout(resolve, atMostMs)
    })
    await Promise.race([Promise.allSettled([...this.#underWay.values()].map(({ done }) => done)), time])
    clearTimeout(timer)
  }

  async #look(): Promise<void> {
    const busy = new Map<string, number>()
    for (const { destination } of this.#underWay.values()) busy.set(destination, (busy.get(destination) ?? 0) + 1)
    const due = await this.#deps.due(this.#deps.now(), AT_ONCE, [...this.#underWay.keys()])
    for (const delivery of due) {
      if (this.#stopping.signal.aborted) return
      const { deliveryId, destination } = delivery
      const n = busy.get(destination) ?? 0
      if (n >= AT_ONCE || this.#underWay.has(deliveryId)) continue
      busy.set(destination, n + 1)
      const done = this.#try(delivery)
        .catch((error: unknown) => this.#tell('write', `A delivery could not be followed up: ${messageOf(error)}`))
        .finally(() => {
          this.#underWay.delete(deliveryId)
          this.wake()
        })
      this.#underWay.set(deliveryId, { destination, done })
    }
  }

  async #try(delivery: DueDelivery): Promise<void> {
    const { destinations, now, onResult } = this.#deps
    const { deliveryId, alertId, destination: name, body } = delivery
    const tries = delivery.tries + 1
    let result: DeliveryResult
    try {
      const destination = destinations.get(name)
      if (!destination) throw new Refused(`there is no destination '${name}' in the configuration any more`)
      // Not the stopping signal: a try under way may still succeed within the grace time.
      await destination.send(
        { id: deliveryId, alertId, body },
        AbortSignal.any([this.#ending.signal, AbortSignal.timeout(120_000)]),
      )
      result = { deliveryId, kind: 'delivered', tries, nowMs: now() }
    } catch (error) {
      result = this.#failure(deliveryId, tries, error)
    }
    await this.#note(result)
    onResult(name, result.kind === 'again' ? 'retried' : result.kind)
  }

  /** Writes a result, again until it is written: a delivery whose result is not noted would be sent again and again. */
  async #note(result: DeliveryResult): Promise<void> {
    const { save, retryMinMs, retryMaxMs } = this.#deps
    for (let tries = 0; ; tries++) {
      try {
        await save(result)
        this.#tell('write', undefined)
        return
      } catch (error) {
        this.#tell('write', `The result of a delivery cannot be written: ${messageOf(error)}`)
        // At the stop: it is sent again after the next start with the same id, which receivers drop.
        if (this.#stopping.signal.aborted) return
        await pause(Math.min(retryMaxMs, retryMinMs * 2 ** Math.min(tries, 30)), this.#stopping.signal)
      }
    }
  }

  /** One of the two kinds of trouble is here, or over. */
  #tell(kind: 'read' | 'write', message: string | undefined): void {
    const before = this.#troubles.get(kind)
    if (before === message) return
    if (message === undefined) this.#troubles.delete(kind)
    else this.#troubles.set(kind, message)
    this.#deps.onTrouble([...this.#troubles.values()].join('; ') || undefined)
  }

  #failure(deliveryId: string, tries: number, error: unknown): DeliveryResult {
    const { now, retryMinMs, retryMaxMs } = this.#deps
    const text = messageOf(error)
    if (error instanceof Refused) return { deliveryId, kind: 'dead', tries, error: text, nowMs: now() }
    if (tries >= MAX_TRIES)
      return { deliveryId, kind: 'dead', tries, error: `${text} (given up after ${tries} tries)`, nowMs: now() }
    const wait = Math.min(retryMaxMs, retryMinMs * 2 ** (tries - 1))
    const asked = error instanceof RetryLater ? (error.afterMs ?? 0) : 0
    return { deliveryId, kind: 'again', tries, nextMs: now() + Math.max(wait, asked), error: text }
  }
}

/** Waits, at most until the signal. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done)
    if (signal.aborted) done()
  })
}

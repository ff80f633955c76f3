import type { DeliveryResult } from '../model/batch.ts'
import { readDeliveryBody } from '../stages/deliver/body.ts'
import type { Destination } from '../stages/deliver/destination.ts'
import { isFollowUp } from '../stages/deliver/text.ts'
import { messageOf, Refused, RetryLater } from '../util/errors.ts'
import { pause } from '../util/pause.ts'

export interface DueDelivery {
  readonly deliveryId: string
  readonly alertId: string
  readonly destination: string
  /** Attempts so far. */
  readonly tries: number
  /** As stored in state: `readDeliveryBody` reads it. */
  readonly body: string
}

export interface DelivererDeps {
  readonly destinations: ReadonlyMap<string, Destination>
  /** Due deliveries, at most `limit` per destination, oldest first, except the given ids. */
  readonly due: (nowMs: number, limit: number, except: readonly string[]) => Promise<readonly DueDelivery[]>
  /** What the destination returned for an earlier delivery of the alert. */
  readonly reference: (alertId: string, destination: string) => Promise<string | undefined>
  readonly save: (result: DeliveryResult) => Promise<void>
  readonly now: () => number
  readonly retryMinMs: number
  readonly retryMaxMs: number
  readonly onResult: (destination: string, outcome: 'delivered' | 'retried' | 'dead') => void
  readonly onTrouble: (message: string | undefined) => void
}

/** After this number of attempts a delivery is dead: it stays visible, and a system alert reports it. */
export const MAX_TRIES = 10
/** Concurrent attempts per destination, so that a slow one delays no other. */
const AT_ONCE = 16
/** New deliveries wake it; retries wait for this. */
const CHECK_MS = 1000
/** Time limit of one attempt, whatever the destination's own limit. */
const MAX_TRY_MS = 120_000
/** How long a destination may take to end aborted attempts. */
const LAST_GRACE_MS = 1000

/** Sends each due delivery at least once, with back-off. A slow destination does not delay the others. */
export class Deliverer {
  readonly #deps: DelivererDeps
  readonly #underWay = new Map<string, { readonly destination: string; readonly done: Promise<void> }>()
  readonly #stopping = new AbortController()
  /** Aborted when the grace time is over. */
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

  /** Looks for due deliveries. */
  wake(): void {
    if (this.#stopping.signal.aborted) return
    if (this.#looking) {
      this.#again = true
      return
    }
    this.#looking = this.#look()
      .then(() => this.#report('read', undefined))
      .catch((error: unknown) => this.#report('read', `Deliveries cannot be read: ${messageOf(error)}`))
      .finally(() => {
        this.#looking = undefined
        if (this.#again) {
          this.#again = false
          this.wake()
        }
      })
  }

  /**
   * Waits up to `graceMs` for attempts in progress, then aborts them; they are repeated after the next start. Further calls wait for the
   * first one.
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
        .catch((error: unknown) => this.#report('write', `The result of a delivery cannot be recorded: ${messageOf(error)}`))
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
      if (!destination) throw new Refused(`the configuration no longer has a destination '${name}'`)
      // Not the stopping signal: an attempt in progress may still succeed within the grace time.
      const signal = AbortSignal.any([this.#ending.signal, AbortSignal.timeout(MAX_TRY_MS)])
      const content = readDeliveryBody(body)
      const before = isFollowUp(content.kind) ? await this.#deps.reference(alertId, name) : undefined
      const reference = (await destination.send({ id: deliveryId, ...content, reference: before }, signal)) ?? undefined
      result = { deliveryId, kind: 'delivered', tries, nowMs: now(), reference }
    } catch (error) {
      result = this.#failure(deliveryId, tries, error)
    }
    await this.#save(result)
    onResult(name, result.kind === 'again' ? 'retried' : result.kind)
  }

  /** Retries until the result is saved: without it the delivery would be sent over and over. */
  async #save(result: DeliveryResult): Promise<void> {
    const { save, retryMinMs, retryMaxMs } = this.#deps
    for (let tries = 0; ; tries++) {
      try {
        await save(result)
        this.#report('write', undefined)
        return
      } catch (error) {
        this.#report('write', `The result of a delivery cannot be saved: ${messageOf(error)}`)
        // While stopping: it is sent again after the next start, with the same id, which receivers recognise as a duplicate.
        if (this.#stopping.signal.aborted) return
        await pause(Math.min(retryMaxMs, retryMinMs * 2 ** Math.min(tries, 30)), this.#stopping.signal)
      }
    }
  }

  /** Reports that reading or saving deliveries fails, or, with `undefined`, that it works again. */
  #report(kind: 'read' | 'write', message: string | undefined): void {
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
      return { deliveryId, kind: 'dead', tries, error: `${text} (abandoned after ${tries} attempts)`, nowMs: now() }
    const wait = Math.min(retryMaxMs, retryMinMs * 2 ** (tries - 1))
    const asked = error instanceof RetryLater ? (error.afterMs ?? 0) : 0
    return { deliveryId, kind: 'again', tries, nextMs: now() + Math.max(wait, asked), error: text }
  }
}

import type { DeliveryResult } from '../model/batch.ts'
import { readDeliveryBody } from '../stages/deliver/body.ts'
import type { Destination } from '../stages/deliver/destination.ts'
import { digestAlert, severityRank } from '../stages/deliver/digest.ts'
import { isFollowUp } from '../stages/deliver/text.ts'
import { messageOf, Refused, RetryLater } from '../util/errors.ts'
import { hash16 } from '../util/hash.ts'
import { pause } from '../util/pause.ts'
import { DeliveryRate } from './delivery-rate.ts'

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
  readonly save: (results: readonly DeliveryResult[]) => Promise<void>
  /** Destination → messages per minute. Absent: as many as there are. */
  readonly perMinute?: ReadonlyMap<string, number>
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
/** Deliveries that one digest may carry. */
const MAX_DIGEST = 500
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
  readonly #rates = new Map<string, DeliveryRate>()
  readonly #troubles = new Map<string, string>()

  constructor(deps: DelivererDeps) {
    this.#deps = deps
    for (const [name, perMinute] of deps.perMinute ?? []) this.#rates.set(name, new DeliveryRate(perMinute, deps.now()))
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
    const due = await this.#due(AT_ONCE)
    const limited = [...due].some(([name, list]) => this.#rates.has(name) && list.length >= AT_ONCE)
    // Only a digest takes more than can be sent at once.
    const all = limited ? await this.#due(MAX_DIGEST) : due
    for (const [destination, list] of all) {
      if (this.#stopping.signal.aborted) return
      const free = AT_ONCE - this.#busy(destination)
      if (free < 1) continue
      const rate = this.#rates.get(destination)
      const { single, digest } = rate?.plan(list.length, free, this.#deps.now()) ?? { single: free, digest: false }
      const { ones, rest } = digest ? parted(list, single) : { ones: list.slice(0, single), rest: [] }
      for (const one of ones) this.#begin([one], () => this.#try(one))
      if (rest.length > 0) this.#begin(rest, () => this.#tryDigest(rest))
    }
  }

  /** Due deliveries by destination, without those that are being sent. */
  async #due(limit: number): Promise<Map<string, DueDelivery[]>> {
    const due = await this.#deps.due(this.#deps.now(), limit, [...this.#underWay.keys()])
    const byDestination = new Map<string, DueDelivery[]>()
    for (const one of due) {
      if (this.#underWay.has(one.deliveryId)) continue
      const list = byDestination.get(one.destination)
      if (list) list.push(one)
      else byDestination.set(one.destination, [one])
    }
    return byDestination
  }

  /** Attempts in progress; a digest is one. */
  #busy(name: string): number {
    return new Set([...this.#underWay.values()].filter(({ destination }) => destination === name).map(({ done }) => done)).size
  }

  #begin(deliveries: readonly DueDelivery[], send: () => Promise<void>): void {
    const done = send()
      .catch((error: unknown) => this.#report('write', `The result of a delivery cannot be recorded: ${messageOf(error)}`))
      .finally(() => {
        for (const { deliveryId } of deliveries) this.#underWay.delete(deliveryId)
        this.wake()
      })
    for (const { deliveryId, destination } of deliveries) this.#underWay.set(deliveryId, { destination, done })
  }

  async #try(delivery: DueDelivery): Promise<void> {
    const { deliveryId, alertId, destination: name, body } = delivery
    const [result] = await this.#results([delivery], async (destination, signal) => {
      const content = readDeliveryBody(body)
      const before = isFollowUp(content.kind) ? await this.#deps.reference(alertId, name) : undefined
      const sent = (await destination.send({ id: deliveryId, ...content, reference: before }, signal)) ?? undefined
      return { reference: sent }
    })
    await this.#save([result!])
  }

  /** One message for many deliveries. They succeed or fail together. */
  async #tryDigest(deliveries: readonly DueDelivery[]): Promise<void> {
    const id = hash16('digest', ...deliveries.map(({ deliveryId }) => deliveryId))
    const results = await this.#results(deliveries, async (destination, signal) => {
      const alerts = deliveries.map(({ body }) => readDeliveryBody(body).alert)
      await destination.send({ id, kind: 'digest', alert: digestAlert(alerts, id, this.#deps.now()) }, signal)
      return { digestId: id }
    })
    await this.#save(results)
  }

  /** Makes one attempt for these deliveries, all to one destination; it gives each of them the same result. */
  async #results(
    deliveries: readonly DueDelivery[],
    send: (destination: Destination, signal: AbortSignal) => Promise<{ reference?: string | undefined; digestId?: string }>,
  ): Promise<readonly DeliveryResult[]> {
    const { destinations, now, onResult } = this.#deps
    const name = deliveries[0]!.destination
    let results: readonly DeliveryResult[]
    try {
      const destination = destinations.get(name)
      if (!destination) throw new Refused(`the configuration no longer has a destination '${name}'`)
      // Not the stopping signal: an attempt in progress may still succeed within the grace time.
      const signal = AbortSignal.any([this.#ending.signal, AbortSignal.timeout(MAX_TRY_MS)])
      const outcome = await send(destination, signal)
      results = deliveries.map(({ deliveryId, tries }) => ({
        deliveryId,
        kind: 'delivered',
        tries: tries + 1,
        nowMs: now(),
        ...outcome,
      }))
    } catch (error) {
      results = deliveries.map(({ deliveryId, tries }) => this.#failure(deliveryId, tries + 1, error))
    }
    for (const { kind } of results) onResult(name, kind === 'again' ? 'retried' : kind)
    return results
  }

  /** Retries until the result is saved: without it the delivery would be sent over and over. */
  async #save(results: readonly DeliveryResult[]): Promise<void> {
    const { save, retryMinMs, retryMaxMs } = this.#deps
    for (let tries = 0; ; tries++) {
      try {
        await save(results)
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

/**
 * Those to send one by one, and those for the digest. A resolved alert ends something at the receiver, so it is never in a digest; it
 * waits if there are too many. The most severe alerts are sent one by one.
 */
function parted(
  due: readonly DueDelivery[],
  single: number,
): { readonly ones: readonly DueDelivery[]; readonly rest: readonly DueDelivery[] } {
  const read = due.map((one) => ({ one, content: contentOf(one) }))
  const digestible = read.filter(({ content }) => content !== undefined && content.kind !== 'resolved')
  const others = read.filter(({ content }) => content === undefined || content.kind === 'resolved')
  digestible.sort((a, b) => severityRank(b.content!.alert.severity) - severityRank(a.content!.alert.severity))
  const sorted = [...others.slice(0, single), ...digestible]
  return { ones: sorted.slice(0, single).map(({ one }) => one), rest: sorted.slice(single).map(({ one }) => one) }
}

/** `undefined` if it cannot be read: the attempt to send it says why. */
function contentOf({ body }: DueDelivery) {
  try {
    return readDeliveryBody(body)
  } catch {
    return undefined
  }
}

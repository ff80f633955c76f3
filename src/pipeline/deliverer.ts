import type { AlertProgress } from '../model/alert-work.ts'
import type { DeliveryResult } from '../model/batch.ts'
import { readDeliveryBody } from '../stages/deliver/body.ts'
import type { Destination } from '../stages/deliver/destination.ts'
import { digestAlert } from '../stages/deliver/digest.ts'
import { readRowsMail } from '../stages/deliver/rows-message.ts'
import { isFollowUp } from '../stages/deliver/text.ts'
import { messageOf, Refused, RetryLater } from '../util/errors.ts'
import { hash16 } from '../util/hash.ts'
import { pause } from '../util/pause.ts'
import { DeliveryRate } from './delivery-rate.ts'

export interface DueDelivery {
  readonly deliveryId: string
  readonly alertId: string
  readonly destination: string
  /** When it was created, or made due again after it was given up. */
  readonly createdMs: number
  /** Attempts so far. */
  readonly tries: number
  /** As stored in state: `readDeliveryBody` reads it, and `readRowsMail` that of rows. */
  readonly body: string
  /** It mails rows of a query, and is about no alert. Absent: false. */
  readonly isRows?: boolean
}

/** The deliveries that wait. `except` lists the ids of those that are being sent. */
export interface DeliveryQueue {
  /** Names of destinations that deliveries wait for, due or not. */
  destinations(): Promise<readonly string[]>
  /** Number of due deliveries; counts no further than `limit`. */
  count(destination: string, nowMs: number, limit: number, except: readonly string[]): Promise<number>
  /**
   * At most `limit` due deliveries, those of the most severe alerts first, then the oldest. `alone`: only those that no digest can
   * carry, because they change what the receiver has of an alert.
   */
  due(
    destination: string,
    nowMs: number,
    limit: number,
    except: readonly string[],
    kind: 'alone' | 'others' | 'all',
  ): Promise<readonly DueDelivery[]>
}

export interface DelivererDeps {
  readonly destinations: ReadonlyMap<string, Destination>
  readonly queue: DeliveryQueue
  /** What the destination returned for an earlier delivery of the alert. */
  readonly reference: (alertId: string, destination: string) => Promise<string | undefined>
  /** What people have done about the alert so far; `undefined` if it was deleted. */
  readonly progress: (alertId: string) => Promise<AlertProgress | undefined>
  readonly save: (results: readonly DeliveryResult[]) => Promise<void>
  /** Destination → messages per minute. Absent: as many as there are. */
  readonly perMinute?: ReadonlyMap<string, number>
  /** Resolves if this process may send; rejects if another one may be doing so. Asked just before each attempt. Absent: always. */
  readonly sure?: (() => Promise<void>) | undefined
  readonly now: () => number
  readonly retryMinMs: number
  readonly retryMaxMs: number
  readonly onResult: (destination: string, outcome: 'delivered' | 'retried' | 'dead') => void
  readonly onTrouble: (message: string | undefined) => void
}

/** After this number of attempts a delivery is dead: it stays visible, and a system alert reports it. */
export const MAX_TRIES = 10
/**
 * After this time a delivery whose receiver still asks for a wait is dead, too: otherwise one that always does would keep alerts back without
 * anybody learning of it.
 */
export const MAX_BUSY_MS = 24 * 3_600_000
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
  /** Destinations that refused a digest since the start; they get alerts one by one, within their rate. */
  readonly #singly = new Set<string>()
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
    for (const destination of await this.#deps.queue.destinations()) {
      if (this.#stopping.signal.aborted) return
      const free = AT_ONCE - this.#busy(destination)
      if (free < 1) continue
      const nowMs = this.#deps.now()
      const { ones, rest } = await this.#next(destination, free, nowMs)
      if (this.#stopping.signal.aborted) return
      for (const one of ones) this.#begin([one], () => this.#try(one))
      if (rest.length > 0) this.#begin(rest, () => this.#tryDigest(rest))
    }
  }

  /** What to send to the destination now. Reads no delivery that cannot be sent. */
  async #next(destination: string, free: number, nowMs: number): Promise<Parts> {
    const { queue } = this.#deps
    const except = [...this.#underWay].flatMap(([id, one]) => (one.destination === destination ? [id] : []))
    const rate = this.#rates.get(destination)
    if (!rate) return { ones: await queue.due(destination, nowMs, free, except, 'all'), rest: [] }
    const allowed = rate.allowed(nowMs)
    if (allowed < 1) return NOTHING
    const waiting = await queue.count(destination, nowMs, Math.min(allowed, MAX_DIGEST) + 1, except)
    const plan = this.#singly.has(destination) ? 'single' : rate.plan(waiting, nowMs)
    if (plan === 'wait') return NOTHING
    const most = Math.min(allowed, free)
    if (plan === 'single') {
      const ones = await queue.due(destination, nowMs, most, except, 'all')
      rate.sent(ones.length, 'none', nowMs)
      return { ones, rest: [] }
    }
    const alone = await queue.due(destination, nowMs, most, except, 'alone')
    const others = await queue.due(destination, nowMs, MAX_DIGEST, except, 'others')
    const isTurn = !rate.isAfterDigest
    const readable = others.filter(isReadable)
    const { ones, rest } = parted(alone, readable, most, isTurn)
    rate.sent(ones.length, rest.length === 0 ? 'none' : others.length < MAX_DIGEST ? 'whole' : 'full', nowMs)
    // The attempt to send an unreadable one sends nothing: it fails, and says why.
    return { ones: [...ones, ...others.filter((one) => !isReadable(one)).slice(0, free)], rest }
  }

  /** Attempts in progress; a digest is one. */
  #busy(name: string): number {
    return new Set([...this.#underWay.values()].filter(({ destination }) => destination === name).map(({ done }) => done)).size
  }

  #begin(deliveries: readonly DueDelivery[], send: () => Promise<void>): void {
    const done = this.#whenSure(send)
      .catch((error: unknown) => this.#report('write', `The result of a delivery cannot be recorded: ${messageOf(error)}`))
      .finally(() => {
        for (const { deliveryId } of deliveries) this.#underWay.delete(deliveryId)
        this.wake()
      })
    for (const { deliveryId, destination } of deliveries) this.#underWay.set(deliveryId, { destination, done })
  }

  /** What was due when it was read may have been sent by another process since. */
  async #whenSure(send: () => Promise<void>): Promise<void> {
    try {
      await this.#deps.sure?.()
    } catch (error) {
      this.#report('lease', messageOf(error))
      // Otherwise it would be tried again at once.
      await pause(this.#deps.retryMinMs, this.#stopping.signal)
      return
    }
    this.#report('lease', undefined)
    if (!this.#stopping.signal.aborted) await send()
  }

  /** The process may have been stopped since the attempt began. */
  async #stillSure(): Promise<void> {
    await this.#deps.sure?.().catch((error: unknown) => {
      throw new RetryLater(messageOf(error), this.#deps.retryMinMs, { cause: error })
    })
  }

  async #try(delivery: DueDelivery): Promise<void> {
    const { deliveryId, alertId, destination: name, body } = delivery
    const [result] = await this.#results([delivery], async (destination, signal) => {
      if (delivery.isRows) {
        await this.#stillSure()
        return mailRows(destination, delivery, signal)
      }
      const content = readDeliveryBody(body)
      const before = isFollowUp(content.kind) ? await this.#deps.reference(alertId, name) : undefined
      // As it is now, not as it was: what is shown must not be set back by a delivery that had to wait.
      const progress = content.kind === 'changed' ? await this.#deps.progress(alertId) : undefined
      await this.#stillSure()
      const sent = (await destination.send({ id: deliveryId, ...content, reference: before, progress }, signal)) ?? undefined
      return { reference: sent }
    })
    await this.#save([result!])
  }

  /** One message for many deliveries. They succeed or fail together. */
  async #tryDigest(deliveries: readonly DueDelivery[]): Promise<void> {
    const id = hash16('digest', ...deliveries.map(({ deliveryId }) => deliveryId))
    const results = await this.#results(deliveries, async (destination, signal) => {
      const alerts = deliveries.map(({ body }) => readDeliveryBody(body).alert)
      await this.#stillSure()
      try {
        await destination.send({ id, kind: 'digest', alert: digestAlert(alerts, id, this.#deps.now()) }, signal)
      } catch (error) {
        if (!(error instanceof Refused)) throw error
        // The receiver may only know alerts, or smaller messages: that is no reason to give up all of them.
        this.#singly.add(deliveries[0]!.destination)
        const message = `a digest of ${alerts.length} alerts was refused, so they are sent one by one: ${error.message}`
        throw new RetryLater(message, undefined, { cause: error })
      }
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
      results = deliveries.map((delivery) => this.#failure(delivery, error))
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

  /** Reports that reading, sending or saving deliveries is not possible, or, with `undefined`, that it is again. */
  #report(kind: 'read' | 'write' | 'lease', message: string | undefined): void {
    const before = this.#troubles.get(kind)
    if (before === message) return
    if (message === undefined) this.#troubles.delete(kind)
    else this.#troubles.set(kind, message)
    this.#deps.onTrouble([...this.#troubles.values()].join('; ') || undefined)
  }

  #failure({ deliveryId, createdMs, tries: before }: DueDelivery, error: unknown): DeliveryResult {
    const { now, retryMinMs, retryMaxMs } = this.#deps
    const text = messageOf(error)
    const asked = error instanceof RetryLater ? error.afterMs : undefined
    // A receiver that says when to come again works, and is only busy: a long storm must not use up the attempts.
    if (asked !== undefined) {
      const nowMs = now()
      if (nowMs - createdMs < MAX_BUSY_MS)
        return { deliveryId, kind: 'again', tries: before, nextMs: nowMs + Math.max(retryMinMs, asked), error: text }
      const hours = MAX_BUSY_MS / 3_600_000
      return {
        deliveryId,
        kind: 'dead',
        tries: before + 1,
        error: `${text} (abandoned: it still asked for a wait after ${hours} hours)`,
        nowMs,
      }
    }
    const tries = before + 1
    if (error instanceof Refused) return { deliveryId, kind: 'dead', tries, error: text, nowMs: now() }
    if (tries >= MAX_TRIES)
      return { deliveryId, kind: 'dead', tries, error: `${text} (abandoned after ${tries} attempts)`, nowMs: now() }
    const wait = Math.min(retryMaxMs, retryMinMs * 2 ** (tries - 1))
    return { deliveryId, kind: 'again', tries, nextMs: now() + wait, error: text }
  }
}

/** Mails rows of a query. */
async function mailRows(destination: Destination, { deliveryId, destination: name, body }: DueDelivery, signal: AbortSignal) {
  if (!destination.mail) throw new Refused(`destination '${name}' sends no mail: it was of type email before`)
  await destination.mail(deliveryId, readRowsMail(body), signal)
  return {}
}

/** Deliveries to send one by one, and those for a digest. */
interface Parts {
  readonly ones: readonly DueDelivery[]
  readonly rest: readonly DueDelivery[]
}

const NOTHING: Parts = { ones: [], rest: [] }

/**
 * Divides deliveries, the most urgent first, among `most` messages, of which a digest is one. Those that end or change something at the
 * receiver are never in a digest; they wait if there are too many. The most severe of the others are sent one by one. If there is
 * only one message, it is a digest if `isTurn`; otherwise one that goes alone is first, so that neither keeps the other waiting forever.
 */
function parted(alone: readonly DueDelivery[], others: readonly DueDelivery[], most: number, isTurn: boolean): Parts {
  const kept = others.length === 0 || (most === 1 && !isTurn) ? 0 : 1
  const first = alone.slice(0, most - kept)
  const left = most - first.length
  if (others.length <= left) return { ones: [...first, ...others], rest: [] }
  if (left === 0) return { ones: first, rest: [] }
  return { ones: [...first, ...others.slice(0, left - 1)], rest: others.slice(left - 1) }
}

function isReadable({ body }: DueDelivery): boolean {
  try {
    readDeliveryBody(body)
    return true
  } catch {
    return false
  }
}

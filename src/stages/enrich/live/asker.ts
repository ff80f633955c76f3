import { messageOf } from '../../../util/errors.ts'
import { retryAfterMs } from '../../../util/http/retry-after.ts'
import type { HttpAnswer, Send } from '../../../util/http/send.ts'
import { shownUrl } from '../../../util/http/send.ts'
import type { ApiKeys } from '../api-keys.ts'
import { authorize } from '../auth.ts'
import type { KeeperClock } from '../keeper-types.ts'
import type { AnswerFile } from './answer-file.ts'
import type { LogLine } from './answer-log.ts'
import { Breaker } from './breaker.ts'
import type { LiveStatus } from './live-status.ts'
import { type Limits, Pace } from './pace.ts'
import type { Service, ServiceRequest, Verdicts } from './services/service.ts'
import { Waiting } from './waiting.ts'

export interface AskerOptions {
  readonly service: Service
  /** URL of the service without a trailing slash. */
  readonly base: string
  /** Name of its key; `undefined`: it is used without one. */
  readonly key: string | undefined
  readonly keys: ApiKeys
  readonly limits: Limits
  readonly ttlMs: number
  readonly negativeTtlMs: number
  readonly maxWaiting: number
  readonly file: AnswerFile
  readonly send: Send
  readonly clock: KeeperClock
  /** Rows were added, changed or removed. */
  readonly onRows: () => void
  /** Addresses that were waiting at the last end. */
  readonly waiting: readonly string[]
}

/** Requests at the same time. */
const MAX_AT_ONCE = 4
const TIMEOUT_MS = 20_000
const MAX_BYTES = 16 * 1024 * 1024
const KEY_PAUSE_MS = 3_600_000
/** How often expired answers are looked for. */
const SWEEP_MS = 60_000

/** Asks a service about the addresses that a live table misses, within its limits, and stores the answers. Never rejects. */
export class Asker {
  readonly #options: AskerOptions
  readonly #waiting: Waiting
  readonly #pace: Pace
  readonly #breaker = new Breaker()
  readonly #asking = new Set<string>()
  readonly #requests = new Set<Promise<void>>()
  readonly #stopping = new AbortController()
  #lastError: string | undefined
  #isKeyRefused = false
  #cancelTimer: (() => void) | undefined
  #cancelSweep: (() => void) | undefined
  #sweeping: Promise<void> | undefined

  constructor(options: AskerOptions) {
    this.#options = options
    this.#waiting = new Waiting(options.maxWaiting)
    this.#pace = new Pace(options.limits, options.file.log)
    for (const address of options.waiting) this.#waiting.add(address)
  }

  /** Removes what has expired, then begins to ask. */
  async start(): Promise<void> {
    await this.#sweep()
    this.#pump()
  }

  /** Addresses that occurred in events and are not in the table. */
  missed(addresses: readonly string[], passedOver: number): void {
    const nowMs = this.#now()
    this.#waiting.passOver(passedOver)
    for (const address of addresses) if (this.#isWanted(address, nowMs)) this.#waiting.add(address)
    this.#pump()
  }

  /** Does not wait for the end of a pause that failures or a refused key have caused. */
  retry(): void {
    this.#isKeyRefused = false
    this.#breaker.succeeded()
    this.#pump()
  }

  status(): LiveStatus {
    const nowMs = this.#now()
    const { service, file } = this.#options
    return {
      service: service.type,
      answers: file.log.answers.size,
      askedToday: file.log.askedOn(nowMs),
      leftToday: this.#pace.leftToday(nowMs),
      waiting: this.#waiting.size,
      passedOver: this.#waiting.passedOver,
      breaker: this.#breaker.state(nowMs),
      isKeyRefused: this.#isKeyRefused,
      lastError: this.#lastError,
    }
  }

  /** Addresses still to be asked for, the most important last. */
  waiting(): readonly string[] {
    return this.#waiting.list()
  }

  /** Resolves when no request is in progress and nothing is being stored. */
  async settled(): Promise<void> {
    await this.#sweeping
    while (this.#requests.size > 0) await Promise.all(this.#requests)
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#cancelTimer?.()
    this.#cancelSweep?.()
    await this.settled()
    await this.#options.file.close()
  }

  #now(): number {
    return this.#options.clock.now()
  }

  #isWanted(address: string, nowMs: number): boolean {
    if (!this.#options.service.hasIpv6 && address.includes(':')) return false
    const answer = this.#options.file.log.answers.get(address)
    return answer === undefined || answer.untilMs <= nowMs
  }

  /** Sends as many requests as the limits allow now; what remains waits for a timer or for an answer. */
  #pump(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    while (!this.#stopping.signal.aborted && this.#waiting.size > this.#asking.size) {
      const nowMs = this.#now()
      const state = this.#breaker.state(nowMs)
      // After a pause, one request finds out whether the service works again.
      if (this.#requests.size >= (state === 'half_open' ? 1 : MAX_AT_ONCE)) return
      const waitMs = Math.max(this.#breaker.waitMs(nowMs), this.#pace.waitMs(nowMs))
      if (waitMs > 0) {
        this.#cancelTimer = this.#options.clock.after(waitMs, () => this.#pump())
        return
      }
      const count = state === 'half_open' ? 1 : Math.min(this.#options.service.atOnce, this.#pace.allowed(nowMs))
      this.#begin(this.#waiting.next(count, this.#asking), nowMs)
    }
  }

  #begin(addresses: readonly string[], nowMs: number): void {
    for (const address of addresses) this.#asking.add(address)
    const request = this.#ask(addresses, nowMs)
      .catch((error: unknown) => this.#failed(addresses, messageOf(error)))
      .finally(() => {
        for (const address of addresses) this.#asking.delete(address)
        this.#requests.delete(request)
        this.#pump()
      })
    this.#requests.add(request)
  }

  async #ask(addresses: readonly string[], nowMs: number): Promise<void> {
    const { service, base, send, file } = this.#options
    const host = shownUrl(base)
    const request = this.#request(addresses)
    if (!request) return
    // Counted before anything is sent, so that the budget holds wherever the process ends.
    await file.append([{ asked: nowMs, n: addresses.length }], nowMs)
    const { signal } = this.#stopping
    let response: HttpAnswer
    try {
      response = await send({ ...request, signal, timeoutMs: TIMEOUT_MS, maxBytes: MAX_BYTES })
    } catch (error) {
      if (!signal.aborted) this.#failed(addresses, `cannot query ${host}: ${messageOf(error)}`)
      return
    }
    const { status } = response
    if (status === 401 || status === 403) this.#keyRefused(`${host} does not accept the key (status ${status})`)
    else if (status === 429) this.#tooMany(`${host} answered 429 (too many requests)`, response)
    else if (status >= 500) this.#failed(addresses, `${host} answered ${status}`)
    else await this.#answered(addresses, service.read(response, addresses))
  }

  /** With the key; `undefined` if there is none to use. */
  #request(addresses: readonly string[]): ServiceRequest | undefined {
    const { service, base, key, keys } = this.#options
    const request = service.request(addresses, base)
    try {
      return { ...request, ...authorize(request, key === undefined ? undefined : { key, header: service.keyHeader }, keys) }
    } catch (error) {
      this.#keyRefused(messageOf(error))
      return undefined
    }
  }

  async #answered(addresses: readonly string[], verdicts: Verdicts): Promise<void> {
    const { file, ttlMs, negativeTtlMs, onRows } = this.#options
    const nowMs = this.#now()
    this.#breaker.succeeded()
    this.#isKeyRefused = false
    this.#lastError = undefined
    let hasRows = false
    const lines = addresses.map((ip): LogLine => {
      const row = verdicts.get(ip)
      hasRows ||= row !== undefined || file.log.answers.get(ip)?.row !== undefined
      return row ? { ip, until: nowMs + ttlMs, row: { ...row, ip } } : { ip, until: nowMs + negativeTtlMs }
    })
    await file.append(lines, nowMs)
    for (const address of addresses) this.#waiting.remove(address)
    if (hasRows) onRows()
  }

  /** The addresses stay; those whose requests keep failing while others succeed are given up. */
  #failed(addresses: readonly string[], message: string): void {
    this.#lastError = message
    const nowMs = this.#now()
    const isItsFault = this.#breaker.state(nowMs) === 'closed'
    this.#breaker.failed(nowMs)
    for (const address of addresses) this.#waiting.failed(address, isItsFault)
  }

  #keyRefused(message: string): void {
    this.#lastError = message
    this.#isKeyRefused = true
    this.#breaker.refused(this.#now(), KEY_PAUSE_MS)
  }

  #tooMany(message: string, { headers }: HttpAnswer): void {
    this.#lastError = message
    const nowMs = this.#now()
    this.#breaker.refused(nowMs, retryAfterMs(headers.get('retry-after'), nowMs))
  }

  async #sweep(): Promise<void> {
    const { file, clock, onRows } = this.#options
    const nowMs = clock.now()
    const expired = [...file.log.answers].filter(([, { untilMs }]) => untilMs <= nowMs)
    if (expired.length > 0) {
      const stored = file.append(
        expired.map(([ip]) => ({ gone: ip })),
        nowMs,
      )
      await stored.catch((error: unknown) => {
        this.#lastError = `expired answers cannot be removed: ${messageOf(error)}`
      })
      if (expired.some(([, { row }]) => row !== undefined)) onRows()
    }
    if (!this.#stopping.signal.aborted)
      this.#cancelSweep = clock.after(SWEEP_MS, () => {
        this.#sweeping = this.#sweep()
      })
  }
}

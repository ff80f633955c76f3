import type { MiddlewareHandler } from 'hono'
import { ApiError } from '../errors.ts'
import { LiveStream, type LiveStreamOptions } from './live-stream.ts'

export interface LiveLimits {
  readonly heartbeatMs: number
  readonly maxWaiting: number
  readonly maxStreams: number
  readonly maxPerCaller: number
}

const LIMITS: LiveLimits = { heartbeatMs: 15_000, maxWaiting: 1000, maxStreams: 200, maxPerCaller: 20 }

/** Calls that may end somebody's rights. */
const OF_ACCOUNTS = /\/(?:accounts?|auth|me|password|roles?|sessions?|sign-[a-z]+|tokens?|users?)(?:\/|$)/

/** The streams of live updates that are open. */
export class LiveStreams {
  readonly #limits: LiveLimits
  readonly #open = new Map<LiveStream, string>()

  constructor(limits: Partial<LiveLimits> = {}) {
    this.#limits = { ...LIMITS, ...limits }
  }

  /** A stream for the caller with this name. Throws `ApiError` if there are too many. */
  open(caller: string, options: Omit<LiveStreamOptions, 'heartbeatMs' | 'maxWaiting' | 'onEnd'>): LiveStream {
    const { heartbeatMs, maxWaiting, maxStreams, maxPerCaller } = this.#limits
    const own = [...this.#open.values()].filter((name) => name === caller).length
    if (own >= maxPerCaller || this.#open.size >= maxStreams) {
      const many = own >= maxPerCaller ? `'${caller}' has ${own}` : `there are ${this.#open.size}`
      throw new ApiError(429, 'busy', `${many} streams open, as many as are allowed: close one`, { 'retry-after': '5' })
    }
    const stream: LiveStream = new LiveStream({ ...options, heartbeatMs, maxWaiting, onEnd: () => this.#open.delete(stream) })
    this.#open.set(stream, caller)
    return stream
  }

  /** How many are open. */
  get size(): number {
    return this.#open.size
  }

  /** Ends all streams: the server stops. */
  close(): void {
    for (const stream of this.#open.keys()) stream.close()
  }

  /** After each call that may have ended somebody's rights, has every stream ask whether its caller may still read. */
  readonly afterChanges: MiddlewareHandler = async (c, next) => {
    await next()
    if (c.req.method === 'GET' || c.req.method === 'HEAD' || !OF_ACCOUNTS.test(c.req.path)) return
    for (const stream of this.#open.keys()) stream.recheck()
  }
}

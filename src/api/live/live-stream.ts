import type { NumberedNews, Subscribe } from '../../model/news.ts'

export interface LiveStreamOptions {
  readonly news: Subscribe
  /** Id of the last event that the caller has. */
  readonly since: string | undefined
  /** The data of an event as JSON; `undefined` if the caller gets nothing of it. */
  readonly dataOf: (news: NumberedNews) => Promise<string | undefined>
  /** Whether the caller may still read. */
  readonly isAllowed: () => Promise<boolean>
  /** When the caller's rights end, epoch ms; absent: not by themselves. */
  readonly untilMs?: number | undefined
  /** A comment is sent after this time without an event, so that no proxy takes the connection for dead. */
  readonly heartbeatMs: number
  /** How many events may wait for a caller that does not read; one that is further behind is cut off. */
  readonly maxWaiting: number
  readonly onEnd: () => void
}

/** Before an event is sent, the caller must have been allowed to read within this time. */
const ALLOWED_MS = 1000

/** The longest that a timer of Node.js can wait. */
const MAX_TIMER_MS = 2 ** 31 - 1

/** How long a client waits before it connects again. */
const RETRY_MS = 2000

/** Server-sent events for one caller, as fast as they are read. */
export class LiveStream {
  readonly body: ReadableStream<Uint8Array>
  readonly #options: LiveStreamOptions
  readonly #waiting: NumberedNews[]
  readonly #stopNews: () => void
  readonly #heartbeat: NodeJS.Timeout
  #expiry: NodeJS.Timeout | undefined
  #controller!: ReadableStreamDefaultController<Uint8Array>
  #wake: () => void = () => {}
  #state: 'open' | 'closing' | 'ended' = 'open'
  #isBeatDue = false
  #isReset: boolean
  #isGreeted = false
  #allowedMs = Date.now()

  constructor(options: LiveStreamOptions) {
    this.#options = options
    const { missed, stop } = options.news(options.since, (news) => this.#push(news))
    this.#stopNews = stop
    this.#isReset = missed === undefined
    this.#waiting = [...(missed ?? [])]
    this.#heartbeat = setInterval(() => this.#beat(), options.heartbeatMs).unref()
    this.#awaitExpiry()
    this.body = new ReadableStream(
      {
        start: (controller) => {
          this.#controller = controller
        },
        pull: () => this.#pull(),
        cancel: () => this.#end(),
      },
      { highWaterMark: 0 },
    )
  }

  /** Ends it after what is being sent. */
  close(): void {
    if (this.#state === 'open') this.#state = 'closing'
    this.#wake()
  }

  /** Ends it at once if the caller may not read any more. */
  recheck(): void {
    this.#allowedMs = Number.NEGATIVE_INFINITY
    this.#wake()
  }

  #push(news: NumberedNews): void {
    this.#waiting.push(news)
    this.#wake()
    if (this.#waiting.length <= this.#options.maxWaiting) return
    this.#end()
    this.#controller.error(new Error('the client reads too slowly'))
  }

  #awaitExpiry(): void {
    const { untilMs } = this.#options
    if (untilMs === undefined) return
    // A timer can be a millisecond early.
    const leftMs = Math.max(0, untilMs - Date.now()) + 2
    this.#expiry = setTimeout(
      () => {
        if (leftMs > MAX_TIMER_MS) this.#awaitExpiry()
        else this.recheck()
      },
      Math.min(leftMs, MAX_TIMER_MS),
    ).unref()
  }

  #beat(): void {
    this.#isBeatDue = true
    this.recheck()
  }

  async #pull(): Promise<void> {
    for (;;) {
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      const text = await this.#next()
      if (this.#state === 'ended') return
      if (text === 'end') {
        this.#end()
        return this.#controller.close()
      }
      if (text !== undefined) return this.#controller.enqueue(Buffer.from(text))
      await woken
    }
  }

  /** What to send next; `undefined`: nothing yet. */
  async #next(): Promise<string | 'end' | undefined> {
    if (!this.#isGreeted) {
      this.#isGreeted = true
      const reset = 'event: reset\ndata: {}\n\n'
      return `retry: ${RETRY_MS}\n\n${this.#isReset ? reset : ''}`
    }
    for (;;) {
      if (this.#state !== 'open' || !(await this.#isAllowed())) return 'end'
      const news = this.#waiting.shift()
      if (!news) break
      const data = await this.#options.dataOf(news)
      if (data !== undefined) return `id: ${news.id}\nevent: ${news.kind}\ndata: ${data}\n\n`
    }
    if (!this.#isBeatDue) return undefined
    this.#isBeatDue = false
    return ':\n\n'
  }

  async #isAllowed(): Promise<boolean> {
    const nowMs = Date.now()
    if (Math.abs(nowMs - this.#allowedMs) < ALLOWED_MS) return true
    this.#allowedMs = nowMs
    return this.#options.isAllowed().catch(() => false)
  }

  #end(): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    clearInterval(this.#heartbeat)
    clearTimeout(this.#expiry)
    this.#stopNews()
    this.#waiting.length = 0
    this.#wake()
    this.#options.onEnd()
  }
}

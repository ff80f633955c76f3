import { messageOf } from '../../util/errors.ts'
import { type Send, shownUrl } from '../../util/http/send.ts'
import { otlpTraces } from './otlp.ts'
import type { Attributes, Span } from './span.ts'

export interface SpanSenderDeps {
  /** Takes OTLP over HTTP. */
  readonly endpoint: string
  readonly headers: Readonly<Record<string, string>>
  readonly send: Send
  /** Which process the spans are from. */
  readonly resource: Attributes
  /** Why traces are not sent, or that they are again (`undefined`). */
  readonly onTrouble: (message: string | undefined) => void
  /** Time from the first span until they are sent, in milliseconds, and pause after a failure; default 5,000. */
  readonly pauseMs?: number
}

/** Spans that wait, at most; more are left out. A span takes less than 1 KiB. */
const MAX_WAITING = 4096
/** Spans of one request. */
const MAX_SENT = 512
const PAUSE_MS = 5000
const TIMEOUT_MS = 10_000
/** What the last attempt may take when stopping. */
const STOP_MS = 1000
/** Answers after which the same request may succeed later. Any other refusal is final. */
const LATER: readonly number[] = [408, 429, 502, 503, 504]

/** Sends spans in the background. Whoever adds them never waits, and an endpoint that does not answer costs `MAX_WAITING` spans of memory. */
export class SpanSender {
  readonly #deps: SpanSenderDeps
  readonly #waiting: Span[] = []
  readonly #stopping = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #sending: Promise<void> | undefined
  /** The last attempt failed: the next one waits for the pause. */
  #isAway = false

  constructor(deps: SpanSenderDeps) {
    this.#deps = deps
  }

  /** Number of spans that wait. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** All of them, or none if there is no room. */
  add(spans: readonly Span[]): void {
    if (this.#waiting.length + spans.length > MAX_WAITING) return
    this.#waiting.push(...spans)
    if (this.#waiting.length >= MAX_SENT && !this.#isAway) this.#begin()
    else this.#schedule()
  }

  /** Makes one last attempt, of a second at most. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer)
    this.#stopping.abort()
    await this.#sending
    const last = AbortSignal.timeout(STOP_MS)
    while (this.#waiting.length > 0 && (await this.#sendSome(last)));
  }

  #schedule(): void {
    if (this.#sending || this.#stopping.signal.aborted) return
    this.#timer ??= setTimeout(() => this.#begin(), this.#deps.pauseMs ?? PAUSE_MS).unref()
  }

  #begin(): void {
    if (this.#sending || this.#stopping.signal.aborted) return
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#sending = this.#drain().finally(() => {
      this.#sending = undefined
      if (this.#waiting.length > 0) this.#schedule()
    })
  }

  async #drain(): Promise<void> {
    const { signal } = this.#stopping
    while (this.#waiting.length > 0 && !signal.aborted && (await this.#sendSome(signal)));
  }

  /** False if the endpoint should be left alone for now. */
  async #sendSome(signal: AbortSignal): Promise<boolean> {
    const { endpoint, headers, send, resource, onTrouble } = this.#deps
    const spans = this.#waiting.slice(0, MAX_SENT)
    try {
      const { status } = await send({
        url: endpoint,
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body: otlpTraces(spans, resource),
        signal,
        timeoutMs: TIMEOUT_MS,
        maxBytes: 0,
      })
      const isSent = status >= 200 && status < 300
      if (!LATER.includes(status)) this.#waiting.splice(0, spans.length)
      this.#isAway = !isSent
      onTrouble(isSent ? undefined : this.#sentence(`it answered ${status}`))
      return isSent
    } catch (error) {
      this.#isAway = true
      if (!this.#stopping.signal.aborted) onTrouble(this.#sentence(messageOf(error)))
      return false
    }
  }

  /** Only the host: the rest of the URL may be a secret. */
  #sentence(reason: string): string {
    return `Traces cannot be sent to ${shownUrl(this.#deps.endpoint)}: ${reason}. It is tried again every few seconds; traces beyond the ${MAX_WAITING} spans that may wait are left out.`
  }
}

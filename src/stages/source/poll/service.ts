import { Refused, RetryLater } from '../../../util/errors.ts'
import { MAX_RETRY_AFTER_MS, retryAfterMs } from '../../../util/http/retry-after.ts'
import { type HttpAnswer, shownUrl } from '../../../util/http/send.ts'
import { ask } from '../objects/request.ts'
import type { Outside } from '../source.ts'
import { type Credentials, credentialsOf } from './credentials.ts'
import type { AuthSpec } from './spec.ts'

/** A request without credentials. */
export interface PageRequest {
  readonly url: string
  readonly method: 'GET' | 'POST'
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | undefined
}

/** A request was refused. `status` is that of the answer, `error` its name if the answer has one. */
export class RequestFailed extends Refused {
  readonly status: number
  readonly error: string | undefined

  constructor(message: string, status: number, error: string | undefined) {
    super(message)
    this.status = status
    this.error = error
  }
}

/** Maximum size of one answer after decompression. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024
const ADVICE: Readonly<Record<number, string>> = {
  400: 'check the parameters',
  401: 'check the credentials; they may have expired',
  403: 'check what the credentials may read',
  404: 'check the URL and its parameters',
}
/** Members in which services name an error. */
const CODE = /"(?:code|errorCode|error)"\s*:\s*"?([\w.-]{1,40})/

/** Sends requests to one service with its credentials. */
export class Service {
  readonly #outside: Outside
  readonly #credentials: Credentials

  constructor(auth: AuthSpec | undefined, outside: Outside) {
    this.#outside = outside
    this.#credentials = credentialsOf(auth, outside)
  }

  /** An answer with a status of 2xx. Rejects with `RequestFailed`, or with `RetryLater`. Messages name the host only. */
  async get(request: PageRequest, signal: AbortSignal): Promise<HttpAnswer> {
    let answer = await this.#send(request, signal)
    // Tokens expire, and are revoked.
    if (answer.status === 401 && this.#credentials.forget()) answer = await this.#send(request, signal)
    if (answer.status >= 200 && answer.status <= 299) return answer
    throw failureOf(answer, request.url)
  }

  async #send({ url, method, headers, body }: PageRequest, signal: AbortSignal): Promise<HttpAnswer> {
    const authorised = { accept: 'application/json', ...headers, ...(await this.#credentials.headers(signal)) }
    const sent = body === undefined ? {} : { body }
    return ask(this.#outside.send, { url, method, headers: authorised, ...sent, maxBytes: MAX_ANSWER_BYTES, signal })
  }
}

function failureOf(answer: HttpAnswer, url: string): RequestFailed | RetryLater {
  const { status, headers, body } = answer
  const code = CODE.exec(Buffer.from(body.subarray(0, 4096)).toString())?.[1]
  const said = `${shownUrl(url)} answered ${status}${code === undefined ? '' : ` (${code})`}`
  const afterMs = limitMs(headers)
  const isLimited = status === 429 || (status === 403 && afterMs !== undefined)
  if (isLimited) return new RetryLater(`${said}: too many requests`, afterMs)
  if (status === 408 || status >= 500) return new RetryLater(said, afterMs)
  const advice = ADVICE[status]
  return new RequestFailed(advice === undefined ? said : `${said}: ${advice}`, status, code)
}

/**
 * How long to wait, in milliseconds, by the header Retry-After or by the time at which a used-up limit is renewed (`x-ratelimit-reset` of GitHub,
 * `x-rate-limit-reset` of Okta, both in seconds since 1970); at most an hour.
 */
function limitMs(headers: ReadonlyMap<string, string>): number | undefined {
  const now = Date.now()
  const after = retryAfterMs(headers.get('retry-after'), now)
  if (after !== undefined) return after
  const remaining = headers.get('x-ratelimit-remaining') ?? headers.get('x-rate-limit-remaining')
  const reset = headers.get('x-ratelimit-reset') ?? headers.get('x-rate-limit-reset')
  if (remaining !== '0' || reset === undefined || !/^\d{9,11}$/.test(reset)) return undefined
  return Math.min(MAX_RETRY_AFTER_MS, Math.max(0, Number(reset) * 1000 - now))
}

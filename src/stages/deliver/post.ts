import { z } from 'zod'
import { ConfigError, messageOf, Refused, RetryLater } from '../../util/errors.ts'
import { requestedWaitMs } from '../../util/http/retry-after.ts'
import { checkedHeaders, type HttpAnswer, HttpError, type HttpRequest, shownUrl } from '../../util/http/send.ts'
import { CREDENTIALS_IN_URL, holdsCredentials, targetUrl } from '../../util/http/target-url.ts'
import { type SecretReference, secretReference } from '../../util/secret.ts'
import type { DestinationDeps } from './destination.ts'

/** A URL, or a reference to it where it is a secret itself. */
export const secretUrl = z.union([targetUrl, secretReference], {
  error: 'a URL (https://…), or {env: NAME} or {file: PATH} where the URL is a secret',
})

export interface Post {
  readonly url: string
  /** Default: POST. */
  readonly method?: HttpRequest['method']
  readonly headers?: Readonly<Record<string, string>>
  /** Anything but a text is sent as JSON. */
  readonly body?: string | object
  /** The delivery's id; left out of requests that only prepare it. */
  readonly id?: string
  readonly signal: AbortSignal
}

export interface PosterOptions {
  /** The receiver, as messages name it: `Slack`, `the webhook`. */
  readonly who: string
  readonly headers?: Readonly<Record<string, string>>
  readonly timeoutMs?: number
  /** False: answers are not read. Default: they are. */
  readonly reads?: boolean
}

/** The JSON of an answer; `{}` if it is anything else. */
export type Answer = Readonly<Record<string, unknown>>

const TIMEOUT_MS = 15_000
const MAX_ANSWER_BYTES = 1024 * 1024

/**
 * Sends requests to a receiver and resolves with its answer if the status is 2xx. 408, 429, 5xx and no response throw `RetryLater`, any
 * other status `Refused`. Redirects are not followed, because the operator did not choose their target.
 */
export function poster({ send, now }: Pick<DestinationDeps, 'send' | 'now'>, options: PosterOptions) {
  const { who, timeoutMs = TIMEOUT_MS, reads = true } = options
  const fixed = checkedHeaders(options.headers ?? {})
  return async ({ url, method = 'POST', headers, body, id, signal }: Post): Promise<Answer> => {
    const place = `${who} at ${shownUrl(url)}`
    const request: HttpRequest = {
      method,
      url,
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...fixed,
        ...headers,
        ...(id !== undefined && { 'caracal-delivery': id }),
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      signal,
      timeoutMs,
      maxBytes: reads ? MAX_ANSWER_BYTES : 0,
    }
    const answer = await attempt(send, request, place)
    const json = answerOf(answer)
    judge(answer, json, place, now())
    return json
  }
}

async function attempt(send: DestinationDeps['send'], request: HttpRequest, place: string): Promise<HttpAnswer> {
  try {
    return await send(request)
  } catch (error) {
    const why = error instanceof HttpError || request.signal?.aborted ? messageOf(error) : 'an unexpected error'
    const message = `${place} cannot be reached: ${why}`
    if (error instanceof HttpError && error.failure === 'invalid') throw new Refused(message, { cause: error })
    throw new RetryLater(message, undefined, { cause: error })
  }
}

/** Returns if the request was accepted. */
function judge({ status, headers }: HttpAnswer, json: Answer, place: string, nowMs: number): void {
  if (status >= 200 && status < 300) return
  const code = codeOf(json)
  const message = `${place} answered ${status}${code === undefined ? '' : ` (${code})`}`
  if (status === 408 || status === 429 || status >= 500)
    throw new RetryLater(message, requestedWaitMs(status, headers.get('retry-after'), nowMs))
  throw new Refused(status >= 300 && status < 400 ? `${message}, and redirects are not followed: name the final URL` : message)
}

function answerOf({ body }: HttpAnswer): Answer {
  if (body.length === 0) return {}
  try {
    const value = JSON.parse(Buffer.from(body).toString()) as unknown
    return typeof value === 'object' && value !== null ? (value as Answer) : {}
  } catch {
    return {}
  }
}

/** The receiver's code for an error. Texts of the other side are never quoted: they may echo a secret. */
export function codeOf({ error, code }: Answer): string | undefined {
  const inner = typeof error === 'object' && error !== null ? (error as Answer)['code'] : error
  return [inner, code].map(String).find((text) => /^(?:[a-z]+(?:_[a-z]+){0,8}|\d{1,6})$/.test(text) && text !== 'undefined')
}

/** The URL, resolved if it is a secret: the schema has checked only one written in the configuration. */
export function addressOf(url: string | SecretReference, { secret }: Pick<DestinationDeps, 'secret'>): string {
  const address = typeof url === 'string' ? url : secret(url)
  if (holdsCredentials(address))
    throw new ConfigError(`url: ${CREDENTIALS_IN_URL} (under headers; its value may be {env: NAME} or {file: PATH})`)
  if (!targetUrl.safeParse(address).success)
    throw new ConfigError('url: the secret that it refers to is not an http or https URL')
  return address.replace(/\/+$/, '')
}

/** The `url` key of a service that has a usual address. */
export function serviceUrl(usual: string, why: string) {
  return targetUrl.default(usual).describe(`Base URL of the API; ${why}.`)
}

/** A field of an answer as text. Throws `Refused` if it is missing: the receiver is not what the configuration says. */
export function fieldOf(answer: Answer, name: string, who: string): string {
  const value = answer[name]
  if (typeof value === 'string' && value !== '' && value.length <= 500) return value
  if (typeof value === 'number') return String(value)
  throw new Refused(`${who} accepted the alert, but its answer has no \`${name}\`: check the URL of the destination`)
}

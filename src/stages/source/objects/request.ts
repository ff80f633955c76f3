import { messageOf, Refused, RetryLater } from '../../../util/errors.ts'
import { hasDotSegment } from '../../../util/http/dot-segment.ts'
import { retryAfterMs } from '../../../util/http/retry-after.ts'
import { type HttpAnswer, HttpError, type HttpRequest, type Send, shownUrl } from '../../../util/http/send.ts'
import { type ObjectPart, ObjectUnreachable } from './store.ts'

const TIMEOUT_MS = 60_000

/** Sends a request to a store. Rejects with `RetryLater` if there is no answer, and once `signal` is aborted. */
export async function ask(
  send: Send,
  request: Omit<HttpRequest, 'timeoutMs'> & { readonly signal: AbortSignal },
): Promise<HttpAnswer> {
  try {
    return await send({ ...request, timeoutMs: TIMEOUT_MS })
  } catch (error) {
    throw noAnswer(error, request.url, request.signal)
  }
}

/** Why a store has not answered; throws what is no failure of the network, and the signal's reason once that is aborted. */
export function noAnswer(error: unknown, url: string | URL, signal: AbortSignal): RetryLater {
  signal.throwIfAborted()
  if (!(error instanceof HttpError)) throw error
  return new RetryLater(`no answer from ${shownUrl(url)}: ${messageOf(error)}`, undefined, { cause: error })
}

/** Throws `ObjectUnreachable` for a key with a part `.` or `..`: in a URL, these lead to another object. */
export function checkKey(key: string): void {
  if (hasDotSegment(key)) throw new ObjectUnreachable("its name has a part '.' or '..', which no URL can contain")
}

/** The header for a part of an object. */
export function rangeOf(from: number, length: number): string {
  return `bytes=${from}-${from + length - 1}`
}

/** The part in an answer with status 200, 206 or 416 to a request with `rangeOf`. Throws `Refused` if the store ignores ranges. */
export function partOf({ status, headers, body }: HttpAnswer, from: number): ObjectPart {
  // Nothing there to read: the object is empty.
  if (status === 416) return { bytes: new Uint8Array(), size: from }
  if (status === 200 && from > 0) throw new Refused('the store does not answer requests for a part of an object (Range)')
  const whole = /\/(\d{1,15})$/.exec(headers.get('content-range') ?? '')?.[1]
  return { bytes: body, size: status === 200 || whole === undefined ? from + body.length : Number(whole) }
}

/** What a status means that is not the wanted one. `advice` by the store's code of the error, or by the status. */
export function refusalOf(
  { status, headers }: HttpAnswer,
  code: string | undefined,
  advice: Readonly<Record<string, string>>,
): Refused | RetryLater {
  const message = `answered ${status}${code === undefined ? '' : ` (${code})`}`
  if (status === 408 || status === 429 || status >= 500)
    return new RetryLater(message, retryAfterMs(headers.get('retry-after'), Date.now()))
  const what = advice[code ?? ''] ?? advice[String(status)]
  return new Refused(what === undefined ? message : `${message}: ${what}`)
}

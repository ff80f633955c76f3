import { messageOf } from '../../util/errors.ts'
import { retryAfterMs } from '../../util/http/retry-after.ts'
import { type HttpAnswer, HttpError, type HttpFailure } from '../../util/http/send.ts'
import { tooLarge } from './content.ts'
import { RefusedAnswer, TableError } from './table.ts'

/** Failures that are not outages: something answers there, but it is not trusted. */
const UNTRUSTED: readonly HttpFailure[] = ['redirect', 'private_address', 'certificate']

/** The error for an answer with this status; its `afterMs` is what the server asks for in Retry-After. */
export function statusError({ status, headers }: Pick<HttpAnswer, 'status' | 'headers'>, sentence: string): TableError {
  const afterMs = status === 429 || status === 503 ? retryAfterMs(headers.get('retry-after'), Date.now()) : undefined
  return new TableError(sentence, { afterMs })
}

/** Why a request of a provider has failed. `host` is all of the URL that the message contains. */
export function fetchError(error: unknown, host: string, maxBytes: number): TableError {
  if (error instanceof TableError) return error
  const failure = error instanceof HttpError ? error.failure : undefined
  if (failure === 'too_large') return tooLarge(maxBytes)
  const message = `cannot fetch from ${host}: ${messageOf(error)}`
  const isUntrusted = failure !== undefined && UNTRUSTED.includes(failure)
  return new (isUntrusted ? RefusedAnswer : TableError)(message, { cause: error })
}

import { CaracalError, messageOf, RetryLater } from '../../util/errors.ts'
import { withoutHostPaths } from '../../util/host-paths.ts'
import { BodyRefused } from './read-body.ts'

/** Why a request is refused. Each protocol puts it in its own words. */
export class RequestRefused extends Error {
  readonly status: number
  /** Headers that the status requires in any protocol. */
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message)
    this.status = status
    this.headers = CLOSING.has(status) ? { connection: 'close', ...headers } : headers
  }
}

/** Refusals that can be sent before the body is read. Its unread rest ends the connection, and the sender must be informed. */
const CLOSING = new Set([400, 401, 408, 413, 415])
/** Retry-After in seconds when too many bodies are being read at the same time. */
const BUSY_SECS = 1

/** The refusal for whatever reading or storing a body has thrown. */
export function refusalOf(error: unknown): RequestRefused {
  if (error instanceof RequestRefused) return error
  if (error instanceof BodyRefused) {
    const busy = { 'retry-after': String(BUSY_SECS), connection: 'close' }
    return new RequestRefused(error.status, error.message, error.status === 503 ? busy : {})
  }
  // Identified by its code, because an error from the spool's thread has lost its class.
  const code = error instanceof CaracalError ? error.code : undefined
  const afterMs = error instanceof RetryLater ? error.afterMs : undefined
  const message = withoutHostPaths(messageOf(error))
  if (code === 'retry_later') return later(429, message, Math.max(1, Math.ceil((afterMs ?? 2000) / 1000)))
  if (code === 'storage') return later(503, message, 10)
  return later(503, `the records could not be accepted: ${message}`, 5)
}

function later(status: number, message: string, afterSecs: number): RequestRefused {
  return new RequestRefused(status, message, { 'retry-after': String(afterSecs) })
}

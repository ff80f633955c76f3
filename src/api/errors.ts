import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { z } from 'zod'
import type { Log } from '../telemetry/log.ts'
import { CaracalError, messageOf, NotSupported, Refused, RetryLater, StorageError, UnstorableText } from '../util/errors.ts'
import { withoutHostPaths } from '../util/host-paths.ts'
import { PROBLEM_TYPE, problemResponse, problemSchema } from './problem.ts'

/** A failed call, as a route throws it. */
export class ApiError extends CaracalError {
  readonly status: ContentfulStatusCode
  readonly headers: Readonly<Record<string, string>>

  constructor(status: ContentfulStatusCode, code: string, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(code, message)
    this.status = status
    this.headers = headers
  }
}

/** Entries for a route's `responses`: failures it can return besides those common to all routes. */
export function failures<const S extends number>(...statuses: readonly S[]) {
  const entry = { description: 'It failed.', content: { [PROBLEM_TYPE]: { schema: problemSchema } } }
  return Object.fromEntries(statuses.map((status) => [status, entry])) as Record<S, typeof entry>
}

/** Zod's issues with a call as one failure, each with its position. */
export function refuseInvalid(result: { readonly success: boolean; readonly target: string; readonly error?: z.ZodError }): void {
  if (result.success || !result.error) return
  const what = result.error.issues.slice(0, 5).map((issue) => {
    // Of a key that is refused, Zod's own message does not say why.
    const message = (issue.code === 'invalid_key' ? issue.issues[0]?.message : undefined) ?? issue.message
    // Both may repeat what was sent, which may be long.
    return clipped(issue.path.length > 0 ? `${issue.path.join('.')}: ${message}` : message)
  })
  throw new ApiError(400, 'bad_request', `the ${PLACES[result.target] ?? result.target} cannot be used: ${what.join('; ')}`)
}

const MAX_ISSUE_CHARS = 500

const clipped = (text: string) =>
  text.length > MAX_ISSUE_CHARS ? `${text.slice(0, MAX_ISSUE_CHARS).toWellFormed()}… (${text.length} characters)` : text

const PLACES: Record<string, string> = { json: 'body', param: 'path' }

/**
 * Turns anything thrown into a response. Details that callers must not see only go to the log: the text of internal errors, and
 * local paths, such as those below `roots`.
 */
export function answerError(error: unknown, c: Context, log: Log, roots: readonly string[] = []): Response {
  const { status, code, message, headers } = failureOf(error)
  const shown = error instanceof ApiError ? message : withoutHostPaths(message, roots)
  const call = { err: error, method: c.req.method, path: c.req.path }
  if (status === 500) log.error(call, 'An API call failed.')
  else if (shown !== message) log.warn(call, 'An API call failed, with paths that the caller was not shown.')
  return problemResponse(status, code, shown, headers)
}

interface Failure {
  readonly status: ContentfulStatusCode
  readonly code: string
  readonly message: string
  readonly headers?: Readonly<Record<string, string>>
}

function failureOf(error: unknown): Failure {
  if (error instanceof ApiError) return error
  if (error instanceof HTTPException)
    return { status: error.status as ContentfulStatusCode, code: 'bad_request', message: error.message }
  if (error instanceof RetryLater) {
    const secs = Math.max(1, Math.ceil((error.afterMs ?? 1000) / 1000))
    return { status: 503, code: error.code, message: error.message, headers: { 'retry-after': String(secs) } }
  }
  if (error instanceof StorageError) return { status: 503, code: error.code, message: error.message }
  if (error instanceof NotSupported) return { status: 501, code: error.code, message: error.message }
  if (error instanceof UnstorableText) return { status: 400, code: 'bad_request', message: error.message }
  if (error instanceof Refused) return { status: 400, code: error.code, message: error.message }
  if (isAbort(error)) return { status: 408, code: 'cancelled', message: 'the call was cancelled' }
  return { status: 500, code: 'internal', message: 'an internal error occurred; see the server log' }
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && (error.name === 'AbortError' || messageOf(error) === 'aborted')
}

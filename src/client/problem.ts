/**
 * A call that failed. `message` is a sentence for people, `code` a stable word for programs (docs/errors.md). `status` is 0 if no answer
 * came.
 */
export class ApiProblem extends Error {
  readonly status: number
  readonly code: string
  /** The whole answer, which may have more than the problem itself. */
  readonly body: unknown
  /** When to try again, in milliseconds, if the answer says so. */
  readonly retryAfterMs: number | undefined

  constructor(status: number, code: string, message: string, rest: { body?: unknown; retryAfterMs?: number | undefined } = {}) {
    super(message)
    this.name = 'ApiProblem'
    this.status = status
    this.code = code
    this.body = rest.body
    this.retryAfterMs = rest.retryAfterMs
  }
}

/** What an answer that is not a success says. */
export async function problemOfResponse(response: Response): Promise<ApiProblem> {
  const body = parsed(await response.text())
  const { detail, code } = (body ?? {}) as { readonly detail?: unknown; readonly code?: unknown }
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN)
  return new ApiProblem(
    response.status,
    typeof code === 'string' ? code : 'unknown',
    typeof detail === 'string' ? detail : `the server answered ${response.status}`,
    { body, retryAfterMs: Number.isNaN(seconds) ? undefined : seconds * 1000 },
  )
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

import { CaracalError } from '../errors.ts'

/** One request to the outside. */
export interface HttpRequest {
  /** An http or https URL. */
  readonly url: string | URL
  /** Default: GET. */
  readonly method?: 'GET' | 'POST' | 'PUT'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  /** Ends the request at once. */
  readonly signal?: AbortSignal
  /** Longest time for the whole request, redirects and body included. */
  readonly timeoutMs: number
  /** Longest body, counted after decompression. 0: the body is not read at all. */
  readonly maxBytes: number
  /** Redirects that are followed, GET only; 0, the default: a 3xx is returned like any other answer. */
  readonly redirects?: number
}

export interface HttpAnswer {
  readonly status: number
  /** By lower-case name; the values of a repeated header are joined with a comma. */
  readonly headers: ReadonlyMap<string, string>
  /** Empty when the request asked for no body. */
  readonly body: Uint8Array
}

/**
 * Sends a request and resolves with the answer, whatever its status. Rejects with `HttpError`, or with the signal's reason once
 * that is aborted. Which addresses may be reached is decided by whoever hands this function out (`createHttp`).
 */
export type Send = (request: HttpRequest) => Promise<HttpAnswer>

/** Why there is no answer. */
export type HttpFailure =
  /** No connection, or one that broke. */
  | 'unreachable'
  /** `timeoutMs` is over. */
  | 'timeout'
  /** The body is longer than `maxBytes`. */
  | 'too_large'
  /** A redirect that is not followed. */
  | 'redirect'
  /** The address is private, and this request may not reach private addresses. */
  | 'private_address'
  /** The request itself cannot be sent: a header that HTTP does not allow, another protocol. */
  | 'invalid'

/**
 * A request without an answer. The message is made of our own words, the host at most: URLs, headers and what the other side
 * sent may hold secrets, so neither the message nor a cause carries them.
 */
export class HttpError extends CaracalError {
  readonly failure: HttpFailure

  constructor(failure: HttpFailure, message: string) {
    super('http', message)
    this.failure = failure
  }
}

/** A URL as messages may show it: scheme, host and port. Path, query and user name are where secrets are. */
export function shownUrl(url: string | URL): string {
  const { protocol, host } = new URL(url)
  return `${protocol}//${host}`
}

/** The headers by lower-case name. Throws `HttpError` for one that HTTP does not allow, naming it without its value, which may be a secret. */
export function checkedHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const checked: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    try {
      new Headers([[name, value]])
    } catch {
      throw new HttpError('invalid', `the header ${JSON.stringify(name)} has a name or a value that HTTP does not allow`)
    }
    checked[name.toLowerCase()] = value
  }
  return checked
}

/** Stands where nothing may be sent, as in commands that read local content only. */
export const sendNothing: Send = () => Promise.reject(new HttpError('invalid', 'this command sends nothing over the network'))

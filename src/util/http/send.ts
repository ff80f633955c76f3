import { CaracalError } from '../errors.ts'

/** One request to the outside. */
export interface HttpRequest {
  /** An http or https URL. */
  readonly url: string | URL
  /** Default: GET. */
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  /** Aborts the request immediately. */
  readonly signal?: AbortSignal
  /** Time limit for the whole request, including redirects and the body. */
  readonly timeoutMs: number
  /** Maximum size of the body after decompression. 0: the body is not read. */
  readonly maxBytes: number
  /** Maximum number of redirects to follow, GET only. 0, the default: a 3xx is returned like any other response. */
  readonly redirects?: number
  /** The body is wanted as it was sent, even if it is compressed (`content-encoding`). Default: decompressed. */
  readonly isRaw?: boolean
}

export interface HttpAnswer {
  readonly status: number
  /** By lower-case name; the values of a repeated header are joined with a comma. */
  readonly headers: ReadonlyMap<string, string>
  /** Empty if the request set `maxBytes` to 0. */
  readonly body: Uint8Array
}

/**
 * Sends a request and resolves with the response, whatever its status. Rejects with `HttpError`, or with the signal's reason once that is
 * aborted. Which addresses can be reached depends on how the function was created (`createHttp`).
 */
export type Send = (request: HttpRequest) => Promise<HttpAnswer>

/** Why there is no response. */
export type HttpFailure =
  /** The connection failed or broke. */
  | 'unreachable'
  /** `timeoutMs` has passed. */
  | 'timeout'
  /** The body is larger than `maxBytes`. */
  | 'too_large'
  /** A redirect that is not followed. */
  | 'redirect'
  /** The certificate is not valid or not trusted. */
  | 'certificate'
  /** The address is private, and this request may not reach private addresses. */
  | 'private_address'
  /** The request is invalid: a header that HTTP does not allow, or another protocol. */
  | 'invalid'

/**
 * A request without a response. The message is in our own words and contains the host at most: URLs, headers and response data can
 * contain secrets, so neither the message nor a cause includes them.
 */
export class HttpError extends CaracalError {
  readonly failure: HttpFailure

  constructor(failure: HttpFailure, message: string) {
    super('http', message)
    this.failure = failure
  }
}

/** A URL as messages may show it: scheme, host and port. Path, query and user name can contain secrets. */
export function shownUrl(url: string | URL): string {
  const { protocol, host } = new URL(url)
  return `${protocol}//${host}`
}

/** The headers by lower-case name. Throws `HttpError` for an invalid one, naming it without its value, which may be a secret. */
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

/** For use where no requests may be sent, as in commands that only read local content. */
export const sendNothing: Send = () => Promise.reject(new HttpError('invalid', 'this command sends nothing over the network'))

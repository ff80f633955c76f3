import { type AwsCredentials, awsEncoded, signed } from '../http/aws-signature.ts'
import { hasDotSegment } from '../http/dot-segment.ts'
import type { HttpAnswer, Send } from '../http/send.ts'

export interface BucketOptions {
  readonly bucket: string
  readonly region: string
  /** URL of a compatible store. Default: AWS. */
  readonly endpoint?: string | undefined
  /** Whether the bucket is the first part of the path rather than of the host name. Default: for a compatible store. */
  readonly pathStyle?: boolean | undefined
  readonly send: Send
  /** What requests to `url` are signed with; `undefined`: they are not. */
  readonly credentials: (url: URL, signal: AbortSignal) => AwsCredentials | undefined | Promise<AwsCredentials | undefined>
}

export interface BucketRequest {
  /** The object; empty for the bucket itself. */
  readonly key?: string
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  /** Content of a new object. */
  readonly body?: Uint8Array
  /** See `HttpRequest`. */
  readonly isRaw?: boolean
  readonly maxBytes: number
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

type Method = 'GET' | 'PUT'

/** A key with a part `.` or `..`, which URLs resolve: it would name another object, even one of another bucket. */
export class UnreachableKey extends Error {
  constructor() {
    super('its key has a part `.` or `..`, which no request can name')
  }
}

/** Signed requests to one bucket of S3 or a compatible store. */
export class BucketClient {
  readonly #options: BucketOptions
  #region: string

  constructor(options: BucketOptions) {
    this.#options = options
    this.#region = options.region
  }

  /** Where its requests go. */
  get url(): URL {
    return new URL(this.#base())
  }

  /**
   * The answer, whatever its status. A request is repeated once if S3 names another region. Rejects as `Send` does, and with
   * `UnreachableKey`.
   */
  get(request: BucketRequest): Promise<HttpAnswer> {
    return this.#request('GET', request)
  }

  /** Stores an object; like `get`. */
  put(request: BucketRequest & { readonly body: Uint8Array }): Promise<HttpAnswer> {
    return this.#request('PUT', request)
  }

  async #request(method: Method, request: BucketRequest): Promise<HttpAnswer> {
    if (hasDotSegment(request.key ?? '')) throw new UnreachableKey()
    const answer = await this.#send(method, request)
    const region = answer.headers.get('x-amz-bucket-region')
    if (![301, 307, 400].includes(answer.status) || !region || region === this.#region || !/^[a-z0-9-]{1,40}$/.test(region))
      return answer
    this.#region = region
    return this.#send(method, request)
  }

  async #send(method: Method, { key = '', query = {}, headers = {}, body, isRaw = false, ...limits }: BucketRequest) {
    const { send, credentials } = this.#options
    const search = new URLSearchParams(query).toString()
    const path = key.split('/').map(awsEncoded).join('/')
    const url = new URL(`${this.#base()}/${path}${search && `?${search}`}`)
    const own = await credentials(url, limits.signal)
    const request = { method, url, headers, region: this.#region, service: 's3', body, nowMs: Date.now() }
    return send({ url, method, headers: own ? signed(request, own) : headers, ...(body && { body }), isRaw, ...limits })
  }

  #base(): string {
    const { bucket, endpoint, pathStyle } = this.#options
    // In a host name, a bucket with a dot does not fit the certificate.
    const isPath = pathStyle ?? (endpoint !== undefined || bucket.includes('.'))
    const store = new URL(endpoint ?? `https://s3.${this.#region}.amazonaws.com`)
    if (!isPath) store.hostname = `${bucket}.${store.hostname}`
    return `${store.href.replace(/\/+$/, '')}${isPath ? `/${bucket}` : ''}`
  }
}

import { awsEncoded, signed } from '../../../util/http/aws-signature.ts'
import { type HttpAnswer, type Send, shownUrl } from '../../../util/http/send.ts'
import { type ApiKeys, keyWithUser } from '../api-keys.ts'
import { fetchError } from '../fetch-error.ts'
import { TableError } from '../table.ts'
import { errorCodeIn, type Listing, listingOf } from './listing.ts'

export interface BucketOptions {
  readonly bucket: string
  readonly region: string
  readonly endpoint?: string | undefined
  readonly auth?: { readonly key: string } | undefined
  readonly max_bytes: number
  readonly send: Send
  readonly keys: ApiKeys
  readonly signal: AbortSignal
  /** When the whole fetch must be finished. */
  readonly endMs: number
}

/** Listings of 1000 objects each. */
const MAX_PAGES = 100
const MAX_LISTING_BYTES = 4 * 1024 * 1024

/** One bucket for the time of one refresh. */
export class Bucket {
  readonly #options: BucketOptions
  #region: string

  constructor(options: BucketOptions) {
    this.#options = options
    this.#region = options.region
  }

  /** The object; `undefined` if it still has this ETag. */
  async get(key: string, etag: string | undefined): Promise<{ body: Uint8Array; etag: string | undefined } | undefined> {
    const path = key.split('/').map(awsEncoded).join('/')
    const answer = await this.#ask(path, '', etag === undefined ? {} : { 'if-none-match': etag }, this.#options.max_bytes)
    if (answer.status === 304) return undefined
    if (answer.status !== 200) throw this.#refused(answer, `the object ${key}`)
    return { body: answer.body, etag: answer.headers.get('etag') }
  }

  /** The key of the object with this prefix that was modified last. */
  async newest(prefix: string): Promise<string> {
    let newest: Listing['objects'][number] | undefined
    let token: string | undefined
    for (let page = 0; page < MAX_PAGES; page++) {
      const query = new URLSearchParams({ 'list-type': '2', 'encoding-type': 'url', prefix })
      if (token !== undefined) query.set('continuation-token', token)
      const answer = await this.#ask('', `?${query}`, {}, MAX_LISTING_BYTES)
      if (answer.status !== 200) throw this.#refused(answer, `the objects under ${prefix}`)
      const listing = listingOf(Buffer.from(answer.body).toString())
      for (const object of listing.objects)
        if (
          !newest ||
          object.modifiedMs > newest.modifiedMs ||
          (object.modifiedMs === newest.modifiedMs && object.key > newest.key)
        )
          newest = object
      token = listing.next
      if (token === undefined) {
        if (newest) return newest.key
        throw new TableError(`the bucket ${this.#options.bucket} has no object under ${prefix} yet`)
      }
    }
    throw new TableError(
      `the bucket ${this.#options.bucket} has more than ${MAX_PAGES * 1000} objects under ${prefix}: use a longer prefix`,
    )
  }

  /** A signed request, repeated once if S3 names another region. */
  async #ask(path: string, query: string, headers: Record<string, string>, maxBytes: number): Promise<HttpAnswer> {
    const answer = await this.#send(path, query, headers, maxBytes)
    const region = answer.headers.get('x-amz-bucket-region')
    if (![301, 307, 400].includes(answer.status) || !region || region === this.#region || !/^[a-z0-9-]{1,40}$/.test(region))
      return answer
    this.#region = region
    return this.#send(path, query, headers, maxBytes)
  }

  async #send(path: string, query: string, headers: Record<string, string>, maxBytes: number): Promise<HttpAnswer> {
    const { send, signal, endMs } = this.#options
    const url = new URL(`${this.#base()}/${path}${query}`)
    try {
      const timeoutMs = Math.max(1, endMs - Date.now())
      return await send({ url, headers: this.#authorized(url, headers), signal, timeoutMs, maxBytes })
    } catch (error) {
      throw fetchError(error, shownUrl(url), maxBytes)
    }
  }

  #base(): string {
    const { bucket, endpoint } = this.#options
    if (endpoint !== undefined) return `${endpoint.replace(/\/+$/, '')}/${bucket}`
    // A name with a dot does not fit the certificate for names of buckets.
    const host = `s3.${this.#region}.amazonaws.com`
    return bucket.includes('.') ? `https://${host}/${bucket}` : `https://${bucket}.${host}`
  }

  #authorized(url: URL, headers: Record<string, string>): Record<string, string> {
    const { auth, keys } = this.#options
    if (auth === undefined) return headers
    const key = keyWithUser(keys, auth.key, url, 'the access key id')
    const { user: accessKeyId, secret: secretAccessKey, session: sessionToken } = key
    const request = { method: 'GET', url, headers, region: this.#region, service: 's3', nowMs: Date.now() }
    return signed(request, { accessKeyId, secretAccessKey, sessionToken })
  }

  #refused({ status, body }: HttpAnswer, what: string): TableError {
    const { bucket, auth } = this.#options
    const code = errorCodeIn(Buffer.from(body).toString())
    const advice =
      status !== 403
        ? 'check bucket, key, region and endpoint'
        : auth === undefined
          ? 'if the bucket is not public, name a key with `auth: { key: … }`'
          : `check that the key '${auth.key}' may read it and that the clock of this machine is right`
    return new TableError(
      `the bucket ${bucket} answered ${status}${code === undefined ? '' : ` (${code})`} for ${what}: ${advice}`,
    )
  }
}

import { messageOf } from '../../../util/errors.ts'
import type { AwsCredentials } from '../../../util/http/aws-signature.ts'
import { type HttpAnswer, type Send, shownUrl } from '../../../util/http/send.ts'
import { BucketClient, type BucketRequest } from '../../../util/s3/bucket-client.ts'
import { errorCodeIn, type Listing, listingOf } from '../../../util/s3/listing.ts'
import { type ApiKeys, keyWithUser } from '../api-keys.ts'
import { fetchError } from '../fetch-error.ts'
import { TableError } from '../table.ts'

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
  readonly #client: BucketClient

  constructor(options: BucketOptions) {
    this.#options = options
    this.#client = new BucketClient({ ...options, credentials: (url) => this.#credentials(url) })
  }

  /** The object; `undefined` if it still has this ETag. */
  async get(key: string, etag: string | undefined): Promise<{ body: Uint8Array; etag: string | undefined } | undefined> {
    const headers = etag === undefined ? {} : { 'if-none-match': etag }
    const answer = await this.#ask({ key, headers, maxBytes: this.#options.max_bytes })
    if (answer.status === 304) return undefined
    if (answer.status !== 200) throw this.#refused(answer, `the object ${key}`)
    return { body: answer.body, etag: answer.headers.get('etag') }
  }

  /** The key of the object with this prefix that was modified last. */
  async newest(prefix: string): Promise<string> {
    let newest: Listing['objects'][number] | undefined
    let token: string | undefined
    for (let page = 0; page < MAX_PAGES; page++) {
      const more = token === undefined ? {} : { 'continuation-token': token }
      const query = { 'list-type': '2', 'encoding-type': 'url', prefix, ...more }
      const answer = await this.#ask({ query, maxBytes: MAX_LISTING_BYTES })
      if (answer.status !== 200) throw this.#refused(answer, `the objects under ${prefix}`)
      const listing = listed(answer)
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

  async #ask(request: Pick<BucketRequest, 'key' | 'query' | 'headers' | 'maxBytes'>): Promise<HttpAnswer> {
    const { signal, endMs } = this.#options
    try {
      return await this.#client.get({ ...request, signal, timeoutMs: Math.max(1, endMs - Date.now()) })
    } catch (error) {
      throw fetchError(error, shownUrl(this.#client.url), request.maxBytes)
    }
  }

  #credentials(url: URL): AwsCredentials | undefined {
    const { auth, keys } = this.#options
    if (auth === undefined) return undefined
    const key = keyWithUser(keys, auth.key, url, 'the access key id')
    const { user: accessKeyId, secret: secretAccessKey, session: sessionToken } = key
    return { accessKeyId, secretAccessKey, sessionToken }
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

function listed({ body }: HttpAnswer): Listing {
  try {
    return listingOf(Buffer.from(body).toString())
  } catch (error) {
    throw new TableError(messageOf(error), { cause: error })
  }
}

import { Refused, RetryLater } from '../../../util/errors.ts'
import { retryAfterMs } from '../../../util/http/retry-after.ts'
import type { HttpAnswer } from '../../../util/http/send.ts'
import { BucketClient, type BucketOptions, type BucketRequest, UnreachableKey } from '../../../util/s3/bucket-client.ts'
import { errorCodeIn, listingOf } from '../../../util/s3/listing.ts'
import { noAnswer, partOf, rangeOf } from '../objects/request.ts'
import {
  type ListOptions,
  ObjectGone,
  type ObjectPage,
  type ObjectPart,
  type ObjectStore,
  ObjectUnreachable,
  type ReadOptions,
  type StoredObject,
} from '../objects/store.ts'

const MAX_LISTING_BYTES = 8 * 1024 * 1024
const MAX_ERROR_BYTES = 64 * 1024
const TIMEOUT_MS = 60_000

/** A bucket of S3 or a compatible store. */
export class S3Store implements ObjectStore {
  readonly name: string
  readonly #client: BucketClient

  constructor(options: BucketOptions) {
    this.name = `s3://${options.bucket}`
    this.#client = new BucketClient(options)
  }

  async list({ prefix, after, page, signal }: ListOptions): Promise<ObjectPage> {
    const from = page !== undefined ? { 'continuation-token': page } : after !== undefined ? { 'start-after': after } : {}
    const query = { 'list-type': '2', 'encoding-type': 'url', prefix, ...from }
    const answer = await this.#get({ query, maxBytes: MAX_LISTING_BYTES, signal })
    if (answer.status !== 200) throw refusal(answer, 'list')
    return listingOf(Buffer.from(answer.body).toString())
  }

  async read({ key, etag }: StoredObject, { from, length, signal }: ReadOptions): Promise<ObjectPart> {
    const headers = { range: rangeOf(from, length), ...(etag !== '' && { 'if-match': `"${etag}"` }) }
    const answer = await this.#get({ key, headers, isRaw: true, maxBytes: length + MAX_ERROR_BYTES, signal })
    const { status } = answer
    if (status === 412 || (status === 404 && codeOf(answer) !== 'NoSuchBucket')) throw new ObjectGone()
    if (status !== 200 && status !== 206 && status !== 416) throw refusal(answer, 'read')
    // Some stores ignore If-Match.
    const now = answer.headers.get('etag')?.replaceAll('"', '')
    if (etag !== '' && now !== undefined && now !== etag) throw new ObjectGone()
    return partOf(answer, from)
  }

  async #get(request: Omit<BucketRequest, 'timeoutMs'>): Promise<HttpAnswer> {
    try {
      return await this.#client.get({ ...request, timeoutMs: TIMEOUT_MS })
    } catch (error) {
      if (error instanceof UnreachableKey) throw new ObjectUnreachable(error.message)
      throw noAnswer(error, this.#client.url, request.signal)
    }
  }
}

function codeOf({ body }: HttpAnswer): string | undefined {
  return errorCodeIn(Buffer.from(body).toString())
}

const ADVICE: Readonly<Record<string, string>> = {
  InvalidAccessKeyId: 'check the access key id',
  SignatureDoesNotMatch: 'check the secret access key',
  ExpiredToken: 'renew the session token',
  RequestTimeTooSkewed: 'set the clock of this machine',
  NoSuchBucket: 'check bucket, region and endpoint',
}

const READING =
  'give its credentials the permissions s3:ListBucket and s3:GetObject, and kms:Decrypt if the objects are encrypted'
const WRITING =
  'give its credentials the permissions s3:PutObject, s3:GetObject and s3:ListBucket, and kms:GenerateDataKey if it encrypts'
const PERMISSIONS = {
  list: { verb: 'listed', advice: READING },
  read: { verb: 'read', advice: READING },
  write: { verb: 'written to', advice: WRITING },
} as const

/** Why the store has refused a request, and what to do. */
export function refusal(answer: HttpAnswer, permission: keyof typeof PERMISSIONS): Refused | RetryLater {
  const { status, headers } = answer
  const code = codeOf(answer)
  const message = `answered ${status}${code === undefined ? '' : ` (${code})`}`
  if (status === 429 || status >= 500) return new RetryLater(message, retryAfterMs(headers.get('retry-after'), Date.now()))
  const { verb, advice: forAccess } = PERMISSIONS[permission]
  const isDenied = code === 'AccessDenied' || (code === undefined && status === 403)
  const advice = (isDenied ? forAccess : ADVICE[code ?? '']) ?? `check that it may be ${verb}`
  return new Refused(`${message}: ${advice}`)
}

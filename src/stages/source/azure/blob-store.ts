import { Refused } from '../../../util/errors.ts'
import { awsEncoded } from '../../../util/http/aws-signature.ts'
import type { HttpAnswer } from '../../../util/http/send.ts'
import { errorCodeIn } from '../../../util/s3/listing.ts'
import type { SecretReference } from '../../../util/secret.ts'
import { ask, checkKey, partOf, rangeOf, refusalOf } from '../objects/request.ts'
import {
  type ListOptions,
  ObjectGone,
  type ObjectPage,
  type ObjectPart,
  type ObjectStore,
  type ReadOptions,
  type StoredObject,
} from '../objects/store.ts'
import type { Outside } from '../source.ts'
import { blobListingOf } from './blob-listing.ts'
import { sharedKeySigned } from './blob-signature.ts'

export interface BlobStoreOptions {
  readonly account: string
  readonly container: string
  /** URL of the account at an emulator or another cloud. Default: Azure. */
  readonly endpoint: string | undefined
  /** The secrets are read again for each request. */
  readonly auth: { readonly account_key: SecretReference } | { readonly sas_token: SecretReference } | undefined
  readonly outside: Outside
}

interface BlobQuery {
  readonly key?: string
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly maxBytes: number
  readonly signal: AbortSignal
}

const VERSION = '2021-12-02'
const MAX_LISTING_BYTES = 16 * 1024 * 1024
const MAX_ERROR_BYTES = 64 * 1024
/** Azure appends to a log for an hour, and each append makes a new version, which would be read as a whole. */
const APPENDED_QUIET_MS = 3_600_000
const CREDENTIALS = 'check `account_key`, or that `sas_token` has not expired and permits list and read (sp=rl)'
const ADVICE = {
  AuthenticationFailed: `${CREDENTIALS}; and the clock of this machine`,
  BlobArchived: 'move the blob to another access tier, or exclude it',
  ContainerNotFound: 'check the name of the container',
  ResourceNotFound: 'check account and container; without credentials only public containers can be read',
  '401': CREDENTIALS,
  '403': CREDENTIALS,
}

/** A container of Azure Blob Storage. */
export class BlobStore implements ObjectStore {
  readonly name: string
  readonly #options: BlobStoreOptions

  constructor(options: BlobStoreOptions) {
    this.name = `azure://${options.account}/${options.container}`
    this.#options = options
  }

  /** Without append blobs that may still grow. */
  async list({ prefix, page, signal }: ListOptions): Promise<ObjectPage> {
    const query = { restype: 'container', comp: 'list', prefix, ...(page !== undefined && { marker: page }) }
    const answer = await this.#get({ query, maxBytes: MAX_LISTING_BYTES, signal })
    if (answer.status !== 200) throw refusalOf(answer, codeOf(answer), ADVICE)
    const { blobs, next } = blobListingOf(Buffer.from(answer.body).toString())
    const nowMs = Date.parse(answer.headers.get('date') ?? '')
    if (Number.isNaN(nowMs)) throw new Refused('the store does not say when it answered (Date)')
    const isDone = blobs.filter(({ isAppended, modifiedMs }) => !isAppended || modifiedMs <= nowMs - APPENDED_QUIET_MS)
    return { objects: isDone.map(({ key, etag, size, modifiedMs }) => ({ key, etag, size, modifiedMs })), next }
  }

  async read({ key, etag }: StoredObject, { from, length, signal }: ReadOptions): Promise<ObjectPart> {
    checkKey(key)
    const headers = { range: rangeOf(from, length), ...(etag !== '' && { 'if-match': `"${etag}"` }) }
    const answer = await this.#get({ key, headers, maxBytes: length + MAX_ERROR_BYTES, signal })
    const { status } = answer
    if (status === 412 || (status === 404 && codeOf(answer) === 'BlobNotFound')) throw new ObjectGone()
    if (status !== 200 && status !== 206 && status !== 416) throw refusalOf(answer, codeOf(answer), ADVICE)
    return partOf(answer, from)
  }

  async #get({ key = '', query = {}, headers = {}, maxBytes, signal }: BlobQuery): Promise<HttpAnswer> {
    const { account, container, endpoint } = this.#options
    const base = (endpoint ?? `https://${account}.blob.core.windows.net`).replace(/\/+$/, '')
    const path = [container, ...(key === '' ? [] : key.split('/'))].map(awsEncoded).join('/')
    const url = new URL(`${base}/${path}?${new URLSearchParams(query)}`)
    const own = { ...headers, 'x-ms-version': VERSION }
    return ask(this.#options.outside.send, { url, headers: this.#authorised(url, own), isRaw: true, maxBytes, signal })
  }

  /** The headers with a signature, or the URL with one. */
  #authorised(url: URL, headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
    const { account, auth, outside } = this.#options
    if (!auth) return headers
    if ('account_key' in auth)
      return sharedKeySigned({ url, headers, account, key: outside.secret(auth.account_key), nowMs: Date.now() })
    url.search = [url.search.slice(1), sasOf(outside.secret(auth.sas_token))].filter(Boolean).join('&')
    return headers
  }
}

/** As part of a query. The portal shows it with a question mark before it. */
function sasOf(token: string): string {
  const text = token.replace(/^\?/, '')
  if (/(^|&)sig=/.test(text)) return text
  throw new Refused('the secret of `sas_token` is not a shared access signature: it contains no `sig`')
}

function codeOf({ headers, body }: HttpAnswer): string | undefined {
  return headers.get('x-ms-error-code') ?? errorCodeIn(Buffer.from(body).toString())
}

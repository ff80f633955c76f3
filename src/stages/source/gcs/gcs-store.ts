import { z } from 'zod'
import { Refused } from '../../../util/errors.ts'
import type { HttpAnswer, Send } from '../../../util/http/send.ts'
import type { CachedToken } from '../cached-token.ts'
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

export interface GcsOptions {
  readonly bucket: string
  /** URL of an emulator. Default: Google. */
  readonly endpoint: string | undefined
  /** `undefined`: requests carry no credentials. */
  readonly token: CachedToken | undefined
  readonly send: Send
}

interface GcsRequest {
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly maxBytes: number
  readonly signal: AbortSignal
}

const MAX_LISTING_BYTES = 8 * 1024 * 1024
const MAX_ERROR_BYTES = 64 * 1024
const FIELDS = 'nextPageToken,items(name,generation,size,updated)'
const page = z.object({
  nextPageToken: z.string().optional(),
  items: z
    .array(z.object({ name: z.string(), generation: z.string(), size: z.string().regex(/^\d{1,15}$/), updated: z.string() }))
    .default([]),
})
const ADVICE = {
  '401': 'give `service_account_key` the key of a service account',
  '403': 'give the service account the permissions storage.objects.list and storage.objects.get (role Storage Object Viewer)',
  '404': 'check the name of the bucket',
}

/** A bucket of Google Cloud Storage, by its JSON API. */
export class GcsStore implements ObjectStore {
  readonly name: string
  readonly #options: GcsOptions

  constructor(options: GcsOptions) {
    this.name = `gs://${options.bucket}`
    this.#options = options
  }

  async list({ prefix, after, page: pageToken, signal }: ListOptions): Promise<ObjectPage> {
    const from = pageToken !== undefined ? { pageToken } : after !== undefined ? { startOffset: after } : {}
    const answer = await this.#get({ path: '', query: { prefix, fields: FIELDS, ...from }, maxBytes: MAX_LISTING_BYTES, signal })
    if (answer.status !== 200) throw refusalOf(answer, undefined, ADVICE)
    const listed = page.safeParse(jsonOf(answer)).data
    if (!listed) throw new Refused('the store does not answer with a list of objects: check `endpoint`')
    const objects = listed.items.flatMap(({ name: key, generation: etag, size, updated }) => {
      const modifiedMs = Date.parse(updated)
      if (Number.isNaN(modifiedMs)) throw new Refused('the store answers with an object without a time')
      return key.endsWith('/') && Number(size) === 0 ? [] : [{ key, etag, size: Number(size), modifiedMs }]
    })
    return { objects, next: listed.nextPageToken }
  }

  async read({ key, etag }: StoredObject, { from, length, signal }: ReadOptions): Promise<ObjectPart> {
    checkKey(key)
    const query = { alt: 'media', generation: etag }
    // Without accept-encoding an object that is stored as gzip is decompressed by the store, and ranges are ignored.
    const headers = { range: rangeOf(from, length), 'accept-encoding': 'gzip' }
    const path = `/${encodeURIComponent(key)}`
    const answer = await this.#get({ path, query, headers, maxBytes: length + MAX_ERROR_BYTES, signal })
    const { status } = answer
    if (status === 404) throw new ObjectGone()
    if (status !== 200 && status !== 206 && status !== 416) throw refusalOf(answer, undefined, ADVICE)
    return partOf(answer, from)
  }

  async #get({ path, query, headers = {}, maxBytes, signal }: GcsRequest): Promise<HttpAnswer> {
    const { bucket, endpoint = 'https://storage.googleapis.com', token, send } = this.#options
    const base = endpoint.replace(/\/+$/, '')
    const url = `${base}/storage/v1/b/${encodeURIComponent(bucket)}/o${path}?${new URLSearchParams(query)}`
    const authorization = token && { authorization: `Bearer ${await token.get(signal)}` }
    const answer = await ask(send, { url, headers: { ...headers, ...authorization }, isRaw: true, maxBytes, signal })
    if (answer.status === 401) token?.forget()
    return answer
  }
}

function jsonOf({ body }: HttpAnswer): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString())
  } catch {
    return undefined
  }
}

import { isObject, type JsonObject } from '../../../model/json.ts'
import { type HttpAnswer, type Send, shownUrl } from '../../../util/http/send.ts'
import { parseJson, stringifyJson } from '../../../util/json.ts'
import type { ApiKeys } from '../api-keys.ts'
import { type Auth, authorize } from '../auth.ts'
import { tooLarge } from '../content.ts'
import { fetchError, statusError } from '../fetch-error.ts'
import { TableError } from '../table.ts'

export interface CollectionOptions {
  readonly url: string
  readonly collection: string
  readonly headers: Readonly<Record<string, string>>
  readonly auth?: Auth | undefined
  readonly page_size: number
  readonly max_pages: number
  readonly max_bytes: number
  readonly send: Send
  readonly keys: ApiKeys
  readonly signal: AbortSignal
  /** When the whole fetch must be finished. */
  readonly endMs: number
}

const ACCEPT = 'application/taxii+json;version=2.1'
const INDICATORS = { 'match[type]': 'indicator' }
const MAX_REDIRECTS = 5
const MAX_DEPTH = 64

/** One page of objects. */
interface Page {
  readonly objects: readonly JsonObject[]
  readonly isLast: boolean
  readonly next: string | undefined
  /** When the last of these objects was added; a time of the server. */
  readonly added: string | undefined
  readonly bytes: number
}

/** A collection for the time of one refresh. */
export class Collection {
  readonly #options: CollectionOptions

  constructor(options: CollectionOptions) {
    this.#options = options
  }

  /** True if indicators were added after this time. */
  async hasNewer(added: string): Promise<boolean> {
    const { objects } = await this.#page({ ...INDICATORS, added_after: added, limit: '1' })
    return objects.length > 0
  }

  /** All indicators as the JSON of a bundle, and when the last object was added. */
  async indicators(): Promise<{ readonly bundle: string; readonly added: string | undefined }> {
    const { max_pages: maxPages, max_bytes: maxBytes, page_size: pageSize } = this.#options
    const parts: string[] = []
    let added: string | undefined
    let query: Record<string, string> = {}
    for (let count = 0, bytes = 0; ; count++) {
      if (count >= maxPages)
        throw new TableError(`the collection has more than ${maxPages} pages: raise the provider's max_pages or page_size`)
      const page = await this.#page({ ...INDICATORS, limit: String(pageSize), ...query })
      bytes += page.bytes
      if (bytes > maxBytes) throw tooLarge(maxBytes)
      for (const object of page.objects) if (object['type'] === 'indicator') parts.push(stringifyJson(object))
      added = page.added ?? added
      if (page.isLast) return { bundle: `{"type":"bundle","objects":[${parts.join(',')}]}`, added }
      query = this.#after(page, query)
    }
  }

  /** How to request the next page: by its token, which may be the same for all, or by time where a server has no tokens. */
  #after({ next, added }: Page, query: Readonly<Record<string, string>>): Record<string, string> {
    if (next !== undefined) return { next }
    if (added !== undefined && added !== query['added_after']) return { added_after: added }
    throw new TableError(`${shownUrl(this.#options.url)} says that there are more objects, but not how to get them`)
  }

  async #page(query: Record<string, string>): Promise<Page> {
    const { url, collection, headers, auth, keys, send, signal, endMs, max_bytes: maxBytes } = this.#options
    const target = new URL(`${url.replace(/\/+$/, '')}/collections/${collection}/objects/`)
    for (const [name, value] of Object.entries(query)) target.searchParams.set(name, value)
    const host = shownUrl(target)
    const request = authorize({ url: target.href, headers: { ...headers, accept: ACCEPT } }, auth, keys)
    let answer: HttpAnswer
    try {
      answer = await send({ ...request, signal, timeoutMs: Math.max(1, endMs - Date.now()), maxBytes, redirects: MAX_REDIRECTS })
    } catch (error) {
      throw fetchError(error, host, maxBytes)
    }
    if (answer.status !== 200 && answer.status !== 206) throw refused(answer, host, collection)
    return pageOf(answer, host)
  }
}

function pageOf({ body, headers }: HttpAnswer, host: string): Page {
  const read = parseJson(Buffer.from(body).toString(), { maxDepth: MAX_DEPTH })
  const envelope = read.kind === 'ok' ? read.value : undefined
  const { objects = [], more = false, next } = isObject(envelope) ? envelope : {}
  if (!isObject(envelope) || !Array.isArray(objects) || !objects.every(isObject))
    throw new TableError(`${host} does not answer with a TAXII 2.1 envelope: check the provider's url`)
  return {
    objects,
    isLast: more !== true,
    next: typeof next === 'string' || typeof next === 'number' ? String(next) : undefined,
    // With a single object, some servers send only the first of the two.
    added: headers.get('x-taxii-date-added-last') || headers.get('x-taxii-date-added-first'),
    bytes: body.length,
  }
}

function refused(answer: HttpAnswer, host: string, collection: string): TableError {
  const { status } = answer
  const advice: Readonly<Record<number, string>> = {
    401: 'it needs a key, or another one: see `auth`',
    403: 'the key may not read this collection',
    404: `there is no collection ${collection} under this API root`,
    406: 'it does not speak TAXII 2.1',
    429: 'it allows fewer requests: raise Refresh.PeriodMinutes',
  }
  return statusError(answer, `${host} answered ${status}${advice[status] === undefined ? '' : `: ${advice[status]}`}`)
}

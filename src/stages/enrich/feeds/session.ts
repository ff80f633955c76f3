import { z } from 'zod'
import { isObject, type JsonObject, type JsonValue } from '../../../model/json.ts'
import { hash16 } from '../../../util/hash.ts'
import { type HttpAnswer, shownUrl } from '../../../util/http/send.ts'
import { parseJson } from '../../../util/json.ts'
import { DEFAULT_MAX_BYTES, MOST_BYTES, tooLarge } from '../content.ts'
import { fetchError, statusError } from '../fetch-error.ts'
import type { Fetched, ProviderDeps } from '../provider.ts'
import { TableError } from '../table.ts'

const MAX_DEPTH = 32
/** Far more pages than any account has. */
const MAX_PAGES = 20_000
const MAX_REDIRECTS = 5
/** Rows may be longer than the answers by this factor: they repeat some of it, as their keys do. */
const MOST_REPEATED = 4

/** Settings that all providers of services share. */
export const serviceLimits = {
  timeout_secs: z.int().min(1).max(7200).default(900).describe('Time limit for the whole refresh, in seconds.'),
  max_bytes: z
    .int()
    .min(1)
    .max(MOST_BYTES)
    .default(DEFAULT_MAX_BYTES)
    .describe('Maximum size of all answers of one refresh together, in bytes.'),
}

export const keyName = z.string().min(1).max(64).describe('Name of a key in the configuration (`keys`).')

export interface ServiceRequest {
  readonly url: string | URL
  readonly method?: 'GET' | 'POST'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

export interface ServiceAnswer {
  readonly json: JsonValue
  readonly headers: ReadonlyMap<string, string>
}

/** Requests to a service for one refresh, with one time limit and one size limit for all of them. */
export class ServiceSession {
  readonly #send: ProviderDeps['send']
  readonly #signal: AbortSignal
  readonly #until: number
  readonly #maxBytes: number
  #left: number

  constructor(
    { send }: Pick<ProviderDeps, 'send'>,
    { timeout_secs: seconds, max_bytes: maxBytes }: { readonly timeout_secs: number; readonly max_bytes: number },
    signal: AbortSignal,
  ) {
    this.#send = send
    this.#signal = signal
    this.#until = performance.now() + seconds * 1000
    this.#maxBytes = maxBytes
    this.#left = maxBytes
  }

  /**
   * Fetches a JSON answer. Redirects are not followed, because the request has a key.
   *
   * @throws {TableError} that names the host only: URLs, headers and answers may contain secrets.
   */
  async json(request: ServiceRequest): Promise<ServiceAnswer> {
    const host = shownUrl(request.url)
    const answer = await this.#fetch(request, host)
    const { status, body, headers } = answer
    if (status < 200 || status > 299) throw statusError(answer, `${host} ${refusal(status, headers)}`)
    const read = parseJson(new TextDecoder().decode(body), { maxDepth: MAX_DEPTH })
    if (read.kind === 'failure') throw new TableError(`the answer of ${host} is not JSON: ${read.message}`)
    return { json: read.value, headers }
  }

  /** Fetches content without a key, and follows redirects. */
  async bytes(request: ServiceRequest): Promise<Uint8Array> {
    return (await this.answer(request)).body
  }

  /** The same with status and headers; the statuses that the caller expects are no failures. */
  async answer(request: ServiceRequest, expected: readonly number[] = []): Promise<HttpAnswer> {
    const host = shownUrl(request.url)
    const answer = await this.#fetch(request, host, MAX_REDIRECTS)
    const { status, headers } = answer
    if ((status < 200 || status > 299) && !expected.includes(status))
      throw statusError(answer, `${host} ${refusal(status, headers)}`)
    return answer
  }

  async #fetch(request: ServiceRequest, host: string, redirects = 0): Promise<HttpAnswer> {
    this.#signal.throwIfAborted()
    const timeoutMs = Math.max(1, Math.ceil(this.#until - performance.now()))
    try {
      const answer = await this.#send({
        ...request,
        redirects,
        signal: this.#signal,
        timeoutMs,
        maxBytes: Math.max(1, this.#left),
      })
      this.#left -= answer.body.length
      if (this.#left < 0) throw tooLarge(this.#maxBytes)
      return answer
    } catch (error) {
      if (this.#signal.aborted) throw error
      throw fetchError(error, host, this.#maxBytes)
    }
  }

  /** The answers of one page after another; `next` returns the request for the page after an answer. */
  async *pages(
    first: ServiceRequest,
    next: (answer: ServiceAnswer) => ServiceRequest | undefined,
  ): AsyncGenerator<ServiceAnswer> {
    const seen = new Set<string>()
    for (let request: ServiceRequest | undefined = first; request; ) {
      const place = `${String(request.url)} ${request.body ?? ''}`
      if (seen.has(place)) throw new TableError(`${shownUrl(request.url)} names a page again that was fetched before`)
      if (seen.add(place).size > MAX_PAGES) throw new TableError(`${shownUrl(request.url)} has more than ${MAX_PAGES} pages`)
      const answer = await this.json(request)
      yield answer
      request = next(answer)
    }
  }
}

function refusal(status: number, headers: ReadonlyMap<string, string>): string {
  if (status === 401 || status === 403) return `answered ${status}: check the key and what it may read`
  const after = headers.get('retry-after')
  if (status === 429) return `answered 429: too many requests${after ? `, try again in ${after.slice(0, 40)} s` : ''}`
  return `answered ${status}`
}

/** The objects of the list under `name` in an answer. A missing list is empty, as services leave it out on an empty page. */
export function listAt(json: JsonValue, name: string): JsonObject[] {
  const list = isObject(json) ? (json[name] ?? []) : undefined
  if (!Array.isArray(list)) throw new TableError(`the answer has no list '${name}'`)
  return (list as JsonValue[]).filter(isObject)
}

/**
 * Rows as content of the format `jsonl`; `undefined` if they are the same as last time. A short answer may become very long content, if many
 * rows repeat what it says once.
 */
export function fetchedRows(
  rows: readonly JsonObject[],
  validators: Readonly<Record<string, string>>,
  { max_bytes: maxBytes }: { readonly max_bytes: number },
): Fetched | undefined {
  let size = 0
  const lines = rows.map((row) => {
    const line = `${JSON.stringify(row, plain)}\n`
    size += line.length
    if (size > maxBytes * MOST_REPEATED) throw tooLarge(maxBytes)
    return line
  })
  const text = lines.join('')
  const hash = `${rows.length}/${hash16(text)}`
  return validators['rows'] === hash ? undefined : { bytes: Buffer.from(text), validators: { rows: hash } }
}

/** Integers beyond the exact range of a number. */
function plain(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value
}

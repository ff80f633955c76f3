import { newsOf } from './news.ts'
import type { Operations } from './operations.ts'
import { ApiProblem, problemOfResponse } from './problem.ts'

export type { Operations } from './operations.ts'
export { ApiProblem } from './problem.ts'

/** `GET /api/v1/alerts` and so on. */
export type OperationName = keyof Operations

/** What an operation answers; `Response` for files and streams. */
export type Answer<N extends OperationName> = Operations[N]['answer']

/** What an operation takes: `path`, `query` and `body`, as far as it has them. */
export type Ask<N extends OperationName> = Omit<Operations[N], 'answer' | 'event'> & {
  readonly signal?: AbortSignal | undefined
  /** The caller's own name for a change: if the call is repeated with it within a day, the change is made once. */
  readonly idempotencyKey?: string | undefined
  /** ETag of what the caller has seen: the change is refused with 412 if there was another since. For operations that take `If-Match`. */
  readonly ifMatch?: string | undefined
}

/** Operations whose answer is a page of a list. */
export type ListName = {
  [N in OperationName]: Answer<N> extends { readonly results: readonly unknown[]; readonly next: string | null } ? N : never
}[OperationName]

/** An entry of a list. */
export type Item<N extends OperationName> = Answer<N> extends { readonly results: readonly (infer T)[] } ? T : never

/** What has just happened. */
export type News = Operations['GET /api/v1/stream']['event']

/** An operation that needs nothing may be called with its name alone. */
type Asking<N extends OperationName> =
  Record<never, never> extends Omit<Operations[N], 'answer' | 'event'> ? [ask?: Ask<N>] : [ask: Ask<N>]

export interface ClientOptions {
  /** Where Caracal is: `https://siem.example.org` or, below a path, `https://example.org/siem`. */
  readonly url: string | URL
  /** An API token. Without one, a browser sends the session of the person who is signed in. */
  readonly token?: string
  readonly fetch?: typeof fetch
}

export interface Client {
  /** Calls an operation. Throws `ApiProblem` if it fails, and what `fetch` throws if `signal` aborts it. */
  call<N extends OperationName>(name: N, ...ask: Asking<N>): Promise<Answer<N>>
  /** Every entry of a list, page by page. */
  list<N extends ListName>(name: N, ...ask: Asking<N>): AsyncGenerator<Item<N>>
  /**
   * News as they happen, without end: a cut connection is made again, and continues after the last event. `reset` stands for news that
   * cannot be had any more: read everything again.
   */
  news(options?: { readonly kinds?: readonly News['kind'][]; readonly signal?: AbortSignal }): AsyncGenerator<News | 'reset'>
}

/** A client of the API. It uses `fetch` and nothing else, so it runs in browsers too. */
export function createClient({ url, token, fetch: send = fetch }: ClientOptions): Client {
  const base = String(url).replace(/\/?$/, '/')
  const headers = { ...(token !== undefined && { authorization: `Bearer ${token}` }) }

  async function request(name: OperationName, ask: Parts, more: Readonly<Record<string, string>> = {}): Promise<Response> {
    const { method, address } = addressOf(base, name, ask)
    let response: Response
    try {
      response = await send(address, {
        method,
        headers: {
          ...headers,
          ...(ask.body !== undefined && { 'content-type': 'application/json' }),
          ...(ask.idempotencyKey !== undefined && { 'idempotency-key': ask.idempotencyKey }),
          ...(ask.ifMatch !== undefined && { 'if-match': ask.ifMatch }),
          ...more,
        },
        ...(ask.body !== undefined && { body: JSON.stringify(ask.body) }),
        ...(ask.signal && { signal: ask.signal }),
      })
    } catch (error) {
      if (ask.signal?.aborted) throw error
      throw new ApiProblem(0, 'unreachable', `Caracal does not answer at ${base}; it may be restarting`)
    }
    if (!response.ok) throw await problemOfResponse(response)
    return response
  }

  async function call<N extends OperationName>(name: N, ...[ask]: Asking<N>): Promise<Answer<N>> {
    const response = await request(name, ask ?? {})
    const isJson = /^application\/json\s*(;|$)/i.test(response.headers.get('content-type') ?? '')
    return (isJson ? await response.json() : response) as Answer<N>
  }

  async function* list<N extends ListName>(name: N, ...[ask]: Asking<N>): AsyncGenerator<Item<N>> {
    let cursor: string | undefined
    do {
      const given: Parts = ask ?? {}
      const page = await call(name, ...([{ ...given, query: { ...given.query, cursor } }] as unknown as Asking<N>))
      const { results, next } = page as { readonly results: readonly Item<N>[]; readonly next: string | null }
      yield* results
      cursor = next ?? undefined
    } while (cursor !== undefined)
  }

  return {
    call,
    list,
    news: ({ kinds, signal } = {}) =>
      newsOf<News>(
        (lastId) =>
          request(
            'GET /api/v1/stream',
            { query: { kind: kinds }, ...(signal && { signal }) },
            lastId === undefined ? {} : { 'last-event-id': lastId },
          ),
        signal,
      ),
  }
}

interface Parts {
  readonly path?: Readonly<Record<string, unknown>>
  readonly query?: Readonly<Record<string, unknown>>
  readonly body?: unknown
  readonly signal?: AbortSignal | undefined
  readonly idempotencyKey?: string | undefined
  readonly ifMatch?: string | undefined
}

/** `GET /api/v1/alerts/{id}` with its parameters filled in. */
function addressOf(base: string, name: OperationName, { path = {}, query = {} }: Parts): { method: string; address: string } {
  const [method, template] = name.split(' ') as [string, string]
  const filled = template.replace(/\{(\w+)\}/g, (_, parameter: string) => encodeURIComponent(String(path[parameter])))
  const search = new URLSearchParams()
  for (const [key, value] of Object.entries(query)) {
    if (value === undefined) continue
    for (const one of Array.isArray(value) ? value : [value]) search.append(key, String(one))
  }
  const text = search.toString()
  return { method, address: `${base}${filled.slice(1)}${text === '' ? '' : `?${text}`}` }
}

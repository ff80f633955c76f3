import { z } from 'zod'
import { messageOf } from '../../util/errors.ts'
import { DEFAULT_MAX_BYTES, tooLarge, unpack } from './content.ts'
import { defineProvider } from './provider.ts'
import { TableError } from './table.ts'

const MAX_REDIRECTS = 5

/** Fetches by HTTP GET, conditionally (`ETag`, `Last-Modified`) when the content is there already. */
export const url = defineProvider({
  type: 'url',
  summary: 'Fetches a table over HTTP or HTTPS, again when it has changed.',
  config: z.object({
    url: z.url({ protocol: /^https?$/ }).describe('Where the content is.'),
    headers: z.record(z.string(), z.string()).default({}).describe('Extra request headers.'),
    timeout_secs: z.int().min(1).max(3600).default(60).describe('The whole fetch may take this long.'),
    max_bytes: z.int().min(1).default(DEFAULT_MAX_BYTES).describe('Larger content is refused (decompressed).'),
  }),
  example: { url: 'https://lists.example.com/exit-nodes.txt' },
  isLocal: false,
  periodMinutes: 60,

  create({ url: address, headers, timeout_secs: seconds, max_bytes: maxBytes }, { fetch }) {
    return {
      async refresh(validators, signal) {
        const limit = AbortSignal.any([signal, AbortSignal.timeout(seconds * 1000)])
        try {
          const response = await get(fetch, address, { ...headers, ...conditions(validators) }, limit)
          if (response.status === 304) {
            await response.body?.cancel()
            return undefined
          }
          const bytes = await readBody(response, maxBytes)
          if (bytes.length === 0) throw new TableError(`${address} answered with an empty body`)
          await unpack(bytes, maxBytes)
          return { bytes, validators: validatorsOf(response) }
        } catch (error) {
          if (error instanceof TableError) throw error
          const what = limit.aborted && !signal.aborted ? `no whole answer within ${seconds} s` : detail(error)
          throw new TableError(`cannot fetch ${address}: ${what}`, { cause: error })
        }
      },
    }
  },
})

/** GET that follows a few redirects itself, to HTTP addresses only, and without the extra headers on another host. */
async function get(
  fetcher: typeof fetch,
  address: string,
  headers: Record<string, string>,
  signal: AbortSignal,
): Promise<Response> {
  let target = new URL(address)
  let sent = headers
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const response = await fetcher(target, { headers: sent, redirect: 'manual', signal })
    if (response.status === 304 || response.ok) return response
    await response.body?.cancel()
    const location = response.headers.get('location')
    if (response.status < 300 || response.status > 399 || !location) throw new TableError(`${target} answered ${response.status}`)
    const next = new URL(location, target)
    if (next.protocol !== 'http:' && next.protocol !== 'https:')
      throw new TableError(`${target} redirects to ${next.protocol}, which is not HTTP`)
    if (target.protocol === 'https:' && next.protocol === 'http:')
      throw new TableError(`${target} redirects to plain HTTP: ${next}`)
    if (next.host !== target.host) sent = {}
    target = next
  }
  throw new TableError(`${address} redirects more than ${MAX_REDIRECTS} times`)
}

function conditions(validators: Readonly<Record<string, string>>): Record<string, string> {
  const { etag, last_modified: modified } = validators
  return { ...(etag ? { 'if-none-match': etag } : {}), ...(modified ? { 'if-modified-since': modified } : {}) }
}

function validatorsOf(response: Response): Record<string, string> {
  const etag = response.headers.get('etag')
  const modified = response.headers.get('last-modified')
  return { ...(etag ? { etag } : {}), ...(modified ? { last_modified: modified } : {}) }
}

/** The body, given up as soon as it is longer than the limit (counted after HTTP's own decompression). */
async function readBody(response: Response, maxBytes: number): Promise<Uint8Array> {
  if (!response.body) return new Uint8Array(0)
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    size += chunk.length
    if (size > maxBytes) throw tooLarge(maxBytes)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, size)
}

/** `fetch failed` says nothing: its cause does. */
function detail(error: unknown): string {
  return error instanceof Error && error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : messageOf(error)
}

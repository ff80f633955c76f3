import { z } from 'zod'
import { type HttpAnswer, type HttpRequest, type Send, shownUrl } from '../../util/http/send.ts'
import { targetUrl } from '../../util/http/target-url.ts'
import { authorize, authSchema, headersSchema } from './auth.ts'
import { contentKeys, received } from './content.ts'
import { fetchError, statusError } from './fetch-error.ts'
import { defineProvider } from './provider.ts'
import { RefusedAnswer } from './table.ts'

const MAX_REDIRECTS = 5

/** Fetches by HTTP GET, conditionally (`ETag`, `Last-Modified`) when a version was fetched before. Messages name only the host, because paths and queries may contain keys. */
export const url = defineProvider({
  type: 'url',
  summary: 'Fetches a table over HTTP or HTTPS, again whenever it changes.',
  config: z.object({
    url: targetUrl.describe('URL of the content. A private address needs http.allow_private in the configuration.'),
    headers: headersSchema,
    auth: authSchema.optional().describe('A key to send with the request.'),
    timeout_secs: z.int().min(1).max(3600).default(60).describe('Time limit for the whole fetch, in seconds.'),
    ...contentKeys,
  }),
  example: { url: 'https://lists.example.com/exit-nodes.txt' },
  isLocal: false,
  periodMinutes: 60,

  create({ url: address, headers, auth, timeout_secs: seconds, ...unpacking }, { send, keys }) {
    const host = shownUrl(address)
    return {
      async refresh(validators, signal) {
        const answer = await get(send, host, {
          ...authorize({ url: address, headers: { ...headers, ...conditions(validators) } }, auth, keys),
          signal,
          timeoutMs: seconds * 1000,
          maxBytes: unpacking.max_bytes,
          redirects: MAX_REDIRECTS,
        })
        if (answer.status === 304) return undefined
        if (answer.status < 200 || answer.status > 299) throw statusError(answer, `${host} answered ${answer.status}`)
        if (answer.body.length === 0) throw new RefusedAnswer(`${host} answered with an empty body`)
        return { bytes: await received(answer.body, unpacking), validators: validatorsOf(answer) }
      },
    }
  },
})

async function get(send: Send, host: string, request: HttpRequest): Promise<HttpAnswer> {
  try {
    return await send(request)
  } catch (error) {
    throw fetchError(error, host, request.maxBytes)
  }
}

function conditions(validators: Readonly<Record<string, string>>): Record<string, string> {
  const { etag, last_modified: modified } = validators
  return { ...(etag ? { 'if-none-match': etag } : {}), ...(modified ? { 'if-modified-since': modified } : {}) }
}

function validatorsOf({ headers }: HttpAnswer): Record<string, string> {
  const etag = headers.get('etag')
  const modified = headers.get('last-modified')
  return { ...(etag ? { etag } : {}), ...(modified ? { last_modified: modified } : {}) }
}

import { createHash } from 'node:crypto'
import type { MiddlewareHandler } from 'hono'
import { z } from 'zod'

/** Longer answers have no ETag: they would have to be held in memory to compute it. */
const MAX_BYTES = 4 * 1024 * 1024

/**
 * A condition of a change. An ETag begins with the version of what people changed, and only that is compared: counts that grow by
 * themselves do not make a change fail.
 */
export const ifMatch = z.object({
  'if-match': z
    .string()
    .regex(/^(?:\*|"\d{1,15}(?:-[\w-]{1,64})?")$/, 'an ETag such as "7"')
    .optional()
    .describe('The ETag of what the caller has seen; refused if it was changed since.'),
})

/** The version that the caller has seen; `undefined` if any will do. */
export function versionOf(given: z.output<typeof ifMatch>): number | undefined {
  const version = /^"(\d+)/.exec(given['if-match'] ?? '')?.[1]
  return version === undefined ? undefined : Number(version)
}

/**
 * Gives answers in JSON to `GET` a strong ETag, and answers 304 if the caller has the same answer already. The ETag is a hash of the
 * answer, after the version if the route has set one.
 */
export const tagged: MiddlewareHandler = async (c, next) => {
  await next()
  const { res, req } = c
  const isJson = /^application\/json\b/.test(res.headers.get('content-type') ?? '')
  if ((req.method !== 'GET' && req.method !== 'HEAD') || res.status !== 200 || !isJson || !res.body) return
  const reader = res.body.getReader()
  const parts: Uint8Array[] = []
  let size = 0
  let isWhole = false
  while (size <= MAX_BYTES && !isWhole) {
    const { done, value } = await reader.read()
    isWhole = done
    if (!value) continue
    parts.push(value)
    size += value.byteLength
  }
  const headers = new Headers(res.headers)
  c.res = undefined
  if (!isWhole) {
    c.res = new Response(resumed(parts, reader), { headers })
    return
  }
  const version = /^"(\d+|[0-9a-f]{16})"$/.exec(headers.get('etag') ?? '')?.[1]
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  const etag = `"${version === undefined ? '' : `${version}-`}${hash.digest('base64url').slice(0, 22)}"`
  headers.set('etag', etag)
  if (isNamed(req.header('if-none-match'), etag)) {
    headers.delete('content-type')
    headers.delete('content-length')
    c.res = new Response(null, { status: 304, headers })
  } else c.res = new Response(Buffer.concat(parts), { headers })
}

/** What was read already, then the rest as fast as the client takes it. */
function resumed(parts: readonly Uint8Array[], reader: ReadableStreamDefaultReader<Uint8Array>): ReadableStream<Uint8Array> {
  const waiting = [...parts]
  return new ReadableStream({
    async pull(controller) {
      const part = waiting.shift()
      const { done, value } = part ? { done: false, value: part } : await reader.read()
      if (done) controller.close()
      else controller.enqueue(value!)
    },
    cancel: (reason) => reader.cancel(reason),
  })
}

/** RFC 9110: `If-None-Match` compares weakly. */
function isNamed(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false
  return header.split(',').some((one) => one.trim() === '*' || one.trim().replace(/^W\//, '') === etag)
}

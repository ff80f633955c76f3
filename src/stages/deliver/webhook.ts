import { createHmac } from 'node:crypto'
import { z } from 'zod'
import { messageOf, Refused, RetryLater } from '../../util/errors.ts'
import { defineDestination, destinationBase } from './destination.ts'

const secretReference = z.union([z.strictObject({ env: z.string() }), z.strictObject({ file: z.string() })])

/** 2xx is delivered; 408, 429 and 5xx are tried again, and so is a receiver that cannot be reached; any other answer is final. */
export const webhook = defineDestination({
  type: 'webhook',
  summary: 'Posts each alert as JSON to a URL.',
  config: z.object({
    ...destinationBase,
    url: z.url({ protocol: /^https?$/ }).describe('Where alerts are posted.'),
    headers: z.record(z.string(), z.string()).default({}).describe('Extra request headers.'),
    secret: secretReference.optional().describe('Key of the HMAC in Caracal-Signature; without it there is no signature.'),
    timeout_ms: z.int().min(100).max(120_000).default(10_000).describe('A try that takes longer is ended and made again.'),
  }),
  example: { id: 'soc', url: 'https://hooks.example.com/alerts' },

  async create({ url, headers, secret, timeout_ms }, { fetch, now, secret: resolve }) {
    const key = secret ? resolve(secret) : undefined
    // Made once, so that a header that cannot be sent stops the start and not every delivery.
    const fixed = new Headers({ 'content-type': 'application/json' })
    for (const [name, value] of Object.entries(headers)) fixed.set(name, value)
    return {
      async send({ id, body }, signal) {
        const timestamp = String(Math.floor(now() / 1000))
        const all = new Headers(fixed)
        all.set('Caracal-Delivery', id)
        all.set('Caracal-Timestamp', timestamp)
        if (key !== undefined)
          all.set('Caracal-Signature', `sha256=${createHmac('sha256', key).update(`${timestamp}.${body}`).digest('hex')}`)
        const response = await post(fetch, url, {
          method: 'POST',
          redirect: 'manual',
          headers: all,
          body,
          signal: AbortSignal.any([signal, AbortSignal.timeout(timeout_ms)]),
        })
        // The answer's text is not wanted; that its connection breaks now changes nothing.
        await response.body?.cancel().catch(() => {})
        if (response.ok) return
        const message = `the webhook answered ${response.status}`
        if (response.status === 408 || response.status === 429 || response.status >= 500)
          throw new RetryLater(message, retryAfter(response, now()))
        throw new Refused(message)
      },
      async close() {},
    }
  },
})

async function post(send: typeof fetch, url: string, init: RequestInit): Promise<Response> {
  try {
    return await send(url, init)
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : ''
    throw new RetryLater(`the webhook cannot be reached: ${messageOf(error)}${cause}`, undefined, { cause: error })
  }
}

/** Longest wait that a receiver may ask for. */
const MAX_RETRY_AFTER_MS = 3_600_000

/** Milliseconds of a Retry-After, in seconds or as a date, at most an hour. */
function retryAfter(response: Response, nowMs: number): number | undefined {
  const text = response.headers.get('retry-after')?.trim()
  if (!text) return undefined
  const isDate = /^[A-Z][a-z]{2,8}[, ]/.test(text)
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : isDate ? Date.parse(text) - nowMs : Number.NaN
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS) : undefined
}

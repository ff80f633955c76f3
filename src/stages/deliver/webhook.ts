import { z } from 'zod'
import { ConfigError, messageOf, Refused, RetryLater } from '../../util/errors.ts'
import { retryAfterMs } from '../../util/http/retry-after.ts'
import { checkedHeaders, type HttpAnswer, HttpError, type HttpRequest, type Send, shownUrl } from '../../util/http/send.ts'
import { signatureHeaders } from '../../util/http/signature.ts'
import { CREDENTIALS_IN_URL, holdsCredentials, targetUrl } from '../../util/http/target-url.ts'
import { type SecretReference, secretReference } from '../../util/secret.ts'
import { defineDestination, destinationBase } from './destination.ts'
import { webhookBody } from './webhook-body.ts'

/**
 * 2xx means delivered; 408, 429, 5xx and no response are retried; any other status is final. Redirects are not followed, because the
 * operator did not choose their target.
 */
export const webhook = defineDestination({
  type: 'webhook',
  summary: 'Posts each alert as JSON to a URL.',
  config: z.object({
    ...destinationBase,
    url: z
      .union([targetUrl, secretReference], {
        error: 'a URL (https://…), or {env: NAME} or {file: PATH} where the URL is a secret',
      })
      .describe('URL to post alerts to, or a reference to it if it is secret. Private addresses are allowed.'),
    headers: z
      .record(z.string(), z.union([z.string(), secretReference]))
      .default({})
      .describe('Extra request headers. Write a secret value as {env: NAME} or {file: PATH}.'),
    secret: secretReference
      .optional()
      .describe('Key for the HMAC in the Caracal-Signature header. Default: requests are not signed.'),
    timeout_ms: z
      .int()
      .min(100)
      .max(120_000)
      .default(10_000)
      .describe('Time limit for one attempt, in milliseconds; after it the attempt fails and is retried.'),
  }),
  example: { id: 'soc', url: 'https://hooks.example.com/alerts' },
  isLocal: false,

  async create({ url, headers, secret, timeout_ms }, { send, now, secret: resolve }) {
    const text = (value: string | SecretReference) => (typeof value === 'string' ? value : resolve(value))
    const address = text(url)
    checkAddress(address)
    const key = secret && resolve(secret)
    const fixed = checkedHeaders(Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, text(value)])))
    const host = shownUrl(address)
    return {
      async send({ id, alert }, signal) {
        const body = webhookBody(alert)
        const answer = await post(send, host, {
          method: 'POST',
          url: address,
          headers: {
            'content-type': 'application/json',
            ...fixed,
            ...signatureHeaders(body, key, now()),
            'caracal-delivery': id,
          },
          body,
          signal,
          timeoutMs: timeout_ms,
          maxBytes: 0,
        })
        judge(answer, host, now())
      },
      async close() {},
    }
  },
})

/** For a URL written in the configuration the schema has checked it; a secret URL must not appear in the error. */
function checkAddress(address: string): void {
  if (holdsCredentials(address))
    throw new ConfigError(`url: ${CREDENTIALS_IN_URL} (under headers; its value may be {env: NAME} or {file: PATH})`)
  if (!targetUrl.safeParse(address).success)
    throw new ConfigError('url: the secret that it refers to is not an http or https URL')
}

async function post(send: Send, host: string, request: HttpRequest): Promise<HttpAnswer> {
  try {
    return await send(request)
  } catch (error) {
    const why = error instanceof HttpError || request.signal?.aborted ? messageOf(error) : 'an unexpected error'
    const message = `the webhook at ${host} cannot be reached: ${why}`
    if (error instanceof HttpError && error.failure === 'invalid') throw new Refused(message, { cause: error })
    throw new RetryLater(message, undefined, { cause: error })
  }
}

/** Returns if the alert was accepted. */
function judge({ status, headers }: HttpAnswer, host: string, nowMs: number): void {
  if (status >= 200 && status < 300) return
  const message = `the webhook at ${host} answered ${status}`
  if (status === 408 || status === 429 || status >= 500)
    throw new RetryLater(message, retryAfterMs(headers.get('retry-after'), nowMs))
  throw new Refused(status >= 300 && status < 400 ? `${message}, and redirects are not followed: name the final URL` : message)
}

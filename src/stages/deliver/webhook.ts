import { z } from 'zod'
import { signatureHeaders } from '../../util/http/signature.ts'
import { type SecretReference, secretReference } from '../../util/secret.ts'
import { defineDestination, destinationBase } from './destination.ts'
import { addressOf, poster, secretUrl } from './post.ts'
import { checkTemplate, filled } from './template.ts'
import { webhookBody } from './webhook-body.ts'

export const webhook = defineDestination({
  type: 'webhook',
  summary: 'Posts each alert as JSON to a URL.',
  config: z.object({
    ...destinationBase,
    url: secretUrl.describe('URL to post alerts to, or a reference to it if it is secret. Private addresses are allowed.'),
    headers: z
      .record(z.string(), z.union([z.string(), secretReference]))
      .default({})
      .describe('Extra request headers. Write a secret value as {env: NAME} or {file: PATH}.'),
    body: z
      .record(z.string(), z.unknown())
      .optional()
      .describe(
        'JSON to send instead of the usual body. In its texts, `{{title}}` and the other names of docs/destinations.md stand for parts of the alert.',
      ),
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

  async create({ url: given, headers, body: template, secret, timeout_ms }, deps) {
    const text = (value: string | SecretReference) => (typeof value === 'string' ? value : deps.secret(value))
    const url = addressOf(given, deps)
    const key = secret && deps.secret(secret)
    const fixed = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, text(value)]))
    if (template) checkTemplate(template)
    const post = poster(deps, { who: 'the webhook', headers: fixed, timeoutMs: timeout_ms, reads: false })
    return {
      async send(delivery, signal) {
        const body = template ? filled(template, delivery) : webhookBody(delivery.alert, delivery.kind)
        await post({ url, headers: signatureHeaders(body, key, deps.now()), body, id: delivery.id, signal })
      },
      async close() {},
    }
  },
})

import { z } from 'zod'
import { targetUrl } from '../../util/http/target-url.ts'
import { secretReference } from '../../util/secret.ts'
import { defineDestination, destinationBase } from './destination.ts'
import { poster } from './post.ts'
import { webhookBody } from './webhook-body.ts'

/** Each alert is one JSON record at the ingest of another instance, where a source with a schema of its own reads it. */
export const caracal = defineDestination({
  type: 'caracal',
  summary: 'Sends each alert as a record to a source of another Caracal.',
  config: z.object({
    ...destinationBase,
    url: targetUrl.describe('URL of the other instance, as in https://siem.example.com.'),
    source: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9 _.-]{0,99}$/, 'the id of a source')
      .describe('Id of the http source there.'),
    token: secretReference.describe("Token of that source, or the other instance's API token."),
  }),
  example: { id: 'central', url: 'https://siem.example.com', source: 'alerts', token: { env: 'CENTRAL_TOKEN' } },
  isLocal: false,

  async create({ url, source, token }, deps) {
    const headers = { authorization: `Bearer ${deps.secret(token)}`, 'content-type': 'application/x-ndjson' }
    const post = poster(deps, { who: 'the other Caracal', headers })
    const address = `${url.replace(/\/+$/, '')}/ingest/${encodeURIComponent(source)}`
    return {
      async send({ id, kind, alert }, signal) {
        await post({ url: address, body: `${webhookBody(alert, kind)}\n`, id, signal })
      },
      async close() {},
    }
  },
})

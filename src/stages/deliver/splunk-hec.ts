import { z } from 'zod'
import { targetUrl } from '../../util/http/target-url.ts'
import { secretReference } from '../../util/secret.ts'
import { defineDestination, destinationBase } from './destination.ts'
import { poster } from './post.ts'
import { webhookBody } from './webhook-body.ts'

/**
 * Source: https://docs.splunk.com/Documentation/Splunk/latest/Data/FormateventsforHTTPEventCollector. The event is the body of a webhook
 * with its exact context.
 */
export const splunkHec = defineDestination({
  type: 'splunk_hec',
  summary: 'Sends each alert to the HTTP Event Collector of Splunk.',
  config: z.object({
    ...destinationBase,
    url: targetUrl.describe('Base URL of the collector, as in https://splunk.example.com:8088.'),
    token: secretReference.describe('Token of the collector.'),
    index: z.string().min(1).max(100).optional().describe("Index for the alerts. Default: the token's."),
    sourcetype: z.string().min(1).max(100).default('caracal:alert').describe('Source type of the events.'),
  }),
  example: { id: 'splunk', url: 'https://splunk.example.com:8088', token: { env: 'SPLUNK_HEC_TOKEN' } },
  isLocal: false,

  async create({ url, token, index, sourcetype }, deps) {
    const post = poster(deps, { who: 'Splunk', headers: { authorization: `Splunk ${deps.secret(token)}` } })
    const address = `${url.replace(/\/+$/, '')}/services/collector/event`
    return {
      async send({ id, kind, alert }, signal) {
        const about = {
          time: Date.parse(alert.createdTime) / 1000,
          source: 'caracal',
          sourcetype,
          ...(index !== undefined && { index }),
        }
        const body = `${JSON.stringify(about).slice(0, -1)},"event":${webhookBody(alert, kind)}}`
        await post({ url: address, body, id, signal })
      },
      async close() {},
    }
  },
})

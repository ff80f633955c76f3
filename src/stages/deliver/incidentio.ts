import { z } from 'zod'
import { secretReference } from '../../util/secret.ts'
import { defineDestination, peopleBase, sends } from './destination.ts'
import { poster, serviceUrl } from './post.ts'
import { alertText, fenced, plainBody } from './text.ts'

const MAX_DESCRIPTION = 10_000

/**
 * The id of the alert is the `deduplication_key`, by which incident.io recognises the same alert again and resolves it.
 * Source: https://api-docs.incident.io/tag/Alert-Events-V2.
 */
export const incidentio = defineDestination({
  type: 'incidentio',
  summary: 'Sends each alert to incident.io, and resolves it there with the alert.',
  config: z.object({
    ...peopleBase,
    send: sends(['opened', 'resolved']),
    source_id: z
      .string()
      .regex(/^[A-Za-z0-9_-]{1,64}$/, 'the id at the end of the URL that incident.io shows')
      .describe('Id of the HTTP alert source.'),
    token: secretReference.describe('Token of the alert source.'),
    url: serviceUrl('https://api.incident.io', 'change it only for a gateway'),
  }),
  example: { id: 'incidents', source_id: '01HZXA3B5C7D9E', token: { env: 'INCIDENTIO_TOKEN' } },
  isLocal: false,

  async create({ source_id, token, url }, deps) {
    const post = poster(deps, { who: 'incident.io', headers: { authorization: `Bearer ${deps.secret(token)}` } })
    return {
      async send(delivery, signal) {
        const { kind, alert, id } = delivery
        const text = alertText(delivery)
        const body = {
          title: text.headline,
          description: fenced(plainBody(text, MAX_DESCRIPTION)),
          deduplication_key: alert.alertId,
          status: kind === 'resolved' ? 'resolved' : 'firing',
          source_url: text.link,
          metadata: { rule_id: alert.ruleId, event_count: alert.eventCount, ...Object.fromEntries(text.facts) },
        }
        await post({ url: `${url}/v2/alert_events/http/${source_id}`, body, id, signal })
      },
      async close() {},
    }
  },
})

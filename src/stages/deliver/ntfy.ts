import { z } from 'zod'
import type { Severity } from '../../model/rule.ts'
import { secretReference } from '../../util/secret.ts'
import { defineDestination, peopleBase } from './destination.ts'
import { poster, serviceUrl } from './post.ts'
import { alertText, cutBytes, plainBody } from './text.ts'

/** A message of more than 4,096 bytes becomes an attachment. */
const MAX_MESSAGE = 3800
const MAX_TITLE = 250

const TOPIC = /^[A-Za-z0-9_-]{1,64}$/

const PRIORITIES: Readonly<Record<Severity, number>> = { INFO: 1, LOW: 2, MEDIUM: 3, HIGH: 4, CRITICAL: 5 }

/** Published as JSON, because a header could not hold every title. Source: https://docs.ntfy.sh/publish/#publish-as-json. */
export const ntfy = defineDestination({
  type: 'ntfy',
  summary: 'Publishes each alert to an ntfy topic, for notifications on phones.',
  config: z.object({
    ...peopleBase,
    topic: z
      .union([z.string().regex(TOPIC), secretReference])
      .describe(
        'Name of the topic, or a reference to it: on a public server it is a secret, because whoever knows it can read and write it.',
      ),
    token: secretReference.optional().describe('Access token, if the topic is protected.'),
    url: serviceUrl('https://ntfy.sh', 'your own server, if you run one'),
  }),
  example: { id: 'phone', topic: { env: 'NTFY_TOPIC' } },
  isLocal: false,

  async create({ topic, token, url }, deps) {
    const headers: Record<string, string> = token ? { authorization: `Bearer ${deps.secret(token)}` } : {}
    const post = poster(deps, { who: 'ntfy', headers })
    const name = typeof topic === 'string' ? topic : deps.secret(topic)
    return {
      async send(delivery, signal) {
        const text = alertText(delivery)
        const body = {
          topic: name,
          title: cutBytes(text.headline, MAX_TITLE),
          message: cutBytes(plainBody(text, MAX_MESSAGE), MAX_MESSAGE),
          priority: PRIORITIES[text.severity],
          click: text.link,
        }
        await post({ url, body, id: delivery.id, signal })
      },
      async close() {},
    }
  },
})

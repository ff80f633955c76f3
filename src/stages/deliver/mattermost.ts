import { z } from 'zod'
import { defineDestination, peopleBase } from './destination.ts'
import { addressOf, poster, secretUrl } from './post.ts'
import { alertText, cut, fenced, plainBody } from './text.ts'

/** A post may have 16,383 characters, of which a few are the fence of the code block. */
const MAX_POST = 16_300

/**
 * Source: https://developers.mattermost.com/integrate/webhooks/incoming/. Everything of the alert is in a code block, in which Mattermost
 * neither notifies anyone nor makes links.
 */
export const mattermost = defineDestination({
  type: 'mattermost',
  summary: 'Posts each alert to a Mattermost channel.',
  config: z.object({
    ...peopleBase,
    url: secretUrl.describe('URL of an incoming webhook, which is a secret.'),
    channel: z
      .string()
      .min(1)
      .max(100)
      .optional()
      .describe("Channel to post to instead of the webhook's own, if it is not locked."),
  }),
  example: { id: 'chat', url: { env: 'MATTERMOST_WEBHOOK_URL' } },
  isLocal: false,

  async create({ url, channel }, deps) {
    const address = addressOf(url, deps)
    const post = poster(deps, { who: 'Mattermost' })
    return {
      async send(delivery, signal) {
        const text = alertText(delivery)
        const links = `[Open the alert](${text.link})${text.reference ? ` · [Reference](${text.reference})` : ''}`
        const block = cut(`${text.headline}\n\n${plainBody(text, MAX_POST)}`, MAX_POST - links.length)
        const body = {
          text: `${fenced(block)}\n${links}`,
          ...(channel !== undefined && { channel }),
        }
        await post({ url: address, body, id: delivery.id, signal })
      },
      async close() {},
    }
  },
})

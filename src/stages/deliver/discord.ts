import { z } from 'zod'
import type { Severity } from '../../model/rule.ts'
import { defineDestination, peopleBase } from './destination.ts'
import { addressOf, poster, secretUrl } from './post.ts'
import { alertText, cut, fenced, plainBody } from './text.ts'

const MAX_TITLE = 256
const MAX_BODY = 3900

const COLOURS: Readonly<Record<Severity, number>> = {
  INFO: 0x808080,
  LOW: 0x2e86de,
  MEDIUM: 0xf1c40f,
  HIGH: 0xe67e22,
  CRITICAL: 0xc0392b,
}

/**
 * Source: https://discord.com/developers/docs/resources/webhook#execute-webhook. `allowed_mentions` without types makes every mention
 * plain text.
 */
export const discord = defineDestination({
  type: 'discord',
  summary: 'Posts each alert to a Discord channel.',
  config: z.object({
    ...peopleBase,
    url: secretUrl.describe("URL of the channel's webhook, which is a secret."),
  }),
  example: { id: 'chat', url: { env: 'DISCORD_WEBHOOK_URL' } },
  isLocal: false,

  async create({ url }, deps) {
    const address = addressOf(url, deps)
    const post = poster(deps, { who: 'Discord' })
    return {
      async send(delivery, signal) {
        const text = alertText(delivery)
        const links = `[Open the alert](<${text.link}>)${text.reference ? ` · <${text.reference}>` : ''}`
        const embed = {
          title: cut(unmarked(text.headline), MAX_TITLE),
          description: `${fenced(plainBody(text, MAX_BODY - links.length))}\n${links}`,
          color: COLOURS[text.severity],
          timestamp: delivery.alert.createdTime,
        }
        await post({ url: address, body: { embeds: [embed], allowed_mentions: { parse: [] } }, id: delivery.id, signal })
      },
      async close() {},
    }
  },
})

/** Discord's Markdown with every character of it escaped. */
function unmarked(text: string): string {
  return text.replace(/[\\`*_~|>#()[\]<@:-]/g, '\\$&')
}

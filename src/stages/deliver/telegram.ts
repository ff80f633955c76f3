import { z } from 'zod'
import { ConfigError } from '../../util/errors.ts'
import { secretReference } from '../../util/secret.ts'
import { defineDestination, peopleBase } from './destination.ts'
import { poster, serviceUrl } from './post.ts'
import { alertText, cut, plainBody } from './text.ts'

/** Characters of a message, in UTF-16 units. */
const MAX_MESSAGE = 4096

/**
 * The alert is one `pre` entity, in which Telegram makes neither links nor mentions nor commands; the link to the alert stands below it.
 * Source: https://core.telegram.org/bots/api#sendmessage.
 */
export const telegram = defineDestination({
  type: 'telegram',
  summary: 'Sends each alert to a Telegram chat, through a bot.',
  config: z.object({
    ...peopleBase,
    token: secretReference.describe('Token of the bot, from @BotFather.'),
    chat_id: z
      .string()
      .regex(/^(?:-?\d{1,20}|@[A-Za-z0-9_]{1,64})$/, 'a number in quotes, or the @name of a channel')
      .describe('Chat, group or channel, as a text: `"-1001234567890"`, `"@channel"`.'),
    url: serviceUrl('https://api.telegram.org', 'change it only for a local Bot API server'),
  }),
  example: { id: 'phone', token: { env: 'TELEGRAM_TOKEN' }, chat_id: '-1001234567890' },
  isLocal: false,

  async create({ token, chat_id, url }, deps) {
    const key = deps.secret(token)
    if (!/^[A-Za-z0-9:_-]+$/.test(key)) throw new ConfigError('token: the secret that it refers to is not the token of a bot')
    const post = poster(deps, { who: 'Telegram' })
    return {
      async send(delivery, signal) {
        const text = alertText(delivery)
        const links = `\n${text.link}${text.reference ? `\n${text.reference}` : ''}`
        const block = cut(`${text.headline}\n\n${plainBody(text, MAX_MESSAGE)}`, MAX_MESSAGE - links.length)
        const body = {
          chat_id,
          text: block + links,
          entities: [{ type: 'pre', offset: 0, length: block.length }],
          link_preview_options: { is_disabled: true },
        }
        await post({ url: `${url}/bot${key}/sendMessage`, body, id: delivery.id, signal })
      },
      async close() {},
    }
  },
})

import { z } from 'zod'
import { ConfigError, Refused } from '../../util/errors.ts'
import { secretReference } from '../../util/secret.ts'
import { type Destination, type DestinationDeps, defineDestination, peopleBase } from './destination.ts'
import { addressOf, fieldOf, poster, secretUrl } from './post.ts'
import { type SlackMethod, slackApi } from './slack-api.ts'
import { type ButtonsConfig, buttonsSchema, press } from './slack-buttons.ts'
import { messageWithButtons, slackMessage } from './slack-message.ts'
import { SlackSocket } from './slack-socket.ts'
import { isFollowUp } from './text.ts'

const API = 'https://slack.com/api'
const REPLY_TIMEOUT_MS = 15_000

/**
 * An incoming webhook, or a bot that posts changes of an alert in the alert's thread, and whose messages may have buttons.
 * Sources: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks,
 * https://docs.slack.dev/reference/methods/chat.postMessage, https://docs.slack.dev/reference/methods/chat.update.
 */
export const slack = defineDestination({
  type: 'slack',
  summary: 'Posts each alert to a Slack channel, through an incoming webhook or a bot.',
  config: z.object({
    ...peopleBase,
    url: secretUrl.optional().describe('URL of an incoming webhook, which is a secret. Either this, or `token` and `channel`.'),
    token: secretReference.optional().describe('Token of a bot (`xoxb-…`) with the scope `chat:write`.'),
    channel: z.string().min(1).max(100).optional().describe('Channel id (`C…`) or name that the bot posts to.'),
    buttons: buttonsSchema
      .optional()
      .describe(
        'Buttons on the messages of a bot, with which people acknowledge, take over and resolve alerts. The message then shows the status and owner of its alert. Default: no buttons.',
      ),
    api_url: z
      .url({ protocol: /^https?$/ })
      .default(API)
      .describe('Base URL of the Web API, for Slack behind a gateway.'),
  }),
  example: { id: 'chat', url: { env: 'SLACK_WEBHOOK_URL' } },
  isLocal: false,
  mirrors: ({ buttons }) => buttons !== undefined,

  async create({ url, token, channel, api_url, buttons }, deps) {
    if (url !== undefined) {
      if (token || channel || buttons)
        throw new ConfigError('give either `url`, or `token` and `channel`; only messages of a bot can have `buttons`')
      const post = poster(deps, { who: 'Slack' })
      const address = addressOf(url, deps)
      return {
        send: async (delivery, signal) =>
          void (await post({ url: address, body: slackMessage(delivery), id: delivery.id, signal })),
        async close() {},
      }
    }
    if (!token || !channel)
      throw new ConfigError('`url` of an incoming webhook is missing, or else `token` and `channel` of a bot')
    const bot = slackApi(api_url, token, deps)
    const app = buttons && slackApi(api_url, buttons.app_token, deps)
    if (buttons && !/^[CG][A-Z0-9]{2,30}$/.test(channel))
      throw new ConfigError('with `buttons`, `channel` is the id of the channel (C…), not its name: it is at the end of its link')
    const post = postTo(channel, bot, buttons !== undefined)
    return buttons && app ? { ...post, ...buttonsOf({ channel, bot, app, buttons, socket: deps.socket }) } : post
  },
})

function postTo(channel: string, bot: SlackMethod, hasButtons: boolean): Destination {
  return {
    async send(delivery, signal) {
      const { id, kind, reference } = delivery
      const options = { id, signal }
      if (kind === 'changed') {
        // Without one, it went in a digest or could not be delivered: no message shows its status.
        if (reference !== undefined)
          await bot('chat.update', { channel, ts: reference, ...messageWithButtons(delivery) }, options)
        return reference
      }
      const thread: { thread_ts?: string } = isFollowUp(kind) && reference ? { thread_ts: reference } : {}
      const isFirst = hasButtons && kind === 'opened'
      const message = isFirst ? messageWithButtons(delivery) : slackMessage(delivery)
      const answer = await bot(
        'chat.postMessage',
        { channel, ...thread, unfurl_links: false, unfurl_media: false, ...message },
        options,
      )
      // A thread is named by its first message; a reply to a reply would begin another one.
      return thread.thread_ts ?? fieldOf(answer, 'ts', 'Slack')
    },
    async close() {},
  }
}

interface ButtonsDeps extends Pick<DestinationDeps, 'socket'> {
  readonly channel: string
  readonly bot: SlackMethod
  readonly app: SlackMethod
  readonly buttons: ButtonsConfig
}

/** Receives what people do with the buttons, from the workspace that the bot belongs to. */
function buttonsOf({ channel, bot, app, buttons, socket }: ButtonsDeps): Required<Pick<Destination, 'listen' | 'close'>> {
  let connection: SlackSocket | undefined
  let workspace: string | undefined
  return {
    listen(desk) {
      connection = new SlackSocket({
        app: async (name, body, options) => {
          // Before the first connection, and as often as it takes.
          workspace ??= workspaceOf(await bot('auth.test', {}, options))
          return app(name, body, options)
        },
        socket,
        onTrouble: desk.onTrouble,
        onInteraction: async (payload, appId) => {
          if (workspace === undefined) return
          const reply = await press(payload, { app: appId, workspace, channel }, buttons, desk)
          if (reply) await bot('chat.postEphemeral', { channel, ...reply }, { signal: AbortSignal.timeout(REPLY_TIMEOUT_MS) })
        },
      })
      connection.start()
    },
    async close() {
      await connection?.stop()
    },
  }
}

/** Source: https://docs.slack.dev/reference/methods/auth.test. */
function workspaceOf({ team_id: id }: Readonly<Record<string, unknown>>): string {
  if (typeof id === 'string') return id
  throw new Refused('Slack did not say which workspace the bot belongs to')
}

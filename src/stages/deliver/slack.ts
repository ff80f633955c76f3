import { z } from 'zod'
import { ConfigError, Refused, RetryLater } from '../../util/errors.ts'
import { secretReference } from '../../util/secret.ts'
import { defineDestination, peopleBase } from './destination.ts'
import { type Answer, addressOf, codeOf, poster, secretUrl } from './post.ts'
import { slackMessage } from './slack-message.ts'
import { isFollowUp } from './text.ts'

const API = 'https://slack.com/api'
/** Errors of the Web API that pass by themselves. */
const PASSING = new Set([
  'ratelimited',
  'rate_limited',
  'internal_error',
  'fatal_error',
  'service_unavailable',
  'request_timeout',
])

/**
 * An incoming webhook, or a bot that posts changes of an alert in the alert's thread.
 * Sources: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks and
 * https://docs.slack.dev/reference/methods/chat.postMessage.
 */
export const slack = defineDestination({
  type: 'slack',
  summary: 'Posts each alert to a Slack channel, through an incoming webhook or a bot.',
  config: z.object({
    ...peopleBase,
    url: secretUrl.optional().describe('URL of an incoming webhook, which is a secret. Either this, or `token` and `channel`.'),
    token: secretReference.optional().describe('Token of a bot (`xoxb-…`) with the scope `chat:write`.'),
    channel: z.string().min(1).max(100).optional().describe('Channel id (`C…`) or name that the bot posts to.'),
    api_url: z
      .url({ protocol: /^https?$/ })
      .default(API)
      .describe('Base URL of the Web API, for Slack behind a gateway.'),
  }),
  example: { id: 'chat', url: { env: 'SLACK_WEBHOOK_URL' } },
  isLocal: false,

  async create({ url, token, channel, api_url }, deps) {
    if (url !== undefined) {
      if (token || channel) throw new ConfigError('give either `url`, or `token` and `channel`')
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
    const post = poster(deps, { who: 'Slack', headers: { authorization: `Bearer ${deps.secret(token)}` } })
    return {
      async send(delivery, signal) {
        const thread: { thread_ts?: string } =
          isFollowUp(delivery.kind) && delivery.reference ? { thread_ts: delivery.reference } : {}
        const body = { channel, ...thread, unfurl_links: false, unfurl_media: false, ...slackMessage(delivery) }
        const answer = await post({ url: `${api_url}/chat.postMessage`, body, id: delivery.id, signal })
        const ts = judged(answer)
        // A thread is named by its first message; a reply to a reply would begin another one.
        return thread.thread_ts ?? ts
      },
      async close() {},
    }
  },
})

/** The message's `ts`. The Web API answers errors with 200 and `{ok: false, error}`. */
function judged(answer: Answer): string {
  if (answer['ok'] === true && typeof answer['ts'] === 'string') return answer['ts']
  const code = codeOf(answer)
  const message = `Slack did not accept the message${code === undefined ? '' : ` (${code})`}`
  throw code !== undefined && PASSING.has(code) ? new RetryLater(message) : new Refused(message)
}

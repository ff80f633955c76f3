import type { AlertProgress } from '../../model/alert-work.ts'
import { snoozeOf } from '../../model/snooze.ts'
import type { Delivery } from './destination.ts'
import { SLACK_BUTTONS, type SlackButton } from './slack-buttons.ts'
import { alertText, cut, plainBody, shown } from './text.ts'

/** Limits of a header block and of a message. Source: https://docs.slack.dev/reference/block-kit/blocks/header-block. */
const MAX_HEADER = 150
const MAX_BODY = 2800
const MAX_NAME = 200

/**
 * `text` is what notifications show. The blocks hold only plain text and preformatted text, in which Slack interprets neither markup nor
 * mentions; the only links are our own.
 */
export function slackMessage(delivery: Pick<Delivery, 'kind' | 'alert'>): { text: string; blocks: readonly object[] } {
  const text = alertText(delivery)
  const links = [link(text.link, 'Open the alert'), ...(text.reference ? [plain(' · '), link(text.reference, 'Reference')] : [])]
  return {
    text: escaped(cut(text.headline, MAX_HEADER)),
    blocks: [
      { type: 'header', text: plainText(cut(text.headline, MAX_HEADER)) },
      {
        type: 'rich_text',
        elements: [
          { type: 'rich_text_preformatted', elements: [plain(plainBody(text, MAX_BODY))] },
          { type: 'rich_text_section', elements: links },
        ],
      },
    ],
  }
}

/** The message of an opened alert with what people have done about it since, and the buttons for what they can do now. */
export function messageWithButtons({ alert, progress }: Pick<Delivery, 'alert' | 'progress'>): object {
  const { text, blocks } = slackMessage({ kind: 'opened', alert })
  const line = progress && progressLine(progress)
  const status = line === undefined ? [] : [{ type: 'context', elements: [plainText(line)] }]
  const isSnoozed = progress?.snoozedUntilMs !== undefined
  const canSnooze = !isSnoozed && snoozeOf({ ruleId: alert.ruleId, body: alert }).kind === 'ok'
  const state = { status: progress?.status ?? ('OPEN' as const), canSnooze, isSnoozed }
  const elements = Object.entries(SLACK_BUTTONS)
    .filter(([, button]) => button.isOffered(state))
    .map(([action, button]) => buttonBlock(action, button, alert.alertId))
  return { text, blocks: [...blocks, ...status, { type: 'actions', elements }] }
}

/** Source: https://docs.slack.dev/reference/block-kit/block-elements/button-element. */
function buttonBlock(action: string, { label, style }: SlackButton, alertId: string): object {
  return { type: 'button', action_id: action, value: alertId, text: plainText(label), ...(style && { style }) }
}

const STATUS = { OPEN: 'Open', TRIAGED: 'Acknowledged', RESOLVED: 'Resolved', CLOSED: 'Closed' } as const

function progressLine({ status, owner, reason, by, snoozedUntilMs }: AlertProgress): string {
  const parts = [
    `${STATUS[status]}${by === '' ? '' : ` (last change by ${shown(by, MAX_NAME)})`}`,
    ...(owner === null ? [] : [`assigned to ${shown(owner, MAX_NAME)}`]),
    ...(snoozedUntilMs === undefined ? [] : [`snoozed until ${new Date(snoozedUntilMs).toISOString().slice(0, 16)}Z`]),
    ...(reason === null ? [] : [`reason: ${shown(reason, MAX_NAME)}`]),
  ]
  return parts.join(' · ')
}

/** Slack interprets no markup in it. */
function plainText(text: string): object {
  return { type: 'plain_text', text, emoji: false }
}

function plain(text: string): object {
  return { type: 'text', text }
}

function link(url: string, text: string): object {
  return { type: 'link', url, text }
}

/** Source: https://docs.slack.dev/messaging/formatting-message-text#escaping. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

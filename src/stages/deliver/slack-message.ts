import type { Delivery } from './destination.ts'
import { alertText, cut, plainBody } from './text.ts'

/** Limits of a header block and of a message. Source: https://docs.slack.dev/reference/block-kit/blocks/header-block. */
const MAX_HEADER = 150
const MAX_BODY = 2800

/**
 * `text` is what notifications show. The blocks hold only plain text and preformatted text, in which Slack interprets neither markup nor
 * mentions; the only links are our own.
 */
export function slackMessage(delivery: Pick<Delivery, 'kind' | 'alert'>): object {
  const text = alertText(delivery)
  const links = [link(text.link, 'Open the alert'), ...(text.reference ? [plain(' · '), link(text.reference, 'Reference')] : [])]
  return {
    text: escaped(cut(text.headline, MAX_HEADER)),
    blocks: [
      { type: 'header', text: { type: 'plain_text', text: cut(text.headline, MAX_HEADER), emoji: false } },
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

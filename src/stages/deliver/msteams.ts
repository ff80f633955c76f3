import { z } from 'zod'
import type { Severity } from '../../model/rule.ts'
import { defineDestination, peopleBase } from './destination.ts'
import { addressOf, poster, secretUrl } from './post.ts'
import { type AlertText, alertText, cutBytes } from './text.ts'

/** Bytes of a message: 28 KB with some room. */
const MAX_MESSAGE = 27_000
/** Bytes of a text in it, if all of them together leave as much. */
const MAX_PART = 8000

const COLOURS: Readonly<Record<Severity, string>> = {
  INFO: 'Default',
  LOW: 'Accent',
  MEDIUM: 'Warning',
  HIGH: 'Attention',
  CRITICAL: 'Attention',
}

/**
 * An adaptive card for the Workflows app ("Send webhook alerts to a channel"), which replaced the connectors of Microsoft 365. Text is in
 * text runs, in which a card interprets no Markdown.
 * Sources: https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using and
 * https://adaptivecards.io/explorer/TextRun.html.
 */
export const msteams = defineDestination({
  type: 'msteams',
  summary: 'Posts each alert to a channel or chat of Microsoft Teams.',
  config: z.object({ ...peopleBase, url: secretUrl.describe('URL of the workflow, which is a secret.') }),
  example: { id: 'teams', url: { env: 'TEAMS_WORKFLOW_URL' } },
  isLocal: false,

  async create({ url }, deps) {
    const address = addressOf(url, deps)
    const post = poster(deps, { who: 'Microsoft Teams' })
    return {
      async send(delivery, signal) {
        const body = message(alertText(delivery))
        await post({ url: address, body, id: delivery.id, signal })
      },
      async close() {},
    }
  },
})

/** The message with the longest parts with which all of it is within the limit. */
function message(text: AlertText): string {
  for (let maxBytes = MAX_PART; ; maxBytes *= 0.8) {
    const content = cardOf(text, Math.floor(maxBytes))
    const card = { contentType: 'application/vnd.microsoft.card.adaptive', contentUrl: null, content }
    const json = JSON.stringify({ type: 'message', attachments: [card] })
    if (Buffer.byteLength(json) <= MAX_MESSAGE || maxBytes < 10) return json
  }
}

/** An adaptive card of which no text has more than `maxBytes` bytes. */
function cardOf(text: AlertText, maxBytes: number): object {
  const run = (part: string, style: object = {}) => ({ type: 'TextRun', text: cutBytes(part, maxBytes), ...style })
  const runbook = text.runbook && `Runbook: ${text.runbook}`
  return {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.4',
    msteams: { width: 'Full' },
    body: [
      rich([run(text.headline, { size: 'Large', weight: 'Bolder', color: COLOURS[text.severity] })]),
      ...text.facts.map(([label, value]) => rich([run(`${label}: `, { weight: 'Bolder' }), run(value)])),
      ...[text.description, runbook].filter(Boolean).map((part) => rich([run(part)])),
    ],
    actions: [open('Open the alert', text.link), ...(text.reference ? [open('Reference', text.reference)] : [])],
  }
}

function rich(inlines: readonly object[]): object {
  return { type: 'RichTextBlock', inlines }
}

function open(title: string, url: string): object {
  return { type: 'Action.OpenUrl', title, url }
}

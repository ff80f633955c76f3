import { z } from 'zod'
import type { Severity } from '../../model/rule.ts'
import { defineDestination, peopleBase } from './destination.ts'
import { addressOf, poster, secretUrl } from './post.ts'
import { alertText, cut } from './text.ts'

/** A message may have 28 KB; a part is cut well before. */
const MAX_PART = 4000

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
        const text = alertText(delivery)
        const runbook = text.runbook && `Runbook: ${text.runbook}`
        const content = {
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
        const card = { contentType: 'application/vnd.microsoft.card.adaptive', contentUrl: null, content }
        await post({ url: address, body: { type: 'message', attachments: [card] }, id: delivery.id, signal })
      },
      async close() {},
    }
  },
})

function rich(inlines: readonly object[]): object {
  return { type: 'RichTextBlock', inlines }
}

function run(text: string, style: object = {}): object {
  return { type: 'TextRun', text: cut(text, MAX_PART), ...style }
}

function open(title: string, url: string): object {
  return { type: 'Action.OpenUrl', title, url }
}

import { z } from 'zod'
import type { Severity } from '../../model/rule.ts'
import { secretReference } from '../../util/secret.ts'
import { defineDestination, peopleBase, sends } from './destination.ts'
import { poster, serviceUrl } from './post.ts'
import { alertText, cut, plainBody, shown } from './text.ts'

/** Limits of the fields. */
const MAX_MESSAGE = 130
const MAX_DESCRIPTION = 14_000
const MAX_TAGS = 20
const MAX_TAG = 50

const PRIORITIES: Readonly<Record<Severity, string>> = { INFO: 'P5', LOW: 'P4', MEDIUM: 'P3', HIGH: 'P2', CRITICAL: 'P1' }

/**
 * The id of the alert is the `alias`: sending it again adds to the count of the open alert there, and `resolved` closes it.
 * Source: https://docs.opsgenie.com/docs/alert-api.
 */
export const opsgenie = defineDestination({
  type: 'opsgenie',
  summary: 'Creates an Opsgenie alert for each alert, and closes it with the alert.',
  config: z.object({
    ...peopleBase,
    send: sends(['opened', 'resolved']),
    api_key: secretReference.describe('Key of an API integration.'),
    url: serviceUrl('https://api.opsgenie.com', 'https://api.eu.opsgenie.com for accounts in the EU'),
  }),
  example: { id: 'pager', severities: ['HIGH', 'CRITICAL'], api_key: { env: 'OPSGENIE_API_KEY' } },
  isLocal: false,

  async create({ api_key, url }, deps) {
    const post = poster(deps, { who: 'Opsgenie', headers: { authorization: `GenieKey ${deps.secret(api_key)}` } })
    return {
      async send(delivery, signal) {
        const { kind, alert, id } = delivery
        const text = alertText(delivery)
        const source = 'Caracal'
        const one = `${url}/v2/alerts/${encodeURIComponent(alert.alertId)}`
        if (kind === 'resolved') {
          const body = { source, note: cut(text.headline, MAX_MESSAGE) }
          await post({ url: `${one}/close?identifierType=alias`, body, id, signal })
          return
        }
        if (kind === 'updated') {
          const body = { source, note: `${text.headline}\n${plainBody(text, MAX_DESCRIPTION)}` }
          await post({ url: `${one}/notes?identifierType=alias`, body, id, signal })
          return
        }
        const body = {
          message: cut(text.headline, MAX_MESSAGE),
          alias: alert.alertId,
          description: `${plainBody(text, MAX_DESCRIPTION)}\n\n${text.link}`,
          tags: alert.tags.slice(0, MAX_TAGS).map((tag) => shown(tag, MAX_TAG)),
          details: { rule: alert.ruleId, link: text.link, ...(text.reference && { reference: text.reference }) },
          source,
          priority: PRIORITIES[alert.severity],
        }
        await post({ url: `${url}/v2/alerts`, body, id, signal })
      },
      async close() {},
    }
  },
})

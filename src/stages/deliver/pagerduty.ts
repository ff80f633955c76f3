import { z } from 'zod'
import type { Severity } from '../../model/rule.ts'
import { secretReference } from '../../util/secret.ts'
import { defineDestination, peopleBase, sends } from './destination.ts'
import { poster, serviceUrl } from './post.ts'
import { alertText, cut, shown } from './text.ts'

const MAX_SUMMARY = 1024

const SEVERITIES: Readonly<Record<Severity, string>> = {
  INFO: 'info',
  LOW: 'info',
  MEDIUM: 'warning',
  HIGH: 'error',
  CRITICAL: 'critical',
}

/**
 * The id of the alert is the `dedup_key`: PagerDuty keeps one incident for it, however often it is sent, and `resolved` resolves it.
 * Source: https://developer.pagerduty.com/docs/send-alert-event.
 */
export const pagerduty = defineDestination({
  type: 'pagerduty',
  summary: 'Triggers a PagerDuty incident for each alert, and resolves it with the alert.',
  config: z.object({
    ...peopleBase,
    send: sends(['opened', 'resolved']),
    routing_key: secretReference.describe('Integration key of an Events API v2 integration.'),
    url: serviceUrl('https://events.pagerduty.com', 'https://events.eu.pagerduty.com for accounts in the EU'),
  }),
  example: { id: 'pager', severities: ['HIGH', 'CRITICAL'], routing_key: { env: 'PAGERDUTY_ROUTING_KEY' } },
  isLocal: false,

  async create({ routing_key, url }, deps) {
    const key = deps.secret(routing_key)
    const post = poster(deps, { who: 'PagerDuty' })
    return {
      async send(delivery, signal) {
        const { kind, alert, id } = delivery
        const { headline, facts, description, runbook, reference, link } = alertText(delivery)
        const payload = {
          summary: cut(headline, MAX_SUMMARY),
          source: shown(alert.sourceLabels.join(', ') || 'caracal', MAX_SUMMARY),
          severity: SEVERITIES[alert.severity],
          timestamp: alert.createdTime,
          class: alert.ruleId,
          custom_details: { ...Object.fromEntries(facts), description, runbook },
        }
        const event = { routing_key: key, dedup_key: alert.alertId }
        const links = [{ href: link, text: 'Open the alert' }, ...(reference ? [{ href: reference, text: 'Reference' }] : [])]
        const body =
          kind === 'resolved'
            ? { ...event, event_action: 'resolve' }
            : { ...event, event_action: 'trigger', payload, links, client: 'Caracal', client_url: link }
        await post({ url: `${url}/v2/enqueue`, body, id, signal })
      },
      async close() {},
    }
  },
})

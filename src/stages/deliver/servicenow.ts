import { z } from 'zod'
import type { Severity } from '../../model/rule.ts'
import { targetUrl } from '../../util/http/target-url.ts'
import { secretReference } from '../../util/secret.ts'
import { defineDestination, peopleBase, ticketSends } from './destination.ts'
import { type Answer, fieldOf, poster } from './post.ts'
import { alertText, cut, isFollowUp, isUnknownThere, plainBody } from './text.ts'

const MAX_SHORT = 160
const MAX_BODY = 3900

/** Impact and urgency: 1 high, 2 medium, 3 low. */
const URGENCY: Readonly<Record<Severity, string>> = { INFO: '3', LOW: '3', MEDIUM: '2', HIGH: '1', CRITICAL: '1' }
/** State of an incident that is resolved. */
const RESOLVED = '6'

/** Source: the Table API, https://www.servicenow.com/docs/bundle/zurich-api-reference/page/integrate/inbound-rest/concept/c_TableAPI.html. */
export const servicenow = defineDestination({
  type: 'servicenow',
  summary: 'Creates a ServiceNow incident for each alert, and resolves it with the alert.',
  config: z.object({
    ...peopleBase,
    send: ticketSends,
    url: targetUrl.describe('Base URL of the instance, as in https://example.service-now.com.'),
    username: z.string().min(1).max(100).describe('User that may create incidents.'),
    password: secretReference.describe("The user's password."),
    table: z
      .string()
      .regex(/^[a-z0-9_]{1,80}$/, 'lower-case letters, digits and _')
      .default('incident')
      .describe('Table of the records: `incident`, `sn_si_incident`, or another one derived from `task`.'),
    close_code: z.string().min(1).max(100).default('Solution provided').describe('Resolution code of resolved incidents.'),
  }),
  example: {
    id: 'tickets',
    url: 'https://example.service-now.com',
    username: 'caracal',
    password: { env: 'SERVICENOW_PASSWORD' },
  },
  isLocal: false,

  async create({ url, username, password, table, close_code }, deps) {
    const authorization = `Basic ${Buffer.from(`${username}:${deps.secret(password)}`).toString('base64')}`
    const post = poster(deps, { who: 'ServiceNow', headers: { authorization, accept: 'application/json' } })
    const records = `${url.replace(/\/+$/, '')}/api/now/table/${table}`
    return {
      async send(delivery, signal) {
        const { kind, alert, id, reference } = delivery
        if (isUnknownThere(delivery)) return
        const text = alertText(delivery)
        const headline = withoutCode(text.headline)
        const description = `${withoutCode(plainBody(text, MAX_BODY))}\n\n${text.link}`
        if (isFollowUp(kind) && reference !== undefined) {
          const body =
            kind === 'resolved'
              ? { state: RESOLVED, close_code, close_notes: cut(headline, MAX_BODY) }
              : { work_notes: `${headline}\n${description}` }
          await post({ url: `${records}/${encodeURIComponent(reference)}`, method: 'PATCH', body, id, signal })
          return reference
        }
        const body = {
          short_description: cut(headline, MAX_SHORT),
          description,
          correlation_id: alert.alertId,
          correlation_display: 'Caracal',
          urgency: URGENCY[alert.severity],
          impact: URGENCY[alert.severity],
        }
        const { result } = await post({ url: records, body, id, signal })
        return fieldOf((result ?? {}) as Answer, 'sys_id', 'ServiceNow')
      },
      async close() {},
    }
  },
})

/** Journal fields, such as work notes, show what is between `[code]` and `[/code]` as HTML. */
function withoutCode(text: string): string {
  return text.replace(/\[(?=\s*\/?\s*code)/gi, '(')
}

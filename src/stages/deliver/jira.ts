import { z } from 'zod'
import { Refused } from '../../util/errors.ts'
import { targetUrl } from '../../util/http/target-url.ts'
import { secretReference } from '../../util/secret.ts'
import { defineDestination, peopleBase, ticketSends } from './destination.ts'
import { jiraText } from './jira-text.ts'
import { type Answer, fieldOf, poster } from './post.ts'
import { alertText, cut, isFollowUp, isUnknownThere, plainBody } from './text.ts'

const MAX_SUMMARY = 255
const MAX_BODY = 30_000

/**
 * Jira Cloud with `email` and an API token (API version 3), or Jira Data Center with a personal access token alone (version 2).
 * Sources: https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issues/ and
 * https://developer.atlassian.com/server/jira/platform/personal-access-token/.
 */
export const jira = defineDestination({
  type: 'jira',
  summary: 'Creates a Jira issue for each alert; changes become comments, and the last one a transition.',
  config: z.object({
    ...peopleBase,
    send: ticketSends,
    url: targetUrl.describe('Base URL, as in https://example.atlassian.net.'),
    email: z.email().optional().describe('User of the API token, for Jira Cloud. Leave it out for Jira Data Center.'),
    token: secretReference.describe('API token of Jira Cloud, or personal access token of Jira Data Center.'),
    project: z.string().min(1).max(100).describe('Key of the project, as in `SEC`.'),
    issue_type: z.string().min(1).max(100).default('Task').describe('Name of the issue type.'),
    labels: z
      .array(z.string().regex(/^\S{1,255}$/, 'no blanks'))
      .default(['caracal'])
      .describe('Labels of new issues.'),
    assignee: z.string().min(1).max(200).optional().describe('Account id (Cloud) or user name (Data Center) of the assignee.'),
    done_transition: z
      .string()
      .min(1)
      .max(100)
      .optional()
      .describe('Name of the transition for a resolved alert, as in `Done`. Default: a comment, and the issue stays open.'),
  }),
  example: {
    id: 'tickets',
    url: 'https://example.atlassian.net',
    email: 'soc@example.com',
    token: { env: 'JIRA_TOKEN' },
    project: 'SEC',
  },
  isLocal: false,

  async create({ url, email, token, project, issue_type, labels, assignee, done_transition }, deps) {
    const key = deps.secret(token)
    const isCloud = email !== undefined
    const authorization = isCloud ? `Basic ${Buffer.from(`${email}:${key}`).toString('base64')}` : `Bearer ${key}`
    const post = poster(deps, { who: 'Jira', headers: { authorization, accept: 'application/json' } })
    const base = `${url.replace(/\/+$/, '')}/rest/api/${isCloud ? 3 : 2}/issue`
    return {
      async send(delivery, signal) {
        const { kind, id, reference } = delivery
        if (isUnknownThere(delivery)) return
        const text = alertText(delivery)
        const body = jiraText(plainBody(text, MAX_BODY), text, isCloud)
        if (isFollowUp(kind) && reference !== undefined) {
          const issue = `${base}/${encodeURIComponent(reference)}`
          if (kind === 'resolved' && done_transition !== undefined) {
            const found = await post({ url: `${issue}/transitions`, method: 'GET', signal })
            const transition = { id: transitionOf(found, done_transition, reference) }
            await post({ url: `${issue}/transitions`, body: { transition }, id, signal })
          } else await post({ url: `${issue}/comment`, body: { body: jiraText(text.headline, text, isCloud) }, id, signal })
          return reference
        }
        const fields = {
          project: { key: project },
          issuetype: { name: issue_type },
          summary: cut(text.headline, MAX_SUMMARY),
          description: body,
          labels,
          ...(assignee !== undefined && { assignee: isCloud ? { id: assignee } : { name: assignee } }),
        }
        return fieldOf(await post({ url: base, body: { fields }, id, signal }), 'key', 'Jira')
      },
      async close() {},
    }
  },
})

/** Which transitions an issue has depends on its workflow and its present status. */
function transitionOf({ transitions }: Answer, name: string, issue: string): string {
  const list = (Array.isArray(transitions) ? transitions : []) as readonly { id?: unknown; name?: unknown }[]
  const found = list.find((one) => String(one.name).toLowerCase() === name.toLowerCase())
  if (typeof found?.id === 'string') return found.id
  throw new Refused(`Jira: issue ${issue} has no transition '${name}' in its present status: correct \`done_transition\``)
}

import { z } from 'zod'
import { secretReference } from '../../util/secret.ts'
import { defineDestination, peopleBase, ticketSends } from './destination.ts'
import { fieldOf, poster, serviceUrl } from './post.ts'
import { alertText, cut, fenced, isFollowUp, isUnknownThere, plainBody } from './text.ts'

const MAX_TITLE = 256
/** A body may have 65,536 characters. */
const MAX_BODY = 60_000

/**
 * The text is in a code block, in which GitHub makes no links, mentions or references to issues.
 * Source: https://docs.github.com/en/rest/issues/issues.
 */
export const github = defineDestination({
  type: 'github',
  summary: 'Opens a GitHub issue for each alert, and closes it with the alert.',
  config: z.object({
    ...peopleBase,
    send: ticketSends,
    repository: z
      .string()
      .regex(/^[A-Za-z0-9._-]{1,100}\/[A-Za-z0-9._-]{1,100}$/, 'owner/name')
      .describe('Repository, as in `acme/alerts`. Make it private: issues of a public one are public.'),
    token: secretReference.describe('Fine-grained token with write access to the issues of this repository.'),
    labels: z.array(z.string().min(1).max(50)).default([]).describe('Labels of new issues.'),
    assignees: z.array(z.string().min(1).max(100)).max(10).default([]).describe('Users whom new issues are assigned to.'),
    url: serviceUrl('https://api.github.com', 'for GitHub Enterprise Server https://github.example.com/api/v3'),
  }),
  example: { id: 'tickets', repository: 'acme/alerts', token: { env: 'GITHUB_TOKEN' } },
  isLocal: false,

  async create({ repository, token, labels, assignees, url }, deps) {
    const headers = {
      accept: 'application/vnd.github+json',
      'x-github-api-version': '2022-11-28',
      'user-agent': 'caracal',
      authorization: `Bearer ${deps.secret(token)}`,
    }
    const post = poster(deps, { who: 'GitHub', headers })
    const issues = `${url}/repos/${repository}/issues`
    return {
      async send(delivery, signal) {
        const { kind, id, reference } = delivery
        if (isUnknownThere(delivery)) return
        const text = alertText(delivery)
        const links = `[Open the alert](${text.link})${text.reference ? ` · [Reference](${text.reference})` : ''}`
        const body = `${fenced(plainBody(text, MAX_BODY))}\n\n${links}`
        if (isFollowUp(kind) && reference !== undefined) {
          const issue = `${issues}/${encodeURIComponent(reference)}`
          if (kind === 'resolved')
            await post({ url: issue, method: 'PATCH', body: { state: 'closed', state_reason: 'completed' }, id, signal })
          else await post({ url: `${issue}/comments`, body: { body }, id, signal })
          return reference
        }
        const made = { title: cut(text.headline, MAX_TITLE), body, labels, assignees }
        return fieldOf(await post({ url: issues, body: made, id, signal }), 'number', 'GitHub')
      },
      async close() {},
    }
  },
})

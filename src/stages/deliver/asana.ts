import { z } from 'zod'
import { secretReference } from '../../util/secret.ts'
import { defineDestination, peopleBase, ticketSends } from './destination.ts'
import { type Answer, fieldOf, poster, serviceUrl } from './post.ts'
import { alertText, cut, isFollowUp, isUnknownThere, plainBody } from './text.ts'

const MAX_NAME = 500
const MAX_NOTES = 30_000

/** Source: https://developers.asana.com/reference/createtask. */
export const asana = defineDestination({
  type: 'asana',
  summary: 'Creates an Asana task for each alert, and completes it with the alert.',
  config: z.object({
    ...peopleBase,
    send: ticketSends,
    token: secretReference.describe('Personal access token.'),
    projects: z
      .array(z.string().regex(/^\d{1,30}$/, 'the number in the URL of the project'))
      .min(1)
      .describe('Ids of the projects that tasks are added to.'),
    url: serviceUrl('https://app.asana.com/api/1.0', 'change it only for a gateway'),
  }),
  example: { id: 'tickets', token: { env: 'ASANA_TOKEN' }, projects: ['1200000000000001'] },
  isLocal: false,

  async create({ token, projects, url }, deps) {
    const post = poster(deps, { who: 'Asana', headers: { authorization: `Bearer ${deps.secret(token)}` } })
    return {
      async send(delivery, signal) {
        const { kind, id, reference } = delivery
        if (isUnknownThere(delivery)) return
        const text = alertText(delivery)
        const notes = `${plainBody(text, MAX_NOTES)}\n\n${text.link}`
        if (isFollowUp(kind) && reference !== undefined) {
          const task = `${url}/tasks/${encodeURIComponent(reference)}`
          if (kind === 'resolved') await post({ url: task, method: 'PUT', body: { data: { completed: true } }, id, signal })
          else await post({ url: `${task}/stories`, body: { data: { text: `${text.headline}\n${notes}` } }, id, signal })
          return reference
        }
        const made = { name: cut(text.headline, MAX_NAME), notes, projects }
        const { data } = await post({ url: `${url}/tasks`, body: { data: made }, id, signal })
        return fieldOf((data ?? {}) as Answer, 'gid', 'Asana')
      },
      async close() {},
    }
  },
})

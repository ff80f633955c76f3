import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import type { Engine } from '../../engine/engine.ts'
import { MAX_EMAIL, type UserSession } from '../../model/account.ts'
import { currentCaller } from '../access/caller.ts'
import { iso } from '../account-fields.ts'
import { ApiError, failures } from '../errors.ts'
import { createRouter } from '../router.ts'
import { storable } from '../storable.ts'

/** What a list of users says about the sessions of each. */
export const sessionCountSchema = z.object({
  sessions: z.int().describe('Number of sessions that have not ended.'),
  last_used_time: z
    .string()
    .nullable()
    .describe('When one of them was last used, to the minute; null if the person has no session.'),
})

const end = createRoute({
  method: 'delete',
  path: '/api/v1/users/{id}/sessions',
  summary: 'Ends all sessions of a user at once, but the one that this call belongs to. Their password and their tokens stay.',
  request: { params: z.object({ id: storable(MAX_EMAIL).describe('Id or email address.') }) },
  responses: {
    200: {
      description: 'They have ended.',
      content: {
        'application/json': {
          schema: z.object({ state: z.literal('done'), ended: z.int().describe('Number of sessions.') }),
        },
      },
    },
    ...failures(404),
  },
})

/** `DELETE /api/v1/users/{id}/sessions`. */
export function userSessionRoutes({ accounts }: Pick<Engine, 'accounts'>) {
  return createRouter().openapi(end, async (c) => {
    const { id } = c.req.valid('param')
    const user = accounts.users.find(id)
    if (!user) throw new ApiError(404, 'not_found', `there is no user '${id}'; \`caracal users\` lists them`)
    const ended = await accounts.signIn.endOtherSessions(user.userId, currentCaller()?.session?.sessionId)
    return c.json({ state: 'done' as const, ended }, 200)
  })
}

/** The count of a user's sessions, out of those of all users. */
export function sessionCount(all: readonly UserSession[], userId: string): z.output<typeof sessionCountSchema> {
  const own = all.filter((session) => session.userId === userId)
  const last = own.reduce((latest, { lastUsedMs }) => Math.max(latest, lastUsedMs), 0)
  return { sessions: own.length, last_used_time: own.length === 0 ? null : iso(last) }
}

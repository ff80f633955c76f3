import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import type { Engine } from '../../engine/engine.ts'
import type { User } from '../../model/account.ts'
import { currentCaller } from '../access/caller.ts'
import { fromOf } from '../access/from.ts'
import { setCookies } from '../access/signing-in.ts'
import { code, iso, password } from '../account-fields.ts'
import { ApiError, failures } from '../errors.ts'
import { pageOf, pageQuery, pageSchema } from '../paging.ts'
import { createRouter } from '../router.ts'
import { storable } from '../storable.ts'

const json = <T extends z.ZodType>(schema: T) => ({ 'application/json': { schema } })
const done = z.object({ state: z.literal('done') })
const time = z.string().describe('RFC 3339, UTC.')

const sessionSchema = z.object({
  session_id: z.string(),
  is_current: z.boolean().describe('It is the one that this call belongs to.'),
  created_time: time,
  last_used_time: time.describe('To the minute.'),
  expires_time: time.describe('When it ends if it is not used again.'),
  address: z.string().describe('Where it was last used from.'),
  user_agent: z.string().describe('What the browser says it is.'),
})

const list = createRoute({
  method: 'get',
  path: '/api/v1/me/sessions',
  summary: "The caller's sessions, the newest first.",
  request: { query: z.strictObject(pageQuery(100)) },
  responses: {
    200: { description: 'A page of them.', content: json(pageSchema(sessionSchema)) },
    ...failures(409),
  },
})

const end = createRoute({
  method: 'delete',
  path: '/api/v1/me/sessions/{id}',
  summary: "Ends one of the caller's sessions at once.",
  request: { params: z.object({ id: storable(100) }) },
  responses: { 200: { description: 'It has ended.', content: json(done) }, ...failures(404, 409) },
})

const endOthers = createRoute({
  method: 'delete',
  path: '/api/v1/me/sessions',
  summary: "Ends all of the caller's sessions at once, but the one that this call belongs to.",
  responses: {
    200: { description: 'They have ended.', content: json(done.extend({ ended: z.int().describe('Number of sessions.') })) },
    ...failures(409),
  },
})

const changePassword = createRoute({
  method: 'post',
  path: '/api/v1/me/password',
  summary: "Changes the caller's password, and ends all other sessions.",
  request: { body: { required: true, content: json(z.strictObject({ current_password: password, new_password: password })) } },
  responses: { 200: { description: 'It is changed.', content: json(done) }, ...failures(400, 403, 409, 429) },
})

const factorSchema = z.object({
  otpauth_url: z.string().describe('What an authenticator app reads, as a QR code or by hand.'),
  secret: z.string().describe('The part of it that people type.'),
  recovery_codes: z.array(z.string()).describe('Each signs in once without the app. They are not shown again.'),
})

const setUp = createRoute({
  method: 'post',
  path: '/api/v1/me/second-factor',
  summary: 'Begins to set up an authenticator app. It counts once a code of it has been confirmed.',
  request: { body: { required: true, content: json(z.strictObject({ password })) } },
  responses: { 200: { description: 'What the app needs.', content: json(factorSchema) }, ...failures(400, 403, 409, 429) },
})

const confirm = createRoute({
  method: 'post',
  path: '/api/v1/me/second-factor/confirm',
  summary: 'Confirms the authenticator app with one of its codes. From now on, signing in takes one.',
  request: { body: { required: true, content: json(z.strictObject({ code })) } },
  responses: { 200: { description: 'It counts.', content: json(done) }, ...failures(400, 403, 409, 429) },
})

const removeFactor = createRoute({
  method: 'post',
  path: '/api/v1/me/second-factor/remove',
  summary: "Removes the caller's authenticator app.",
  request: { body: { required: true, content: json(z.strictObject({ password })) } },
  responses: { 200: { description: 'It is removed.', content: json(done) }, ...failures(400, 403, 409, 429) },
})

/** Routes by which people look after their own account. They need a session: a token cannot change its owner's account. */
export function meRoutes({ accounts, config }: Engine) {
  const { signIn } = accounts
  return createRouter()
    .openapi(list, async (c) => {
      const { user, sessionId } = person({ accounts })
      const sessions = (await signIn.sessions(user.userId)).map((session) => ({
        session_id: session.sessionId,
        is_current: session.sessionId === sessionId,
        created_time: iso(session.createdMs),
        last_used_time: iso(session.lastUsedMs),
        expires_time: iso(session.expiresMs),
        address: session.address,
        user_agent: session.userAgent,
      }))
      return c.json(
        pageOf(sessions, c.req.valid('query'), (one) => one.session_id),
        200,
      )
    })
    .openapi(end, async (c) => {
      const { user } = person({ accounts })
      const { id } = c.req.valid('param')
      if (!(await signIn.endSession(user.userId, id))) throw new ApiError(404, 'not_found', `you have no session '${id}'`)
      return c.json({ state: 'done' as const }, 200)
    })
    .openapi(endOthers, async (c) => {
      const { user, sessionId } = person({ accounts })
      return c.json({ state: 'done' as const, ended: await signIn.endOtherSessions(user.userId, sessionId) }, 200)
    })
    .openapi(changePassword, async (c) => {
      const { user } = person({ accounts })
      const { current_password, new_password } = c.req.valid('json')
      setCookies(c, accepted(await signIn.changePassword(user, current_password, new_password, fromOf(c, config))))
      return c.json({ state: 'done' as const }, 200)
    })
    .openapi(setUp, async (c) => {
      const { user } = person({ accounts })
      if (user.hasSecondFactor) throw new ApiError(400, 'bad_request', 'you have an authenticator app: remove it first')
      const made = accepted(await signIn.newSecondFactor(user, c.req.valid('json').password, fromOf(c, config)))
      return c.json({ otpauth_url: made.url, secret: made.secret, recovery_codes: [...made.recoveryCodes] }, 200)
    })
    .openapi(confirm, async (c) => {
      const { user } = person({ accounts })
      setCookies(c, accepted(await signIn.confirmSecondFactor(user, c.req.valid('json').code, fromOf(c, config))))
      return c.json({ state: 'done' as const }, 200)
    })
    .openapi(removeFactor, async (c) => {
      const { user } = person({ accounts })
      setCookies(c, accepted(await signIn.removeSecondFactor(user, c.req.valid('json').password, fromOf(c, config))))
      return c.json({ state: 'done' as const }, 200)
    })
}

/** The person who makes the current call. Throws `ApiError` for tokens. */
export function person({ accounts }: Pick<Engine, 'accounts'>): { readonly user: User; readonly sessionId: string } {
  const { session, name } = currentCaller()!
  const user = session && accounts.users.get(session.userId)
  if (!session || !user)
    throw new ApiError(409, 'no_session', `'${name}' is a token, and this is only for people who have signed in, at /sign-in`)
  return { user, sessionId: session.sessionId }
}

/** What a confirmed change returns. Throws `ApiError` otherwise. */
export function accepted<T>(outcome: T | 'wrong' | { readonly problem: string } | { readonly waitMs: number }): T {
  if (outcome === 'wrong') throw new ApiError(403, 'forbidden', 'the password or code is wrong')
  if (typeof outcome === 'object' && outcome !== null && 'problem' in outcome)
    throw new ApiError(400, 'bad_request', outcome.problem)
  if (typeof outcome === 'object' && outcome !== null && 'waitMs' in outcome) {
    const secs = Math.ceil(outcome.waitMs / 1000)
    throw new ApiError(429, 'too_many_attempts', `there were too many failed attempts: try again in ${secs} seconds`, {
      'retry-after': String(secs),
    })
  }
  return outcome as T
}

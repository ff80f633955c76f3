import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import type { Engine } from '../../engine/engine.ts'
import { ROLES, type User } from '../../model/account.ts'
import { glob } from '../../util/glob.ts'
import { currentCaller } from '../access/caller.ts'
import { logTypes } from '../account-fields.ts'
import { ApiError, failures } from '../errors.ts'
import { pageOf, pageQuery, pageSchema } from '../paging.ts'
import { createRouter } from '../router.ts'
import { storable } from '../storable.ts'
import { person } from './me.ts'
import { created, createdSchema, expiryOf, tokenFields, tokenSchema, tokenView } from './tokens.ts'

const json = <T extends z.ZodType>(schema: T) => ({ 'application/json': { schema } })

const bodySchema = z.strictObject({
  ...tokenFields,
  role: z.enum(ROLES).describe("At most the caller's."),
  log_types: logTypes.default([]).describe('Patterns of the log types that it may see. Default: those of the caller.'),
})

const list = createRoute({
  method: 'get',
  path: '/api/v1/me/tokens',
  summary: "The caller's own tokens, oldest first.",
  request: { query: z.strictObject(pageQuery(1000)) },
  responses: {
    200: { description: 'A page of them.', content: json(pageSchema(tokenSchema)) },
    ...failures(409),
  },
})

const create = createRoute({
  method: 'post',
  path: '/api/v1/me/tokens',
  summary: 'Creates a token for programs of the caller. It can do and see no more than the caller, and ends with the account.',
  request: {
    body: {
      required: true,
      content: json(bodySchema),
    },
  },
  responses: { 200: { description: 'The token and its secret.', content: json(createdSchema) }, ...failures(400, 403, 409) },
})

const revoke = createRoute({
  method: 'post',
  path: '/api/v1/me/tokens/{id}/revoke',
  summary: "Revokes one of the caller's tokens at once.",
  request: { params: z.object({ id: storable(63).describe('Its id, or the name of one in force.') }) },
  responses: { 200: { description: 'The token as it is now.', content: json(tokenSchema) }, ...failures(404, 409) },
})

/** Routes for the tokens of people. */
export function meTokenRoutes(engine: Engine) {
  const { accounts, tokens } = engine
  return createRouter()
    .openapi(list, (c) => {
      const { user } = person({ accounts })
      const own = tokens.list().filter(({ userId }) => userId === user.userId)
      const { results, next } = pageOf(own, c.req.valid('query'), ({ tokenId }) => tokenId)
      return c.json({ results: results.map((token) => tokenView(token, accounts)), next }, 200)
    })
    .openapi(create, async (c) => {
      const { user } = person({ accounts })
      const made = await addOwnToken(engine, user, c.req.valid('json'))
      return c.json({ ...tokenView(made.token, accounts), token: made.secret }, 200)
    })
    .openapi(revoke, async (c) => {
      const { user } = person({ accounts })
      const { id } = c.req.valid('param')
      const token = await tokens.revoke(id, user.email, user.userId)
      if (!token) throw new ApiError(404, 'not_found', `you have no token '${id}'`)
      return c.json(tokenView(token, accounts), 200)
    })
}

/** A token as a person wants it. */
export type OwnToken = z.output<typeof bodySchema>

/** The wish that a form has. Throws `ApiError` if there can be no such token. */
export function ownTokenOf(wish: unknown): OwnToken {
  const result = bodySchema.safeParse(wish)
  if (result.success) return result.data
  const issues = result.error.issues.map(
    ({ path, message }) => `${String(path[0] ?? 'the form').replaceAll('_', ' ')}: ${message}`,
  )
  throw new ApiError(400, 'bad_request', issues.join('; '))
}

/** Creates a token of the person who makes the current call. Throws `ApiError` if they may not have it. */
export async function addOwnToken({ tokens }: Pick<Engine, 'tokens'>, user: User, wish: OwnToken) {
  const { name, role, log_types, cidrs, expires } = wish
  // The token would be a way around it.
  if (currentCaller()?.session?.needsSecondFactor) {
    const message = `'${user.email}' has to set up an authenticator app first, at /account: the configuration demands it (sign_in.require_second_factor)`
    throw new ApiError(403, 'second_factor_needed', message)
  }
  refuseMore(user, role, log_types)
  const [expiresMs, createdBy] = [expiryOf(expires), user.email]
  return created(await tokens.add({ name, role, logTypes: log_types, cidrs, expiresMs, createdBy, userId: user.userId }), name)
}

function refuseMore(user: User, role: User['role'], types: readonly string[]): void {
  if (ROLES.indexOf(role) < ROLES.indexOf(user.role))
    throw new ApiError(403, 'forbidden', `you have the role ${user.role}, so your tokens cannot have the role ${role}`)
  if (role === 'admin' && types.length > 0)
    throw new ApiError(400, 'bad_request', 'log_types limit what analysts and viewers see; the role admin sees everything')
  const limits = user.role === 'admin' ? [] : user.logTypes
  const beyond = limits.length > 0 ? types.find((one) => !limits.some((limit) => glob(limit)(one))) : undefined
  if (beyond !== undefined)
    throw new ApiError(
      403,
      'forbidden',
      `you may only see the log types ${limits.join(', ')}, so your tokens cannot see ${beyond}`,
    )
}

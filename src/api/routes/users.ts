import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import type { UserOutcome } from '../../engine/accounts/users.ts'
import type { Engine } from '../../engine/engine.ts'
import { MAX_EMAIL, MAX_USERS, ROLES, type User } from '../../model/account.ts'
import { callerName } from '../access/caller.ts'
import { email, linkSchema, linkView, logTypes, personName, userEtag, userSchema, userView } from '../account-fields.ts'
import { ApiError, failures } from '../errors.ts'
import { changesInTurn, ifUnchanged } from '../if-match.ts'
import { pageOf, pageQuery, pageSchema } from '../paging.ts'
import { createRouter } from '../router.ts'
import { storable } from '../storable.ts'
import { sessionCount, sessionCountSchema } from './user-sessions.ts'

const json = <T extends z.ZodType>(schema: T) => ({ 'application/json': { schema } })
const params = z.object({ id: storable(MAX_EMAIL).describe('Id or email address.') })
const withLink = userSchema.extend(linkSchema.shape)

const list = createRoute({
  method: 'get',
  path: '/api/v1/users',
  summary: 'The people who may sign in, by email address.',
  request: { query: z.strictObject(pageQuery(1000)) },
  responses: {
    200: { description: 'A page of them.', content: json(pageSchema(userSchema.extend(sessionCountSchema.shape))) },
    ...failures(400),
  },
})

const create = createRoute({
  method: 'post',
  path: '/api/v1/users',
  summary: 'Creates a user. They set their password with the one-time link of the answer, or sign in at the provider.',
  request: {
    body: {
      required: true,
      content: json(
        z.strictObject({
          email,
          name: personName.optional().describe('What colleagues call the person. Default: the address.'),
          role: z.enum(ROLES),
          log_types: logTypes
            .default([])
            .describe('Patterns of the log types that they may see, for analysts and viewers. Default: everything.'),
        }),
      ),
    },
  },
  responses: { 200: { description: 'The user and the link.', content: json(withLink) }, ...failures(400, 409) },
})

const firstLink = createRoute({
  method: 'post',
  path: '/api/v1/users/first-link',
  summary: 'A one-time link to create the first administrator. It replaces the link before.',
  responses: { 200: { description: 'The link.', content: json(linkSchema) }, ...failures(409) },
})

const change = createRoute({
  method: 'patch',
  path: '/api/v1/users/{id}',
  summary: 'Changes what a user may do. It takes effect at once; a user who is disabled is signed out everywhere.',
  request: {
    params,
    headers: ifUnchanged,
    body: {
      required: true,
      content: json(
        z
          .strictObject({
            name: personName.optional(),
            role: z.enum(ROLES).optional(),
            log_types: logTypes.optional().describe('Patterns of the log types that they may see; an empty list: everything.'),
            disabled: z.boolean().optional(),
          })
          .refine(
            (body) => Object.keys(body).length > 0,
            'nothing is to be changed: it needs one of name, role, log_types, disabled',
          ),
      ),
    },
  },
  responses: { 200: { description: 'The user as they are now.', content: json(userSchema) }, ...failures(400, 404, 409, 412) },
})

const remove = createRoute({
  method: 'delete',
  path: '/api/v1/users/{id}',
  summary: 'Removes a user with their sessions; their tokens end. What they did keeps their name.',
  request: { params, headers: ifUnchanged },
  responses: { 200: { description: 'The user as they were.', content: json(userSchema) }, ...failures(400, 404, 409, 412) },
})

const reset = createRoute({
  method: 'post',
  path: '/api/v1/users/{id}/reset',
  summary:
    'Ends all sessions of a user and makes a one-time link for a new password. The old one is valid until the link is used.',
  request: {
    params,
    headers: ifUnchanged,
    body: {
      required: false,
      content: json(
        z.strictObject({
          second_factor: z.boolean().default(false).describe('Also remove the authenticator app, if it is lost.'),
        }),
      ),
    },
  },
  responses: { 200: { description: 'The user and the link.', content: json(withLink) }, ...failures(400, 404, 409, 412) },
})

/** Routes for the people who may sign in. */
export function userRoutes({ accounts, config }: Engine) {
  const { users, links, attempts, signIn } = accounts
  const inTurn = changesInTurn()
  const changing = <T>(id: string, given: z.output<typeof ifUnchanged>, change: (user: User) => Promise<T>) => {
    const user = () => known(users.find(id) ?? 'unknown', id)
    return inTurn({ given, what: `the user ${id}`, etag: () => userEtag(user()), change: () => change(user()) })
  }
  return createRouter()
    .openapi(list, async (c) => {
      const { results, next } = pageOf(users.list(), c.req.valid('query'), ({ userId }) => userId)
      const sessions = await signIn.allSessions()
      return c.json(
        { results: results.map((user) => ({ ...userView(user), ...sessionCount(sessions, user.userId) })), next },
        200,
      )
    })
    .openapi(create, async (c) => {
      const { name, log_types, ...wish } = c.req.valid('json')
      refuseLimitedAdmin(wish.role, log_types)
      const made = await users.create({ ...wish, name: name ?? wish.email, logTypes: log_types, createdBy: callerName() })
      if (made === 'taken') throw new ApiError(409, 'conflict', `there is a user ${wish.email} already`)
      if (made === 'too_many') throw new ApiError(409, 'conflict', `there are ${MAX_USERS} users, which is the limit`)
      return c.json({ ...userView(made), ...linkView(await links.forUser(made.userId), config) }, 200)
    })
    .openapi(firstLink, async (c) => {
      const link = await links.first()
      if (!link) throw new ApiError(409, 'conflict', 'there are users already: `caracal users create` makes another, with a link')
      return c.json(linkView(link, config), 200)
    })
    .openapi(change, (c) => {
      const { id } = c.req.valid('param')
      const { name, role, log_types, disabled } = c.req.valid('json')
      return changing(id, c.req.valid('header'), async (before) => {
        const isGivenUp = role === 'admin' && log_types === undefined
        const limits = isGivenUp ? [] : log_types
        refuseLimitedAdmin(role ?? before.role, limits ?? before.logTypes)
        return c.json(userView(known(await users.change(id, { name, role, logTypes: limits, isDisabled: disabled }), id)), 200)
      })
    })
    .openapi(remove, (c) => {
      const { id } = c.req.valid('param')
      return changing(id, c.req.valid('header'), async () => c.json(userView(known(await users.remove(id), id)), 200))
    })
    .openapi(reset, (c) => {
      const isWithFactor = c.req.valid('json').second_factor === true
      return changing(c.req.valid('param').id, c.req.valid('header'), async (user) => {
        if (user.state === 'disabled')
          throw new ApiError(
            409,
            'conflict',
            `${user.email} is disabled: enable the account first, with \`caracal users enable\``,
          )
        await users.reset(user.userId, isWithFactor)
        await attempts.forgive(user.email)
        return c.json({ ...userView(users.get(user.userId)!), ...linkView(await links.forUser(user.userId), config) }, 200)
      })
    })
}

function known(outcome: UserOutcome, id: string): User {
  if (outcome === 'unknown') throw new ApiError(404, 'not_found', `there is no user '${id}'; \`caracal users\` lists them`)
  if (outcome === 'last_admin')
    throw new ApiError(409, 'conflict', `${id} is the only administrator who can sign in: make another one first`)
  return outcome
}

function refuseLimitedAdmin(role: string, types: readonly string[]): void {
  if (role === 'admin' && types.length > 0)
    throw new ApiError(400, 'bad_request', 'log_types limit what analysts and viewers see; the role admin sees everything')
}

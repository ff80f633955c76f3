import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import type { Engine } from '../../engine/engine.ts'
import {
  type ApiToken,
  LOG_TYPE_PATTERN,
  MACHINE_NAME,
  MAX_TOKEN_CIDRS,
  MAX_TOKEN_LOG_TYPES,
  MAX_TOKENS,
  ROLES,
  TOKEN_NAME,
  TOKEN_ROLES,
} from '../../model/account.ts'
import { callerName, currentCaller } from '../access/caller.ts'
import { PERMISSIONS } from '../access/operations.ts'
import { ApiError, failures } from '../errors.ts'
import { changesInTurn, etagOf, etagSchema, ifUnchanged } from '../if-match.ts'
import { pageOf, pageQuery, pageSchema } from '../paging.ts'
import { createRouter } from '../router.ts'
import { storable } from '../storable.ts'

const time = z.string().describe('RFC 3339, UTC.')

export const tokenSchema = z.object({
  token_id: z.string(),
  name: z.string().describe('What its changes are attributed to.'),
  role: z.enum(TOKEN_ROLES).describe('`ingest`: it can only send logs.'),
  log_types: z.array(z.string()).describe('Patterns of the log types that it may see; none: everything.'),
  cidrs: z.array(z.string()).describe('Networks that it may be used from; none: any.'),
  state: z.enum(['active', 'expired', 'revoked']),
  created_time: time,
  created_by: z.string(),
  expires_time: time.nullable(),
  revoked_time: time.nullable(),
  revoked_by: z.string().nullable(),
  last_used_time: time.nullable().describe('To the minute.'),
  last_address: z.string().nullable(),
  user: z.string().nullable().describe("The user whose token it is: it can do no more than they can. null: a program's."),
  etag: etagSchema,
})

export const createdSchema = tokenSchema.extend({
  token: z.string().describe('The secret. It is not stored and not shown again.'),
})

const logTypes = z
  .array(z.string().regex(LOG_TYPE_PATTERN, "a log type, or a pattern with '*' such as Nginx.*"))
  .max(MAX_TOKEN_LOG_TYPES)
  .default([])
const cidr = z.union([z.cidrv4(), z.cidrv6(), z.ipv4(), z.ipv6()], 'an address or a network such as 10.0.0.0/8')

export const tokenFields = {
  name: storable(63).regex(TOKEN_NAME, 'letters, digits, blanks and ._- only, beginning with a letter or digit, at most 63'),
  cidrs: z.array(cidr).max(MAX_TOKEN_CIDRS).default([]).describe('Networks that it may be used from. Default: any.'),
  expires: z.iso.datetime({ offset: true }).optional().describe('Default: never.'),
}

const bodySchema = z
  .strictObject({
    ...tokenFields,
    role: z.enum(TOKEN_ROLES),
    log_types: logTypes.describe('Patterns of the log types that it may see, for analysts and viewers. Default: everything.'),
  })
  .refine(({ name }) => name.toLowerCase() !== MACHINE_NAME, `the name ${MACHINE_NAME} is that of the data folder's token`)
  .refine(
    ({ role, log_types }) => log_types.length === 0 || role === 'analyst' || role === 'viewer',
    'log_types limit what analysts and viewers see; the role admin sees everything and the role ingest sees nothing',
  )

const list = createRoute({
  method: 'get',
  path: '/api/v1/tokens',
  summary: 'Tokens, oldest first, with those that have expired or were revoked.',
  request: { query: z.strictObject(pageQuery(1000)) },
  responses: {
    200: { description: 'A page of them.', content: { 'application/json': { schema: pageSchema(tokenSchema) } } },
    ...failures(400),
  },
})

const create = createRoute({
  method: 'post',
  path: '/api/v1/tokens',
  summary: 'Creates a token. The answer is the only time that its secret is shown.',
  request: { body: { required: true, content: { 'application/json': { schema: bodySchema } } } },
  responses: {
    200: { description: 'The token and its secret.', content: { 'application/json': { schema: createdSchema } } },
    ...failures(400, 409),
  },
})

const revoke = createRoute({
  method: 'post',
  path: '/api/v1/tokens/{id}/revoke',
  summary: 'Revokes a token at once. One that is revoked stays as it is.',
  request: { params: z.object({ id: storable(63).describe('Its id, or the name of one in force.') }), headers: ifUnchanged },
  responses: {
    200: { description: 'The token as it is now.', content: { 'application/json': { schema: tokenSchema } } },
    ...failures(400, 404, 412),
  },
})

const me = createRoute({
  method: 'get',
  path: '/api/v1/me',
  summary: 'Who the caller is, and what it may do.',
  responses: {
    200: {
      description: 'The caller.',
      content: {
        'application/json': {
          schema: z.object({
            kind: z
              .enum(['machine', 'token', 'user'])
              .describe("`machine`: the data folder's token. `user`: a person who signed in."),
            name: z.string(),
            role: z.enum(ROLES),
            log_types: z.array(z.string()).nullable().describe('Patterns of the log types that it may see; null: everything.'),
            permissions: z.array(z.string()),
          }),
        },
      },
    },
  },
})

/** Routes for tokens of the API. */
export function tokenRoutes({ tokens, accounts }: Engine) {
  const view = (token: ApiToken) => tokenView(token, accounts)
  const inTurn = changesInTurn()
  return createRouter()
    .openapi(me, (c) => {
      const { kind, name, role, logTypes } = currentCaller()!
      const permissions = Object.entries(PERMISSIONS).filter(([, roles]) => (roles as readonly string[]).includes(role))
      const own = { kind, name, role: role as (typeof ROLES)[number], log_types: logTypes ? [...logTypes] : null }
      return c.json({ ...own, permissions: permissions.map(([permission]) => permission) }, 200)
    })
    .openapi(list, (c) => {
      const { results, next } = pageOf(tokens.list(), c.req.valid('query'), ({ tokenId }) => tokenId)
      return c.json({ results: results.map(view), next }, 200)
    })
    .openapi(create, async (c) => {
      const { name, role, log_types, cidrs, expires } = c.req.valid('json')
      const made = created(
        await tokens.add({ name, role, logTypes: log_types, cidrs, expiresMs: expiryOf(expires), createdBy: callerName() }),
        name,
      )
      return c.json({ ...view(made.token), token: made.secret }, 200)
    })
    .openapi(revoke, (c) => {
      const { id } = c.req.valid('param')
      return inTurn({
        given: c.req.valid('header'),
        what: `the token '${id}'`,
        etag: () => tokenEtag(known(tokens.find(id), id)),
        change: async () => c.json(view(known(await tokens.revoke(id, callerName()), id)), 200),
      })
    })
}

function known(token: ApiToken | undefined, id: string): ApiToken {
  if (!token) throw new ApiError(404, 'not_found', `there is no token '${id}'; \`caracal tokens\` lists them`)
  return token
}

function tokenEtag({ tokenId, revokedMs }: ApiToken): string {
  return etagOf(tokenId, revokedMs)
}

/** When a token expires. Throws `ApiError` for a time in the past. */
export function expiryOf(expires: string | undefined): number | null {
  if (expires === undefined) return null
  const expiresMs = Date.parse(expires)
  if (expiresMs <= Date.now()) throw new ApiError(400, 'bad_request', `expires: ${expires} is in the past`)
  return expiresMs
}

/** The token that was created. Throws `ApiError` if that was not possible. */
export function created(made: Awaited<ReturnType<Engine['tokens']['add']>>, name: string) {
  if (made === 'taken')
    throw new ApiError(409, 'conflict', `a token in force has the name '${name}': revoke it first, or use another name`)
  if (made === 'too_many')
    throw new ApiError(409, 'conflict', `there are ${MAX_TOKENS} tokens, as many as are stored, counting those that are over`)
  return made
}

/** A token as the API shows it. */
export function tokenView(token: ApiToken, { users }: Engine['accounts']): z.output<typeof tokenSchema> {
  const nowMs = Date.now()
  const { tokenId, name, role, logTypes: types, cidrs, createdMs, createdBy, expiresMs, revokedMs, revokedBy } = token
  const isOver = expiresMs !== null && expiresMs <= nowMs
  return {
    token_id: tokenId,
    name,
    role,
    log_types: [...types],
    cidrs: [...cidrs],
    state: revokedMs !== null ? 'revoked' : isOver ? 'expired' : 'active',
    created_time: iso(createdMs)!,
    created_by: createdBy,
    expires_time: iso(expiresMs),
    revoked_time: iso(revokedMs),
    revoked_by: revokedBy,
    last_used_time: iso(token.lastUsedMs),
    last_address: token.lastAddress,
    user: token.userId === null ? null : (users.get(token.userId)?.email ?? 'removed'),
    etag: tokenEtag(token),
  }
}

function iso(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString()
}

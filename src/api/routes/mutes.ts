import { randomBytes } from 'node:crypto'
import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import type { Engine } from '../../engine/engine.ts'
import { CROWD_DEDUP } from '../../model/alert.ts'
import { MAX_ACTIVE_MUTES, MAX_MUTE_MS, type Mute, type MuteCriteria } from '../../model/mute.ts'
import { callerName } from '../access/caller.ts'
import { alertOf, idParam } from '../alert-of.ts'
import { ApiError, failures } from '../errors.ts'
import { criteriaOf, criteriaSchema, muteSchema, muteView, ownerSchema, reasonSchema } from '../mute-view.ts'
import { createRouter } from '../router.ts'

const MAX_LISTED = 1000

const shared = {
  owner: ownerSchema,
  reason: reasonSchema,
  expires: z.iso.datetime({ offset: true }).describe('When it stops covering matches, at most a year from now.'),
  id: z
    .string()
    .regex(/^[0-9a-f]{8,32}$/, '8 to 32 hexadecimal digits')
    .optional()
    .describe("The caller's own id: repeating the call with it makes no second mute."),
}

const muteAnswer = { description: 'The mute.', content: { 'application/json': { schema: muteSchema } } }
const muteParam = z.object({
  id: z.string().describe('The id of the mute, or the beginning of it (at least 4 digits) if no other id begins so.'),
})

const list = createRoute({
  method: 'get',
  path: '/api/v1/mutes',
  summary: 'Mutes, newest first.',
  request: {
    query: z.strictObject({
      state: z.enum(['active', 'over', 'all']).default('active').describe('`over`: those that expired or were ended.'),
      limit: z.coerce.number().int().min(1).max(MAX_LISTED).default(MAX_LISTED),
    }),
  },
  responses: {
    200: {
      description: 'The newest of them.',
      content: {
        'application/json': {
          schema: z.object({ results: z.array(muteSchema), truncated: z.boolean().describe('There are more.') }),
        },
      },
    },
    ...failures(400),
  },
})

const show = createRoute({
  method: 'get',
  path: '/api/v1/mutes/{id}',
  summary: 'One mute.',
  request: { params: muteParam },
  responses: { 200: muteAnswer, ...failures(404) },
})

const add = createRoute({
  method: 'post',
  path: '/api/v1/mutes',
  summary: 'Mutes matches: they open no alert that is sent, until the mute expires or is ended.',
  request: {
    body: {
      required: true,
      content: { 'application/json': { schema: z.strictObject({ match: criteriaSchema, ...shared }) } },
    },
  },
  responses: { 200: muteAnswer, ...failures(400, 409) },
})

const snooze = createRoute({
  method: 'post',
  path: '/api/v1/alerts/{id}/snooze',
  summary: "Mutes further matches of an alert's rule with exactly its dedup string.",
  request: {
    params: idParam,
    body: { required: true, content: { 'application/json': { schema: z.strictObject(shared) } } },
  },
  responses: { 200: muteAnswer, ...failures(400, 404, 409) },
})

const end = createRoute({
  method: 'post',
  path: '/api/v1/mutes/{id}/end',
  summary: 'Ends a mute before it expires. One that is over stays as it is.',
  request: { params: muteParam },
  responses: { 200: muteAnswer, ...failures(404) },
})

export function muteRoutes(engine: Engine) {
  return createRouter()
    .openapi(list, async (c) => {
      const { state, limit } = c.req.valid('query')
      const nowMs = Date.now()
      const mutes = await engine.read.mutes({ which: state, nowMs, limit: limit + 1 })
      const results = mutes.slice(0, limit).map((mute) => muteView(mute, nowMs))
      return c.json({ results, truncated: mutes.length > limit }, 200)
    })
    .openapi(show, async (c) => c.json(muteView(await muteOf(engine, c.req.valid('param').id), Date.now()), 200))
    .openapi(add, async (c) => {
      const { match, ...given } = c.req.valid('json')
      return c.json(muteView(await added(engine, criteriaOf(match), given), Date.now()), 200)
    })
    .openapi(snooze, async (c) => {
      const { alertId, ruleId, body } = await alertOf(engine, c.req.valid('param').id)
      if (body.type !== 'RULE') {
        const what = body.type === 'SYSTEM' ? 'about Caracal itself' : 'about a rule that fails'
        const message = `alert ${alertId} is ${what} and cannot be snoozed, because it says that other alerts may be missing: fix its cause`
        throw new ApiError(409, 'conflict', message)
      }
      if (body.dedup === CROWD_DEDUP) {
        const message = `alert ${alertId} collects matches with many dedup strings, so there is no single one to snooze: mute its rule instead, ${ruleId}, with \`caracal mutes add --rule\``
        throw new ApiError(409, 'conflict', message)
      }
      const criteria = { rule: ruleId, dedup: body.dedup, exact: true } as const
      return c.json(muteView(await added(engine, criteria, c.req.valid('json')), Date.now()), 200)
    })
    .openapi(end, async (c) => {
      const { muteId } = await muteOf(engine, c.req.valid('param').id)
      const mute = await engine.desk({ do: 'unmute', muteId, by: callerName() })
      if (!mute) throw noMute(muteId)
      return c.json(muteView(mute, Date.now()), 200)
    })
}

interface Given {
  readonly owner: string
  readonly reason: string
  readonly expires: string
  readonly id?: string | undefined
}

async function added(engine: Engine, criteria: MuteCriteria, { owner, reason, expires, id }: Given): Promise<Mute> {
  const expiresMs = Date.parse(expires)
  const nowMs = Date.now()
  // A repeated call may come after the mute it made has expired.
  const isKnown = id !== undefined && (await engine.read.mute(id))?.muteId === id
  if (!isKnown && (expiresMs <= nowMs || expiresMs > nowMs + MAX_MUTE_MS))
    throw new ApiError(400, 'bad_request', `expires: ${expires} is not within a year from now`)
  const muteId = id ?? randomBytes(16).toString('hex')
  const mute = await engine.desk({ do: 'mute', muteId, criteria, owner, reason, by: callerName(), expiresMs })
  if (mute === 'taken')
    throw new ApiError(409, 'conflict', `the id ${muteId} belongs to a different mute: leave it out, or use another`)
  if (mute === 'too_many')
    throw new ApiError(
      409,
      'conflict',
      `${MAX_ACTIVE_MUTES} mutes are in force, as many as are allowed: end some, or change the rules`,
    )
  return mute
}

async function muteOf({ read }: Engine, id: string): Promise<Mute> {
  const mute = await read.mute(id)
  if (!mute) throw noMute(id)
  return mute
}

function noMute(id: string): ApiError {
  const message = `there is no mute '${id.slice(0, 80)}', or several ids begin with it; \`caracal mutes list --all\` lists them`
  return new ApiError(404, 'not_found', message)
}

import { randomBytes } from 'node:crypto'
import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import type { Engine } from '../../engine/engine.ts'
import { MAX_ACTIVE_MUTES, type Mute, type MuteCriteria } from '../../model/mute.ts'
import { isMuteEnd, snoozeOf } from '../../model/snooze.ts'
import { callerName } from '../access/caller.ts'
import { alertOf, idParam } from '../alert-of.ts'
import { ApiError, failures } from '../errors.ts'
import { changesInTurn, ifUnchanged } from '../if-match.ts'
import { criteriaOf, criteriaSchema, muteEtag, muteSchema, muteView, ownerSchema, reasonSchema } from '../mute-view.ts'
import { cutPage, pageQuery, pageSchema, readCursor } from '../paging.ts'
import { createRouter } from '../router.ts'

const MAX_LISTED = 1000
const placeSchema = z.tuple([z.int(), z.string()])

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
      ...pageQuery(MAX_LISTED),
    }),
  },
  responses: {
    200: {
      description: 'A page of them.',
      content: { 'application/json': { schema: pageSchema(muteSchema) } },
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
  request: { params: muteParam, headers: ifUnchanged },
  responses: { 200: muteAnswer, ...failures(400, 404, 412) },
})

export function muteRoutes(engine: Engine) {
  const inTurn = changesInTurn()
  return createRouter()
    .openapi(list, async (c) => {
      const { state, limit, cursor } = c.req.valid('query')
      const nowMs = Date.now()
      const [createdMs, muteId] = cursor === undefined ? [] : readCursor(cursor, placeSchema)
      const before = createdMs === undefined ? undefined : { createdMs, muteId: muteId! }
      const mutes = await engine.read.mutes({ which: state, nowMs, limit: limit + 1, before })
      const { results, next } = cutPage(mutes, limit, (mute) => [mute.createdMs, mute.muteId])
      return c.json({ results: results.map((mute) => muteView(mute, nowMs)), next }, 200)
    })
    .openapi(show, async (c) => {
      const mute = await muteOf(engine, c.req.valid('param').id)
      c.header('etag', muteEtag(mute))
      return c.json(muteView(mute, Date.now()), 200)
    })
    .openapi(add, async (c) => {
      const { match, ...given } = c.req.valid('json')
      return c.json(muteView(await added(engine, criteriaOf(match), given), Date.now()), 200)
    })
    .openapi(snooze, async (c) => {
      const { alertId, ruleId, body } = await alertOf(engine, c.req.valid('param').id)
      const snoozed = snoozeOf({ ruleId, body })
      if (snoozed.kind === 'refused') throw new ApiError(409, 'conflict', `alert ${alertId} ${snoozed.why}`)
      return c.json(muteView(await added(engine, snoozed.criteria, c.req.valid('json')), Date.now()), 200)
    })
    .openapi(end, async (c) => {
      const { muteId } = await muteOf(engine, c.req.valid('param').id)
      return inTurn({
        given: c.req.valid('header'),
        what: `the mute ${muteId}`,
        etag: async () => muteEtag(await muteOf(engine, muteId)),
        change: async () => {
          const mute = await engine.desk({ do: 'unmute', muteId, by: callerName() })
          if (!mute) throw noMute(muteId)
          return c.json(muteView(mute, Date.now()), 200)
        },
      })
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
  if (!isKnown && !isMuteEnd(expiresMs, nowMs))
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

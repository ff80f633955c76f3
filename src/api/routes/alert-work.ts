import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import type { Engine } from '../../engine/engine.ts'
import { ALERT_STATUSES, type StoredAlert } from '../../model/alert.ts'
import {
  ALERT_QUALITIES,
  type ChangeOutcome,
  CONTEXT_TAG,
  HIDDEN_ALERT,
  MAX_COMMENT_CHARS,
  MAX_COMMENTS,
  MAX_CONTEXT_TAGS,
  MAX_OWNER_CHARS,
  MAX_REASON_CHARS,
  type WorkChange,
} from '../../model/alert-work.ts'
import { callerName } from '../access/caller.ts'
import { alertOf, idParam, noAlert } from '../alert-of.ts'
import { alertSchema, alertView } from '../alert-view.ts'
import { ApiError, failures } from '../errors.ts'
import { ifMatch, versionOf } from '../etag.ts'
import { cutPage, pageQuery, pageSchema, readCursor } from '../paging.ts'
import { createRouter } from '../router.ts'
import { storable } from '../storable.ts'
import { timelineSchema, timelineView } from '../timeline-view.ts'

const tags = z.array(z.string().regex(CONTEXT_TAG, 'lower-case letters, digits, _ and -, at most 30')).max(MAX_CONTEXT_TAGS)
const line = (most: number) =>
  storable(most)
    .min(1)
    .regex(/^[^\p{Cc}]*\S[^\p{Cc}]*$/u, 'one line of visible text')

/** What to change about an alert, or about several. */
export const changeSchema = z
  .strictObject({
    status: z.enum(ALERT_STATUSES).optional(),
    reason: storable(MAX_REASON_CHARS).min(1).nullable().optional().describe('Why it is resolved or closed.'),
    quality: z.enum(ALERT_QUALITIES).nullable().optional().describe('Whether it was worth raising.'),
    owner: line(MAX_OWNER_CHARS).nullable().optional().describe('Who works on it.'),
    add_tags: tags.optional(),
    remove_tags: tags.optional(),
  })
  .refine((change) => Object.keys(change).length > 0, 'nothing to change')

export function changeOf({ add_tags, remove_tags, ...same }: z.output<typeof changeSchema>): WorkChange {
  const given = Object.fromEntries(Object.entries(same).filter(([, value]) => value !== undefined))
  return { ...given, ...(add_tags && { addTags: add_tags }), ...(remove_tags && { removeTags: remove_tags }) }
}

const change = createRoute({
  method: 'patch',
  path: '/api/v1/alerts/{id}',
  summary: 'Changes the status, reason, quality, owner or context tags of an alert.',
  request: {
    params: idParam,
    headers: ifMatch,
    body: { required: true, content: { 'application/json': { schema: changeSchema } } },
  },
  responses: {
    200: { description: 'The alert as it is now.', content: { 'application/json': { schema: alertSchema } } },
    ...failures(400, 404, 409, 412),
  },
})

const timeline = createRoute({
  method: 'get',
  path: '/api/v1/alerts/{id}/timeline',
  summary: 'Everything that happened to an alert, oldest first.',
  request: {
    params: idParam,
    query: z.strictObject(pageQuery(1000, 200)),
  },
  responses: {
    200: {
      description: 'A page of its timeline.',
      content: {
        'application/json': {
          schema: pageSchema(timelineSchema),
        },
      },
    },
    ...failures(400, 404),
  },
})

const comment = createRoute({
  method: 'post',
  path: '/api/v1/alerts/{id}/comments',
  summary: 'Comments on an alert. With a key, a repeated call does not comment twice.',
  request: {
    params: idParam,
    body: {
      required: true,
      content: {
        'application/json': {
          schema: z.strictObject({
            text: storable(MAX_COMMENT_CHARS).regex(/\S/, 'a comment needs some text'),
            key: storable(100).min(1).optional().describe("The caller's own name for the comment."),
          }),
        },
      },
    },
  },
  responses: {
    200: { description: 'The comment.', content: { 'application/json': { schema: timelineSchema } } },
    ...failures(400, 404, 409),
  },
})

/** Routes by which people work on alerts. */
export function alertWorkRoutes(engine: Engine) {
  return createRouter()
    .openapi(change, async (c) => {
      const { alertId } = await alertOf(engine, c.req.valid('param').id)
      const version = versionOf(c.req.valid('header'))
      const asked = changeOf(c.req.valid('json'))
      const [result] = await engine.desk({ do: 'change', alertIds: [alertId], change: asked, by: callerName(), version })
      const alert = await alertOf(engine, alertId)
      const refused = refusal(result!.outcome, alert)
      if (refused) throw refused
      c.header('etag', `"${alert.version}"`)
      return c.json(alertView(alert), 200)
    })
    .openapi(timeline, async (c) => {
      const { alertId } = await alertOf(engine, c.req.valid('param').id)
      const { cursor, limit } = c.req.valid('query')
      const [after] = cursor === undefined ? [] : readCursor(cursor, z.tuple([z.int()]))
      const { results, next } = cutPage(await engine.read.timeline(alertId, { after, limit: limit + 1 }), limit, ({ id }) => [id])
      return c.json({ results: results.map(timelineView), next }, 200)
    })
    .openapi(comment, async (c) => {
      const { alertId } = await alertOf(engine, c.req.valid('param').id)
      const outcome = await engine.desk({ do: 'comment', alertId, ...c.req.valid('json'), by: callerName() })
      if (outcome === 'not_found') throw noAlert(alertId)
      if (outcome === 'too_many')
        throw new ApiError(409, 'conflict', `the alert has ${MAX_COMMENTS} comments, and more are not stored`)
      return c.json(timelineView(outcome), 200)
    })
}

/** The error for a change that was not made; `undefined` if it was, or was not needed. */
export function refusal(outcome: ChangeOutcome, { alertId, version, mergedInto }: StoredAlert): ApiError | undefined {
  switch (outcome) {
    case 'not_found':
      return noAlert(alertId)
    case 'conflict': {
      const message = `the alert has changed since: its ETag is now "${version}". Read it again, and decide whether the change still makes sense`
      return new ApiError(412, 'precondition_failed', message, { etag: `"${version}"` })
    }
    case 'merged': {
      const other = mergedInto === HIDDEN_ALERT ? 'one that you may not see' : mergedInto
      return new ApiError(409, 'conflict', `the alert was merged into ${other}, whose status it has: change that one`)
    }
    case 'hidden': {
      const message = `alerts that you may not see are merged into ${alertId}, and they have its status: ask somebody who sees them to change it`
      return new ApiError(403, 'forbidden', message)
    }
    case 'too_many':
      return new ApiError(409, 'conflict', `an alert has at most ${MAX_CONTEXT_TAGS} context tags: remove some first`)
    case 'changed':
    case 'unchanged':
      return undefined
  }
}

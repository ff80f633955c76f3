import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import type { Engine } from '../../engine/engine.ts'
import { HIDDEN_ALERT, MAX_MERGED, type MergeOutcome } from '../../model/alert-work.ts'
import { callerName } from '../access/caller.ts'
import { alertOf, idParam, noAlert } from '../alert-of.ts'
import { alertSchema, alertView } from '../alert-view.ts'
import { ApiError, failures } from '../errors.ts'
import { createRouter } from '../router.ts'

const merge = createRoute({
  method: 'post',
  path: '/api/v1/alerts/{id}/merge',
  summary: 'Merges alerts into this one, all or none. They have its status from then on; matches still join each of them.',
  request: {
    params: idParam,
    body: {
      required: true,
      content: {
        'application/json': {
          schema: z.strictObject({
            ids: z.array(z.string().min(1).max(64)).min(1).max(MAX_MERGED).describe('Alerts to merge into it: ids or prefixes.'),
          }),
        },
      },
    },
  },
  responses: {
    200: {
      description: 'All alerts that are merged into it now, newest first.',
      content: { 'application/json': { schema: z.object({ results: z.array(alertSchema) }) } },
    },
    ...failures(400, 404, 409),
  },
})

const unmerge = createRoute({
  method: 'post',
  path: '/api/v1/alerts/{id}/unmerge',
  summary: 'Takes an alert out of the one that it was merged into.',
  request: { params: idParam },
  responses: {
    200: { description: 'The alert as it is now.', content: { 'application/json': { schema: alertSchema } } },
    ...failures(404, 409),
  },
})

/** Routes that merge alerts and undo that. */
export function alertMergeRoutes(engine: Engine) {
  return createRouter()
    .openapi(merge, async (c) => {
      const { alertId: parentId } = await alertOf(engine, c.req.valid('param').id)
      const alertIds = new Set<string>()
      for (const id of c.req.valid('json').ids) alertIds.add((await alertOf(engine, id)).alertId)
      const outcome = await engine.desk({ do: 'merge', parentId, alertIds: [...alertIds], by: callerName() })
      if (outcome.kind !== 'done') throw refusal(outcome)
      const { alerts } = await engine.read.alerts({ mergedInto: parentId }, { limit: MAX_MERGED })
      return c.json({ results: alerts.map(alertView) }, 200)
    })
    .openapi(unmerge, async (c) => {
      const { alertId } = await alertOf(engine, c.req.valid('param').id)
      const outcome = await engine.desk({ do: 'unmerge', alertId, by: callerName() })
      if (outcome === 'not_found') throw noAlert(alertId)
      if (outcome === 'not_merged') throw new ApiError(409, 'conflict', `alert ${alertId} is not merged into another`)
      if (outcome === 'hidden')
        throw new ApiError(403, 'forbidden', `alert ${alertId} is merged into one that you may not see, and stays in it`)
      return c.json(alertView(await alertOf(engine, alertId)), 200)
    })
}

function refusal(outcome: Exclude<MergeOutcome, { readonly kind: 'done' }>): ApiError {
  const { kind, alertId } = outcome
  switch (kind) {
    case 'not_found':
      return noAlert(alertId)
    case 'itself':
      return new ApiError(400, 'bad_request', `alert ${alertId} cannot be merged into itself; nothing was merged`)
    case 'merged': {
      if (outcome.into === HIDDEN_ALERT) {
        const message = `alert ${alertId} is merged into one that you may not see; nothing was merged`
        return new ApiError(409, 'conflict', message)
      }
      const advice = `name ${outcome.into} instead, or unmerge ${alertId} first`
      return new ApiError(409, 'conflict', `alert ${alertId} is merged into ${outcome.into}; nothing was merged: ${advice}`)
    }
    case 'has_merged': {
      const advice = 'merge into that one instead, or unmerge them first'
      return new ApiError(409, 'conflict', `other alerts are merged into ${alertId}; nothing was merged: ${advice}`)
    }
    case 'too_many': {
      const message = `at most ${MAX_MERGED} alerts are merged into one, and ${alertId} would have more; nothing was merged`
      return new ApiError(409, 'conflict', message)
    }
  }
}

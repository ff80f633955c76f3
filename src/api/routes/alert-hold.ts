import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import type { Engine } from '../../engine/engine.ts'
import { MAX_REASON_CHARS } from '../../model/alert-work.ts'
import { callerName } from '../access/caller.ts'
import { alertOf, idParam, noAlert } from '../alert-of.ts'
import { alertSchema, alertView } from '../alert-view.ts'
import { failures } from '../errors.ts'
import { createRouter } from '../router.ts'
import { storable } from '../storable.ts'

const request = {
  params: idParam,
  body: {
    required: true,
    content: {
      'application/json': {
        schema: z.strictObject({ reason: storable(MAX_REASON_CHARS).regex(/\S/, 'a hold needs a reason') }),
      },
    },
  },
} as const

const responses = {
  200: { description: 'The alert as it is now.', content: { 'application/json': { schema: alertSchema } } },
  ...failures(400, 404),
}

const hold = createRoute({
  method: 'post',
  path: '/api/v1/alerts/{id}/hold',
  summary: 'Keeps an alert, its evidence, and its events and matches in the lake until it is released.',
  request,
  responses,
})

const release = createRoute({
  method: 'post',
  path: '/api/v1/alerts/{id}/release',
  summary: 'Releases an alert from its hold: what retention or a deletion has spared goes when it next runs.',
  request,
  responses,
})

/** Routes for legal holds. */
export function alertHoldRoutes(engine: Engine) {
  const changed = async (id: string, held: boolean, reason: string) => {
    const { alertId } = await alertOf(engine, id)
    const outcome = await engine.desk({ do: 'hold', alertId, held, reason, by: callerName() })
    if (outcome === 'not_found') throw noAlert(alertId)
    return alertView(await alertOf(engine, alertId))
  }
  return createRouter()
    .openapi(hold, async (c) => c.json(await changed(c.req.valid('param').id, true, c.req.valid('json').reason), 200))
    .openapi(release, async (c) => c.json(await changed(c.req.valid('param').id, false, c.req.valid('json').reason), 200))
}

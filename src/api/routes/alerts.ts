import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import type { Engine } from '../../engine/engine.ts'
import { MAX_MERGED } from '../../model/alert-work.ts'
import { alertFilter, alertFilterShape } from '../alert-filter.ts'
import { alertOf, idParam } from '../alert-of.ts'
import { alertDetail, alertDetailSchema, alertSchema, alertView } from '../alert-view.ts'
import { failures } from '../errors.ts'
import { exactAnswer } from '../exact-json.ts'
import { cursorOf, pageQuery, pageSchema, readCursor } from '../paging.ts'
import { createRouter } from '../router.ts'
import { alertEvents } from './alert-events.ts'

const MAX_PAGE = 200
const placeSchema = z.tuple([z.int(), z.string()])

const list = createRoute({
  method: 'get',
  path: '/api/v1/alerts',
  summary: 'Alerts, newest first.',
  request: {
    query: z.strictObject({
      ...alertFilterShape,
      ...pageQuery(MAX_PAGE, 50),
    }),
  },
  responses: {
    200: {
      description: 'A page of alerts.',
      content: {
        'application/json': {
          schema: pageSchema(alertSchema),
        },
      },
    },
    ...failures(400),
  },
})

const show = createRoute({
  method: 'get',
  path: '/api/v1/alerts/{id}',
  summary: 'One alert, with everything about why it was raised.',
  request: { params: idParam },
  responses: {
    200: { description: 'The alert.', content: { 'application/json': { schema: alertDetailSchema } } },
    ...failures(404),
  },
})

const events = createRoute({
  method: 'get',
  path: '/api/v1/alerts/{id}/events',
  summary: 'The events of an alert, from the lake, oldest first.',
  request: { params: idParam, query: z.strictObject(pageQuery(1000, 100)) },
  responses: {
    200: {
      description: 'A page of the rows of the matched events.',
      content: { 'application/json': { schema: pageSchema(z.record(z.string(), z.unknown())) } },
    },
    ...failures(400, 404),
  },
})

export function alertRoutes(engine: Engine) {
  return createRouter()
    .openapi(list, async (c) => {
      const { limit, cursor, ...filter } = c.req.valid('query')
      const [createdMs, alertId] = cursor === undefined ? [] : readCursor(cursor, placeSchema)
      const before = createdMs === undefined ? undefined : { createdMs, alertId: alertId! }
      const { alerts, next } = await engine.read.alerts(alertFilter(filter), { limit, ...(before && { before }) })
      return c.json({ results: alerts.map(alertView), next: next ? cursorOf([next.createdMs, next.alertId]) : null }, 200)
    })
    .openapi(show, async (c) => {
      const row = await alertOf(engine, c.req.valid('param').id)
      const { alerts: merged } = await engine.read.alerts({ mergedInto: row.alertId }, { limit: MAX_MERGED })
      return exactAnswer<z.output<typeof alertDetailSchema>, 200>(
        alertDetail(row, await engine.read.deliveries(row.alertId), merged),
        200,
        { etag: `"${row.version}"` },
      )
    })
    .openapi(events, async (c) => {
      const row = await alertOf(engine, c.req.valid('param').id)
      return alertEvents(engine, row, c.req.valid('query'), c.req.raw.signal)
    })
}

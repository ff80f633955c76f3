import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import type { Engine } from '../../engine/engine.ts'
import type { AlertPlace } from '../../model/alert-filter.ts'
import { MAX_MERGED } from '../../model/alert-work.ts'
import { alertFilter, alertFilterShape } from '../alert-filter.ts'
import { alertOf, idParam } from '../alert-of.ts'
import { alertDetail, alertDetailSchema, alertSchema, alertView } from '../alert-view.ts'
import { ApiError, failures } from '../errors.ts'
import { exactAnswer } from '../exact-json.ts'
import { createRouter } from '../router.ts'
import { alertEvents } from './alert-events.ts'

const MAX_PAGE = 200

const list = createRoute({
  method: 'get',
  path: '/api/v1/alerts',
  summary: 'Alerts, newest first.',
  request: {
    query: z.strictObject({
      ...alertFilterShape,
      limit: z.coerce.number().int().min(1).max(MAX_PAGE).default(50),
      cursor: z.string().max(200).optional().describe('`next` from the previous page.'),
    }),
  },
  responses: {
    200: {
      description: 'A page of alerts.',
      content: {
        'application/json': {
          schema: z.object({
            results: z.array(alertSchema),
            next: z
              .string()
              .nullable()
              .describe('Cursor of the next page, if there may be one. A page may have fewer results than `limit`.'),
          }),
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
  request: { params: idParam, query: z.strictObject({ limit: z.coerce.number().int().min(1).max(1000).default(100) }) },
  responses: {
    200: {
      description: 'The rows of the matched events.',
      content: {
        'application/json': {
          schema: z.object({
            results: z.array(z.record(z.string(), z.unknown())),
            truncated: z.boolean().describe('True if there are more than `limit`.'),
          }),
        },
      },
    },
    ...failures(404),
  },
})

export function alertRoutes(engine: Engine) {
  return createRouter()
    .openapi(list, async (c) => {
      const { limit, cursor, ...filter } = c.req.valid('query')
      const before = cursor === undefined ? undefined : readCursor(cursor)
      const { alerts, next } = await engine.read.alerts(alertFilter(filter), { limit, ...(before && { before }) })
      return c.json({ results: alerts.map(alertView), next: next ? cursorOf(next) : null }, 200)
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
      return alertEvents(engine, row, c.req.valid('query').limit, c.req.raw.signal)
    })
}

function cursorOf({ createdMs, alertId }: AlertPlace): string {
  return `${createdMs}-${alertId}`
}

function readCursor(text: string): AlertPlace {
  const match = /^(\d{1,15})-([0-9a-f]{1,64})$/.exec(text)
  if (!match)
    throw new ApiError(
      400,
      'bad_request',
      `the cursor '${text}' does not come from this server: use \`next\` from the previous page`,
    )
  return { createdMs: Number(match[1]), alertId: match[2]! }
}

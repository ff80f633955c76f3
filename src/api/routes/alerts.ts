import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import type { Engine } from '../../engine/engine.ts'
import { ALERT_STATUSES, type StoredAlert } from '../../model/alert.ts'
import { SEVERITIES } from '../../model/rule.ts'
import { alertDetail, alertDetailSchema, alertSchema, alertView } from '../alert-view.ts'
import { ApiError, failures } from '../errors.ts'
import { exactAnswer } from '../exact-json.ts'
import { createRouter } from '../router.ts'
import { storable } from '../storable.ts'
import { alertEvents } from './alert-events.ts'

const MAX_PAGE = 200

const list = createRoute({
  method: 'get',
  path: '/api/v1/alerts',
  summary: 'Alerts, newest first.',
  request: {
    query: z.strictObject({
      severity: z.enum(SEVERITIES).optional(),
      status: z.enum(ALERT_STATUSES).optional(),
      rule: storable(500).min(1).optional().describe('Id of the rule.'),
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
            next: z.string().nullable().describe('Cursor of the next page, if there is one.'),
          }),
        },
      },
    },
    ...failures(400),
  },
})

const idParam = z.object({
  id: z.string().describe('The id of the alert, or a unique prefix of it (at least 4 digits).'),
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

const update = createRoute({
  method: 'patch',
  path: '/api/v1/alerts/{id}',
  summary: 'Sets the status of an alert.',
  request: {
    params: idParam,
    body: { required: true, content: { 'application/json': { schema: z.strictObject({ status: z.enum(ALERT_STATUSES) }) } } },
  },
  responses: {
    200: { description: 'The alert as it is now.', content: { 'application/json': { schema: alertSchema } } },
    ...failures(400, 404),
  },
})

export function alertRoutes(engine: Engine) {
  return createRouter()
    .openapi(list, async (c) => {
      const { severity, status, rule, limit, cursor } = c.req.valid('query')
      const before = cursor === undefined ? undefined : readCursor(cursor)
      const filter = {
        ...(severity && { severity }),
        ...(status && { status }),
        ...(rule && { ruleId: rule }),
        ...(before && { before }),
      }
      const rows = await engine.read.alerts({ ...filter, limit: limit + 1 })
      const page = rows.slice(0, limit)
      return c.json({ results: page.map(alertView), next: rows.length > limit ? cursorOf(page.at(-1)!) : null }, 200)
    })
    .openapi(show, async (c) => {
      const row = await alertOf(engine, c.req.valid('param').id)
      return exactAnswer<z.output<typeof alertDetailSchema>, 200>(
        alertDetail(row, await engine.read.deliveries(row.alertId)),
        200,
      )
    })
    .openapi(events, async (c) => {
      const row = await alertOf(engine, c.req.valid('param').id)
      return alertEvents(engine, row, c.req.valid('query').limit, c.req.raw.signal)
    })
    .openapi(update, async (c) => {
      const { alertId } = await alertOf(engine, c.req.valid('param').id)
      if (!(await engine.setAlertStatus(alertId, c.req.valid('json').status))) throw noAlert(alertId)
      return c.json(alertView(await alertOf(engine, alertId)), 200)
    })
}

async function alertOf({ read }: Engine, id: string): Promise<StoredAlert> {
  const alert = await read.alert(id)
  if (!alert) throw noAlert(id)
  return alert
}

function noAlert(id: string): ApiError {
  return new ApiError(
    404,
    'not_found',
    `there is no alert '${id.slice(0, 80)}', or several ids begin with it; \`caracal alerts\` lists them`,
  )
}

function cursorOf({ createdMs, alertId }: StoredAlert): string {
  return `${createdMs}-${alertId}`
}

function readCursor(text: string): { createdMs: number; alertId: string } {
  const match = /^(\d{1,15})-([0-9a-f]{1,64})$/.exec(text)
  if (!match)
    throw new ApiError(
      400,
      'bad_request',
      `the cursor '${text}' does not come from this server: use \`next\` from the previous page`,
    )
  return { createdMs: Number(match[1]), alertId: match[2]! }
}

import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import type { Engine } from '../../engine/engine.ts'
import type { ListedDelivery } from '../../model/delivery-list.ts'
import { LISTED_KINDS } from '../../model/outgoing-alert.ts'
import { alertOf } from '../alert-of.ts'
import { ApiError, failures } from '../errors.ts'
import { cutPage, pageQuery, pageSchema, readCursor } from '../paging.ts'
import { createRouter } from '../router.ts'

const MAX_PAGE = 500
const MAX_IDS = 200
const placeSchema = z.tuple([z.int(), z.int()])

const alert = z
  .string()
  .regex(/^[0-9a-f]{1,64}$/, 'the id of an alert, or its beginning')
  .optional()
const destination = z.string().min(1).max(100).optional()

export const listedDeliverySchema = z.object({
  delivery_id: z.string(),
  alert_id: z.string().describe('Empty for rows of a query.'),
  title: z.string().describe('Of the alert; empty if the alert has been deleted. For rows, the query.'),
  severity: z.string(),
  destination: z.string(),
  kind: z.enum(LISTED_KINDS).describe('Why it is sent; `rows`: it mails rows of a scheduled query.'),
  state: z.enum(['pending', 'delivered', 'dead']),
  tries: z.number(),
  created_time: z.string().describe('When it was created, or made due again after it was given up.'),
  next_try_time: z.string().nullable().describe('Null unless it is pending.'),
  finished_time: z.string().nullable().describe('When it was delivered or given up.'),
  error: z.string().nullable().describe('Error of the last failed attempt.'),
  digest_id: z.string().nullable().describe('The digest message that carried it.'),
})

const list = createRoute({
  method: 'get',
  path: '/api/v1/deliveries',
  summary: 'Deliveries to destinations, newest first: of alerts, and of rows of queries that are mailed.',
  request: {
    query: z.strictObject({
      state: z.enum(['pending', 'delivered', 'dead']).optional().describe('`dead`: given up. Default: all.'),
      destination: destination.describe('Only those to this destination.'),
      alert: alert.describe('Only those of this alert.'),
      ...pageQuery(MAX_PAGE, 50),
    }),
  },
  responses: {
    200: {
      description: 'A page of them.',
      content: { 'application/json': { schema: pageSchema(listedDeliverySchema) } },
    },
    ...failures(400, 404),
  },
})

const resend = createRoute({
  method: 'post',
  path: '/api/v1/deliveries/resend',
  summary: 'Sends dead deliveries again: those that meet all of the given conditions, at least one of which is required.',
  request: {
    body: {
      required: true,
      content: {
        'application/json': {
          schema: z.strictObject({
            delivery_ids: z
              .array(z.string().regex(/^[!-~]{1,64}$/, 'the id of a delivery'))
              .min(1)
              .max(MAX_IDS)
              .optional(),
            destination,
            alert,
          }),
        },
      },
    },
  },
  responses: {
    200: {
      description: 'They are due now. At most 1000 are sent again; call it again until the answer is 0.',
      content: { 'application/json': { schema: z.object({ resent: z.number() }) } },
    },
    ...failures(400, 404),
  },
})

export function deliveryRoutes(engine: Engine) {
  const idOf = async (prefix: string | undefined) => (prefix === undefined ? undefined : (await alertOf(engine, prefix)).alertId)
  return createRouter()
    .openapi(list, async (c) => {
      const { state, destination: to, alert: prefix, limit, cursor } = c.req.valid('query')
      const [createdMs, order] = cursor === undefined ? [] : readCursor(cursor, placeSchema)
      const before = createdMs === undefined ? undefined : { createdMs, order: order! }
      const filter = { state, destination: to, alertId: await idOf(prefix) }
      const found = await engine.read.listDeliveries(filter, limit + 1, before)
      const { results, next } = cutPage(found, limit, (one) => [one.createdMs, one.order])
      return c.json({ results: results.map(viewOf), next }, 200)
    })
    .openapi(resend, async (c) => {
      const { delivery_ids: deliveryIds, destination: to, alert: prefix } = c.req.valid('json')
      if (deliveryIds === undefined && to === undefined && prefix === undefined)
        throw new ApiError(400, 'bad_request', 'say which deliveries to send again: delivery_ids, destination or alert')
      const filter = { deliveryIds, destination: to, alertId: await idOf(prefix) }
      return c.json({ resent: await engine.desk({ do: 'resend', which: filter }) }, 200)
    })
}

function viewOf(one: ListedDelivery): z.output<typeof listedDeliverySchema> {
  const { deliveryId, alertId, title, severity, destination, kind, state, tries, createdMs, nextMs, error, digestId } = one
  const time = new Date(nextMs).toISOString()
  return {
    delivery_id: deliveryId,
    alert_id: alertId,
    title,
    severity,
    destination,
    kind,
    state,
    tries,
    created_time: new Date(createdMs).toISOString(),
    next_try_time: state === 'pending' ? time : null,
    finished_time: state === 'pending' ? null : time,
    error,
    digest_id: digestId,
  }
}

import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import type { Engine } from '../../engine/engine.ts'
import type { ListedDelivery } from '../../model/delivery-list.ts'
import { DELIVERY_KINDS } from '../../model/outgoing-alert.ts'
import { alertOf } from '../alert-of.ts'
import { ApiError, failures } from '../errors.ts'
import { createRouter } from '../router.ts'

const MAX_PAGE = 500
const MAX_IDS = 200

const alert = z
  .string()
  .regex(/^[0-9a-f]{1,64}$/, 'the id of an alert, or its beginning')
  .optional()
const destination = z.string().min(1).max(100).optional()

export const listedDeliverySchema = z.object({
  delivery_id: z.string(),
  alert_id: z.string(),
  title: z.string().describe('Of the alert; empty if the alert has been deleted.'),
  severity: z.string(),
  destination: z.string(),
  kind: z.enum(DELIVERY_KINDS).describe('Why it is sent.'),
  state: z.enum(['pending', 'delivered', 'dead']),
  tries: z.number(),
  created_time: z.string(),
  next_try_time: z.string().nullable().describe('Null unless it is pending.'),
  finished_time: z.string().nullable().describe('When it was delivered or given up.'),
  error: z.string().nullable().describe('Error of the last failed attempt.'),
  digest_id: z.string().nullable().describe('The digest message that carried it.'),
})

const list = createRoute({
  method: 'get',
  path: '/api/v1/deliveries',
  summary: 'Deliveries of alerts to destinations, newest first.',
  request: {
    query: z.strictObject({
      state: z.enum(['pending', 'delivered', 'dead']).optional().describe('`dead`: given up. Default: all.'),
      destination: destination.describe('Only those to this destination.'),
      alert: alert.describe('Only those of this alert.'),
      limit: z.coerce.number().int().min(1).max(MAX_PAGE).default(50),
    }),
  },
  responses: {
    200: {
      description: 'The newest of them.',
      content: {
        'application/json': {
          schema: z.object({ results: z.array(listedDeliverySchema), truncated: z.boolean().describe('There are more.') }),
        },
      },
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
            delivery_ids: z.array(z.string().min(1).max(64)).min(1).max(MAX_IDS).optional(),
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
      const { state, destination: to, alert: prefix, limit } = c.req.valid('query')
      const found = await engine.read.listDeliveries({ state, destination: to, alertId: await idOf(prefix) }, limit + 1)
      return c.json({ results: found.slice(0, limit).map(viewOf), truncated: found.length > limit }, 200)
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

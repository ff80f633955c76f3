import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import type { Engine } from '../../engine/engine.ts'
import { SEVERITIES } from '../../model/rule.ts'
import { failures } from '../errors.ts'
import { createRouter } from '../router.ts'
import { known } from './rule-detail.ts'

/** Deliveries of each destination that are counted, the newest. */
const MAX_COUNTED = 1000

const destinationSchema = z.object({
  id: z.string(),
  type: z.string(),
  severities: z.array(z.string()).describe('Severities of the alerts that are sent there. Empty: all.'),
  log_types: z.array(z.string()),
  alert_types: z.array(z.string()),
  sends: z.array(z.string()).describe('What is sent: `opened` alerts, those that are `updated`, those that are `resolved`.'),
  system: z.boolean().describe('Alerts about Caracal itself are sent there.'),
  max_per_minute: z.int().nullable().describe('Alerts beyond it are collected in a digest. null: no limit.'),
  waiting: z.int().describe(`Of its last ${MAX_COUNTED} deliveries.`),
  dead: z.int().describe('Those of them that were refused for good, or given up.'),
  last_delivered: z.string().nullable().describe('Among them, RFC 3339.'),
  last_error: z.string().nullable().describe('Of the last of them that failed.'),
})

const kindSchema = z.object({
  type: z.string(),
  summary: z.string(),
  lines: z.string().describe('YAML with an example of each key that is needed. Secrets are references: `{env: NAME}`.'),
})

const list = createRoute({
  method: 'get',
  path: '/api/v1/destinations',
  summary: 'Destinations, which alerts they get, and how their last deliveries went. No secrets.',
  responses: {
    200: {
      description: 'All destinations.',
      content: { 'application/json': { schema: z.object({ results: z.array(destinationSchema) }) } },
    },
  },
})

const kinds = createRoute({
  method: 'get',
  path: '/api/v1/destinations/kinds',
  summary: 'What alerts can be sent to, and the lines of the configuration file that set it up.',
  responses: {
    200: {
      description: 'All kinds.',
      content: { 'application/json': { schema: z.object({ results: z.array(kindSchema) }) } },
    },
  },
})

const test = createRoute({
  method: 'post',
  path: '/api/v1/destinations/{id}/test',
  summary: 'Sends a test alert to a destination, and answers once it has accepted it.',
  request: {
    params: z.object({ id: z.string().min(1).max(100) }),
    query: z.strictObject({ severity: z.enum(SEVERITIES).default('INFO') }),
  },
  responses: {
    200: { description: 'It was accepted.', content: { 'application/json': { schema: z.object({ accepted: z.string() }) } } },
    ...failures(400, 404, 503),
  },
})

export function destinationRoutes(engine: Engine) {
  return createRouter()
    .openapi(list, async (c) => {
      const results = await Promise.all(engine.config.destinations.map((destination) => viewOf(destination, engine)))
      return c.json({ results }, 200)
    })
    .openapi(kinds, (c) => c.json({ results: [...engine.destinationKinds()] }, 200))
    .openapi(test, async (c) => {
      const { id } = c.req.valid('param')
      await known(() => engine.testDestination(id, c.req.valid('query').severity))
      return c.json({ accepted: id }, 200)
    })
}

async function viewOf(
  destination: Engine['config']['destinations'][number],
  { read }: Engine,
): Promise<z.output<typeof destinationSchema>> {
  const { id, type, severities, log_types, alert_types, send, system, max_per_minute } = destination
  const last = await read.listDeliveries({ destination: id }, MAX_COUNTED)
  const delivered = last.filter(({ state }) => state === 'delivered').map(({ nextMs }) => nextMs)
  return {
    id,
    type,
    severities: [...severities],
    log_types: [...log_types],
    alert_types: [...alert_types],
    sends: [...send],
    system,
    max_per_minute: max_per_minute ?? null,
    waiting: last.filter(({ state }) => state === 'pending').length,
    dead: last.filter(({ state }) => state === 'dead').length,
    last_delivered: delivered.length > 0 ? new Date(Math.max(...delivered)).toISOString() : null,
    last_error: last.find(({ error }) => error !== null)?.error ?? null,
  }
}

import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import { z } from 'zod'
import type { Engine } from '../../engine/engine.ts'
import { createRouter } from '../router.ts'

const healthSchema = z.object({
  status: z.enum(['ok', 'degraded', 'failing']),
  problems: z.array(z.string()).describe('What is wrong, since when, and what to do.'),
})

const health = createRoute({
  method: 'get',
  path: '/api/v1/health',
  summary: 'What stands in the way of the promise that nothing is lost and no rule is silently off.',
  responses: { 200: { description: 'The health.', content: { 'application/json': { schema: healthSchema } } } },
})

/** Health for people, a check for machines, figures for Prometheus. */
export function healthRoutes(engine: Engine) {
  return createRouter().openapi(health, async (c) => {
    const { status, problems } = await engine.health()
    return c.json({ status, problems: [...problems] }, 200)
  })
}

/** `/healthz`, open to all: says no more than the status. */
export function healthCheck(engine: Engine): OpenAPIHono {
  const app = new OpenAPIHono()
  app.get('/healthz', async (c) => {
    const { status } = await engine.health()
    return c.json({ status }, status === 'failing' ? 503 : 200)
  })
  return app
}

/** `/metrics` in Prometheus's text format. */
export function metricsRoutes(engine: Engine): OpenAPIHono {
  const app = new OpenAPIHono()
  app.get('/metrics', async (c) =>
    c.body(await engine.metrics(), 200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }),
  )
  return app
}

import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import { z } from 'zod'
import type { Engine, Health } from '../../engine/engine.ts'
import { SEVERITIES } from '../../model/rule.ts'
import { PROBLEM_KINDS, type ProblemWhat } from '../../model/system-problem.ts'
import { createRouter } from '../router.ts'

const healthSchema = z.object({
  status: z.enum(['ok', 'degraded', 'failing']),
  problems: z.array(z.string()).describe('What is wrong, one sentence each.'),
  system_problems: z
    .array(
      z.object({
        what: z.enum(Object.keys(PROBLEM_KINDS) as [ProblemWhat, ...ProblemWhat[]]).describe('Its kind: docs/health.md.'),
        key: z.string().describe('What it is about; `what` and `key` together identify a problem.'),
        severity: z.enum(SEVERITIES),
        message: z.string(),
        covers: z.array(z.string()).describe('Names of everything affected.'),
        since_time: z.string().describe('RFC 3339, UTC: start of the current uninterrupted occurrence.'),
      }),
    )
    .describe('The same problems, for programs.'),
  notices: z.array(z.string()).describe('What is not a problem but worth knowing.'),
})

const health = createRoute({
  method: 'get',
  path: '/api/v1/health',
  summary: 'Everything that endangers the promise that nothing is lost and no rule is silently off.',
  responses: { 200: { description: 'The health.', content: { 'application/json': { schema: healthSchema } } } },
})

/** Health for people, a probe for machines, metrics for Prometheus. */
export function healthRoutes(engine: Engine) {
  return createRouter().openapi(health, async (c) => {
    const { status, problems, systemProblems, notices } = await engine.health()
    return c.json(
      { status, problems: [...problems], system_problems: systemProblems.map(problemView), notices: [...notices] },
      200,
    )
  })
}

function problemView({ what, key, severity, message, covers, sinceMs }: Health['systemProblems'][number]) {
  return { what, key, severity, message, covers: [...(covers ?? [key])], since_time: new Date(sinceMs).toISOString() }
}

/** `/healthz` is open to all and returns only the status. */
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

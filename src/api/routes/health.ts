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
  nodes: z
    .array(
      z.object({
        name: z.string(),
        roles: z
          .array(z.string())
          .describe('What it does: `ingest`, `worker`, `api` or `standby`, or what the active node does.'),
        version: z.string(),
        address: z.string().describe('Its URL.'),
        started_time: z.string().describe('RFC 3339, UTC.'),
        silent_seconds: z.number().describe('Since its last sign of life, which it gives every ten seconds.'),
      }),
    )
    .optional()
    .describe('The processes that share the state (docs/nodes.md); absent if this one has it alone.'),
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
    const { status, problems, systemProblems, notices, nodes } = await engine.health()
    return c.json(
      {
        ...{ status, problems: [...problems], system_problems: systemProblems.map(problemView), notices: [...notices] },
        ...(nodes && { nodes: nodes.map(nodeView) }),
      },
      200,
    )
  })
}

function problemView({ what, key, severity, message, covers, sinceMs }: Health['systemProblems'][number]) {
  return { what, key, severity, message, covers: [...(covers ?? [key])], since_time: new Date(sinceMs).toISOString() }
}

function nodeView({ name, roles, version, address, startedMs, silentMs }: NonNullable<Health['nodes']>[number]) {
  const started_time = new Date(startedMs).toISOString()
  return { name, roles: [...roles], version, address, started_time, silent_seconds: Math.round(silentMs / 1000) }
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

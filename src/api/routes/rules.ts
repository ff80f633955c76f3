import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import type { Engine } from '../../engine/engine.ts'
import { createRouter } from '../router.ts'

const rulesSchema = z.object({
  results: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      enabled: z.boolean(),
      severity: z.string(),
      log_types: z.array(z.string()),
    }),
  ),
  problems: z.array(z.object({ file: z.string(), message: z.string() })).describe('Content that cannot be used.'),
  notices: z.array(z.string()),
})

const list = createRoute({
  method: 'get',
  path: '/api/v1/rules',
  summary: 'Rules as loaded, and what could not be.',
  responses: { 200: { description: 'All rules.', content: { 'application/json': { schema: rulesSchema } } } },
})

export function ruleRoutes({ content }: Engine) {
  return createRouter().openapi(list, (c) => {
    const results = content.rules.map(({ id, displayName, enabled, severity, logTypes }) => ({
      id,
      name: displayName,
      enabled,
      severity,
      log_types: [...logTypes],
    }))
    const problems = content.problems.map(({ file, message }) => ({ file, message }))
    return c.json({ results, problems, notices: [...content.notices] }, 200)
  })
}

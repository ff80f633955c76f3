import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import type { Engine } from '../../engine/engine.ts'
import { alertFilter, alertFilterShape } from '../alert-filter.ts'
import { failures } from '../errors.ts'
import { createRouter } from '../router.ts'

const countsOf = (what: string) => z.array(z.object({ value: z.string().nullable(), count: z.number() })).describe(what)

const counts = createRoute({
  method: 'get',
  path: '/api/v1/alerts/counts',
  summary: 'How many alerts meet a filter, and how many would with another severity, status, rule or owner in it.',
  request: { query: z.strictObject(alertFilterShape) },
  responses: {
    200: {
      description: 'The counts, highest first.',
      content: {
        'application/json': {
          schema: z.object({
            total: z.number(),
            severities: countsOf('By severity, whatever the filter says about severities. The same holds for the others.'),
            statuses: countsOf('By status.'),
            rules: countsOf('By id of the rule: the 20 highest.'),
            owners: countsOf('By owner, null for none: the 20 highest.'),
            complete: z.boolean().describe('False: the filter has parts for which only the newest alerts were read.'),
          }),
        },
      },
    },
    ...failures(400),
  },
})

/** Must come before the routes with an alert's id in the same place. */
export function alertCountRoutes(engine: Engine) {
  return createRouter().openapi(counts, async (c) => {
    const { severities, statuses, rules, owners, ...rest } = await engine.read.alertCounts(alertFilter(c.req.valid('query')))
    return c.json({ ...rest, severities: [...severities], statuses: [...statuses], rules: [...rules], owners: [...owners] }, 200)
  })
}

import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import type { Engine } from '../../engine/engine.ts'
import type { ContentDashboard } from '../../engine/queries/dashboards.ts'
import { dashboardDetailSchema, dashboardSchema, dashboardView, detailView } from '../dashboard-view.ts'
import { ApiError, failures } from '../errors.ts'
import { ownJobs } from '../own-jobs.ts'
import { queryJobSchema, queryJobView } from '../query-view.ts'
import { createRouter } from '../router.ts'
import { limitsOf, querySchema } from './query.ts'
import { known } from './rule-detail.ts'

const HOUR_MS = 3_600_000

export const dashboardParam = z.object({ name: z.string().min(1).max(200).describe('Its name.') })

const time = z.iso.datetime({ offset: true }).optional()

const list = createRoute({
  method: 'get',
  path: '/api/v1/dashboards',
  summary: 'The dashboards of the content in force.',
  responses: {
    200: {
      description: 'All of them, by name.',
      content: { 'application/json': { schema: z.object({ results: z.array(dashboardSchema) }) } },
    },
  },
})

const show = createRoute({
  method: 'get',
  path: '/api/v1/dashboards/{name}',
  summary: 'A dashboard with its panels and its file.',
  request: { params: dashboardParam },
  responses: {
    200: { description: 'It.', content: { 'application/json': { schema: dashboardDetailSchema } } },
    ...failures(400, 404),
  },
})

const run = createRoute({
  method: 'post',
  path: '/api/v1/dashboards/{name}/run',
  summary: "Starts a panel's query, as a query of `/api/v1/queries`.",
  request: {
    params: dashboardParam,
    body: {
      required: true,
      content: {
        'application/json': {
          schema: z.strictObject({
            panel: z.int().min(0).max(1000).describe('Its place on the dashboard, from 0 on.'),
            since: time.describe('From this time on. Default: the hours of the dashboard before `until`.'),
            until: time.describe('Before this time. Default: now.'),
            ...querySchema.pick({ max_rows: true, timeout_ms: true }).shape,
          }),
        },
      },
    },
  },
  responses: {
    202: { description: 'It runs, or waits for its turn.', content: { 'application/json': { schema: queryJobSchema } } },
    ...failures(400, 404, 429, 503),
  },
})

/** `/api/v1/dashboards`: read, and their panels run. */
export function dashboardRoutes(engine: Engine) {
  return createRouter()
    .openapi(list, (c) => c.json({ results: engine.dashboards().map(dashboardView) }, 200))
    .openapi(show, async (c) => {
      const dashboard = dashboardNamed(engine, c.req.valid('param').name)
      return c.json(detailView(dashboard, await known(() => engine.authoring.dashboards.text(dashboard.name))), 200)
    })
    .openapi(run, async (c) => {
      const [{ name }, { panel: at, since, until, ...limits }] = [c.req.valid('param'), c.req.valid('json')]
      const { panels, hours } = dashboardNamed(engine, name)
      const panel = panels[at]
      if (!panel) throw new ApiError(404, 'not_found', `the dashboard '${name}' has ${panels.length} panels, and none at ${at}`)
      const untilMs = until === undefined ? Date.now() : Date.parse(until)
      const sinceMs = since === undefined ? untilMs - hours * HOUR_MS : Date.parse(since)
      if (sinceMs >= untilMs) throw new ApiError(400, 'bad_request', 'the time range is empty: `since` must be before `until`')
      const ask = await engine.panelQuery(panel, { sinceMs, untilMs })
      if (!ask) throw new ApiError(404, 'not_found', `the query of the panel '${panel.title}' is not in the content`)
      const begun = await ownJobs(engine).start({ ...limitsOf(limits, engine), ...ask })
      if (begun.kind === 'busy') throw new ApiError(429, 'busy', `${begun.why}; cancel one, or try again`, { 'retry-after': '1' })
      return c.json(queryJobView(begun.job, undefined, Date.now()), 202)
    })
}

/** Throws `ApiError` for an unknown name. */
export function dashboardNamed(engine: Engine, name: string): ContentDashboard {
  const found = engine.dashboards().find((one) => one.name === name)
  if (!found) throw new ApiError(404, 'not_found', `there is no dashboard '${name}' in the content`)
  return found
}

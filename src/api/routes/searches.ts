import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import type { Engine } from '../../engine/engine.ts'
import type { ContentSearch } from '../../engine/queries/searches.ts'
import { type Span, spanParams } from '../../model/dashboard.ts'
import { callerName } from '../access/caller.ts'
import {
  contentSearchDetailSchema,
  contentSearchSchema,
  searchDetailView,
  searchRunSchema,
  searchRunView,
  searchView,
} from '../content-search-view.ts'
import { ApiError, failures } from '../errors.ts'
import { ownJobs } from '../own-jobs.ts'
import { queryJobSchema, queryJobView } from '../query-view.ts'
import { createRouter } from '../router.ts'
import { limitsOf, querySchema } from './query.ts'
import { known } from './rule-detail.ts'

const DAY_MS = 86_400_000

export const searchParam = z.object({ name: z.string().min(1).max(1000).describe('Its name.') })

const time = z.iso.datetime({ offset: true })

const list = createRoute({
  method: 'get',
  path: '/api/v1/searches',
  summary: 'The saved and scheduled queries of the content in force.',
  responses: {
    200: {
      description: 'All of them, by name.',
      content: { 'application/json': { schema: z.object({ results: z.array(contentSearchSchema) }) } },
    },
  },
})

const show = createRoute({
  method: 'get',
  path: '/api/v1/searches/{name}',
  summary: 'A saved or scheduled query with its file.',
  request: { params: searchParam },
  responses: {
    200: { description: 'It.', content: { 'application/json': { schema: contentSearchDetailSchema } } },
    ...failures(400, 404),
  },
})

const run = createRoute({
  method: 'post',
  path: '/api/v1/searches/{name}/run',
  summary: 'Starts a saved or scheduled query on demand, as a query of `/api/v1/queries`. No rule judges its rows.',
  request: {
    params: searchParam,
    body: {
      required: true,
      content: {
        'application/json': {
          schema: querySchema.pick({ max_rows: true, timeout_ms: true }).extend({
            since: time.optional().describe('The value of `{since:String}`. Default: a day before `until`.'),
            until: time.optional().describe('The value of `{until:String}`. Default: now.'),
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

const judge = createRoute({
  method: 'post',
  path: '/api/v1/searches/{name}/judge',
  summary:
    'Runs a scheduled query now, and has its rules judge the rows: alerts are raised as if it had been due. Its schedule goes on.',
  request: { params: searchParam },
  responses: {
    200: { description: 'The outcome.', content: { 'application/json': { schema: searchRunSchema } } },
    ...failures(400, 404, 503),
  },
})

/** `/api/v1/searches`: saved and scheduled queries, read and run. */
export function searchesRoutes(engine: Engine) {
  return createRouter()
    .openapi(list, async (c) => c.json({ results: (await engine.searches()).map(searchView) }, 200))
    .openapi(show, async (c) => {
      const search = await searchNamed(engine, c.req.valid('param').name)
      return c.json(searchDetailView(search, await known(() => engine.authoring.searches.text(search.name))), 200)
    })
    .openapi(judge, async (c) => {
      const { name } = await searchNamed(engine, c.req.valid('param').name)
      return c.json(searchRunView(await engine.judgeSearch(name, callerName())), 200)
    })
    .openapi(run, async (c) => {
      const { sql, dialect } = await searchNamed(engine, c.req.valid('param').name)
      const { since, until, ...limits } = c.req.valid('json')
      const ask = { ...limitsOf(limits, engine), sql }
      const params = spanParams(spanOf(since, until))
      const begun = await ownJobs(engine).start(
        dialect === 'clickhouse' ? { ...ask, dialect, params } : { ...ask, dialect: 'snowflake' },
      )
      if (begun.kind === 'busy') throw new ApiError(429, 'busy', `${begun.why}; cancel one, or try again`, { 'retry-after': '1' })
      return c.json(queryJobView(begun.job, undefined, Date.now()), 202)
    })
}

function spanOf(since: string | undefined, until: string | undefined): Span {
  const untilMs = until === undefined ? Date.now() : Date.parse(until)
  const sinceMs = since === undefined ? untilMs - DAY_MS : Date.parse(since)
  if (sinceMs >= untilMs) throw new ApiError(400, 'bad_request', 'the time range is empty: `since` must be before `until`')
  return { sinceMs, untilMs }
}

/** Throws `ApiError` for an unknown name. */
export async function searchNamed(engine: Engine, name: string): Promise<ContentSearch> {
  const found = (await engine.searches()).find((one) => one.name === name)
  if (!found) throw new ApiError(404, 'not_found', `there is no query '${name}' in the content; \`caracal searches\` lists them`)
  return found
}

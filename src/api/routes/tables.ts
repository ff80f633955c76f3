import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import type { Engine, RefreshedTable, TableView } from '../../engine/engine.ts'
import { ConfigError } from '../../util/errors.ts'
import { ApiError, failures } from '../errors.ts'
import { pageOf, pageQuery, pageSchema } from '../paging.ts'
import { createRouter } from '../router.ts'

export const tableSchema = z.object({
  name: z.string(),
  state: z.string().describe('`ok`, `shipped`, `static`, `stale`, `missing`, `failing`.'),
  rows: z.number(),
  version: z.string().nullable().describe('Version of the content in force; stored in enriched events as `p_version`.'),
  problem: z.string().nullable(),
  refreshed_time: z.string().nullable().describe('When the content was last known to be current.'),
  age_seconds: z.number().nullable().describe('Since then; of shipped content, since its date.'),
  next_refresh_time: z.string().nullable(),
  provider: z.string(),
  file: z.string().describe("The table's definition."),
  live: z
    .object({
      service: z.string().describe('The service that is asked.'),
      answers: z.number().describe('Stored answers, including those without a row.'),
      asked_today: z.number().describe('Addresses asked for on this UTC day.'),
      left_today: z.number(),
      waiting: z.number().describe('Addresses that wait to be asked for.'),
      passed_over: z.number().describe('Addresses that were not asked for since the start, because too many were waiting.'),
      breaker: z
        .enum(['closed', 'open', 'half_open'])
        .describe('`open`: no requests for a while, because they failed or the service wants fewer.'),
      last_error: z.string().nullable(),
    })
    .nullable()
    .describe('How a table with a live provider is filled.'),
})

export const refreshedSchema = tableSchema.extend({
  content_problems: z
    .array(z.object({ file: z.string(), message: z.string() }))
    .describe('Why changes to content are not in force: the table was refreshed with its previous definition.'),
  passed_over: z.array(z.string()).describe('Checks that the content in force did not pass: it was accepted nevertheless.'),
})

const list = createRoute({
  method: 'get',
  path: '/api/v1/tables',
  summary: 'Lookup tables and how current they are.',
  request: { query: z.strictObject(pageQuery(1000)) },
  responses: {
    200: { description: 'A page of tables.', content: { 'application/json': { schema: pageSchema(tableSchema) } } },
    ...failures(400),
  },
})

const refresh = createRoute({
  method: 'post',
  path: '/api/v1/tables/{name}/refresh',
  summary:
    'Applies changes to content, then fetches a table now. A failed refresh keeps the last good content and says why in `problem`.',
  request: {
    params: z.object({ name: z.string().max(200) }),
    query: z.strictObject({
      accept: z.enum(['true', 'false']).default('false').describe("Accept content that does not pass the table's checks, once."),
    }),
  },
  responses: {
    200: { description: 'The table as it is now.', content: { 'application/json': { schema: refreshedSchema } } },
    ...failures(400, 404),
  },
})

export function tableRoutes(engine: Engine) {
  return createRouter()
    .openapi(list, async (c) => {
      const { results, next } = pageOf(await engine.tables(), c.req.valid('query'), ({ name }) => name)
      return c.json({ results: results.map(tableView), next }, 200)
    })
    .openapi(refresh, async (c) => {
      try {
        const accept = c.req.valid('query').accept === 'true'
        return c.json(refreshedView(await engine.refreshTable(c.req.valid('param').name, { accept })), 200)
      } catch (error) {
        if (error instanceof ConfigError) throw new ApiError(404, 'not_found', error.message)
        throw error
      }
    })
}

export function tableView(table: TableView): z.output<typeof tableSchema> {
  const { name, state, rows, version, problem, refreshedMs, ageSeconds, nextRefreshMs, provider, file, live } = table
  return {
    name,
    state,
    rows,
    version: version ?? null,
    problem: problem ?? null,
    refreshed_time: iso(refreshedMs),
    age_seconds: ageSeconds ?? null,
    next_refresh_time: iso(nextRefreshMs),
    provider,
    file,
    live: live
      ? {
          service: live.service,
          answers: live.answers,
          asked_today: live.askedToday,
          left_today: live.leftToday,
          waiting: live.waiting,
          passed_over: live.passedOver,
          breaker: live.breaker,
          last_error: live.lastError ?? null,
        }
      : null,
  }
}

function refreshedView(table: RefreshedTable): z.output<typeof refreshedSchema> {
  return { ...tableView(table), content_problems: [...table.contentProblems], passed_over: [...table.passedOver] }
}

function iso(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString()
}

import { createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import type { ReadableStream as WebStream } from 'node:stream/web'
import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import type { Engine } from '../../engine/engine.ts'
import type { OwnJobs } from '../../engine/queries/jobs.ts'
import type { QueryJob } from '../../model/query-job.ts'
import { ApiError, failures } from '../errors.ts'
import { exactAnswer } from '../exact-json.ts'
import { ownJobs } from '../own-jobs.ts'
import { pageOf, pageQuery, pageSchema } from '../paging.ts'
import { columnsSchema, queryJobSchema, queryJobView } from '../query-view.ts'
import { CONTENT_TYPES, formatted, TEXT_FORMATS } from '../result-formats.ts'
import { createRouter } from '../router.ts'
import { limitsOf, querySchema } from './query.ts'

const MAX_WAIT_MS = 30_000
const id = z.object({ id: z.string().regex(/^[0-9a-f]{1,24}$/, 'the id of a query has up to 24 hexadecimal digits') })

const job = (description: string) => ({ description, content: { 'application/json': { schema: queryJobSchema } } })

const start = createRoute({
  method: 'post',
  path: '/api/v1/queries',
  summary: 'Starts a query and returns at once. Its result is kept for `queries.result_hours`.',
  request: { body: { required: true, content: { 'application/json': { schema: querySchema } } } },
  responses: { 202: job('It runs, or waits for its turn.'), ...failures(400, 429, 503) },
})

const list = createRoute({
  method: 'get',
  path: '/api/v1/queries',
  summary: "The caller's queries, newest first, for `queries.history_days`.",
  request: {
    query: z.strictObject(pageQuery(200, 50)),
  },
  responses: {
    200: {
      description: 'A page of them.',
      content: { 'application/json': { schema: pageSchema(queryJobSchema) } },
    },
    ...failures(400),
  },
})

const show = createRoute({
  method: 'get',
  path: '/api/v1/queries/{id}',
  summary: 'A query: whether it runs, how far it is, and what its result looks like.',
  request: {
    params: id,
    query: z.strictObject({
      wait_ms: z.coerce
        .number()
        .int()
        .min(0)
        .max(MAX_WAIT_MS)
        .default(0)
        .describe('Answer when it has ended, or after this time.'),
    }),
  },
  responses: { 200: job('The query.'), ...failures(400, 404) },
})

const rows = createRoute({
  method: 'get',
  path: '/api/v1/queries/{id}/rows',
  summary: "A page of a query's result.",
  request: {
    params: id,
    query: z.strictObject({
      limit: z.coerce.number().int().min(1).max(10_000).default(1000),
      cursor: z
        .string()
        .regex(/^\d{1,15}$/, 'a cursor is `next` from the previous page')
        .optional(),
      row: z.coerce
        .number()
        .int()
        .min(0)
        .max(1_000_000_000)
        .optional()
        .describe('Begin with this row, counted from 0, instead of at a cursor.'),
    }),
  },
  responses: {
    200: {
      description: 'The rows.',
      content: {
        'application/json': {
          schema: z.object({ columns: columnsSchema, rows: z.array(z.array(z.unknown())), next: z.string().nullable() }),
        },
      },
    },
    ...failures(400, 404),
  },
})

const cancel = createRoute({
  method: 'post',
  path: '/api/v1/queries/{id}/cancel',
  summary: 'Ends a query, also in the lake. One that has ended stays as it is.',
  request: { params: id },
  responses: { 200: job('The query as it is now.'), ...failures(400, 404) },
})

const remove = createRoute({
  method: 'delete',
  path: '/api/v1/queries/{id}',
  summary: 'Ends a query if it runs, and deletes it with its result.',
  request: { params: id },
  responses: {
    200: { description: 'It is gone.', content: { 'application/json': { schema: z.object({ id: z.string() }) } } },
    ...failures(400, 404),
  },
})

const exported = createRoute({
  method: 'get',
  path: '/api/v1/queries/{id}/export',
  summary: "A query's whole result as a file.",
  request: {
    params: id,
    query: z.strictObject({
      format: z
        .enum([...TEXT_FORMATS, 'parquet'])
        .default('ndjson')
        .describe('`ndjson`: an object per line; `json`: a list of objects; `arrays`: an array per line.'),
      for_spreadsheets: z
        .enum(['true', 'false'])
        .default('false')
        .describe("In CSV, put `'` before texts that a spreadsheet would run as formulas."),
    }),
  },
  responses: {
    200: {
      description: 'The file.',
      content: Object.fromEntries(
        Object.values(CONTENT_TYPES).map((type) => [type.split(';')[0]!, { schema: z.string().meta({ format: 'binary' }) }]),
      ),
    },
    ...failures(400, 404, 503),
  },
})

/** `/api/v1/queries`: queries that run without their caller waiting. Callers see their own. */
export function queriesRoutes(engine: Engine) {
  const view = async (jobs: OwnJobs, one: QueryJob) => queryJobView(one, await jobs.progress(one.id), Date.now())
  return createRouter()
    .openapi(start, async (c) => {
      const ask = c.req.valid('json')
      const jobs = ownJobs(engine)
      const begun = await jobs.start({ sql: ask.sql, ...limitsOf(ask, engine) })
      if (begun.kind === 'busy') throw new ApiError(429, 'busy', `${begun.why}; cancel one, or try again`, { 'retry-after': '1' })
      return c.json(await view(jobs, begun.job), 202)
    })
    .openapi(list, async (c) => {
      const { results, next } = pageOf(ownJobs(engine).list(), c.req.valid('query'), (one) => one.id)
      return c.json({ results: results.map((one) => queryJobView(one, undefined, Date.now())), next }, 200)
    })
    .openapi(show, async (c) => {
      const [jobs, { id }] = [ownJobs(engine), c.req.valid('param')]
      known(jobs, id)
      await jobs.ended(id, c.req.valid('query').wait_ms, c.req.raw.signal)
      return c.json(await view(jobs, known(jobs, id)), 200)
    })
    .openapi(rows, async (c) => {
      const [jobs, { id }, { limit, cursor, row }] = [ownJobs(engine), c.req.valid('param'), c.req.valid('query')]
      const { columns = [] } = known(jobs, id)
      if (row !== undefined && cursor !== undefined)
        throw new ApiError(400, 'bad_request', 'give `row` or `cursor`, not both: each says where the page begins')
      const page = await (row === undefined ? jobs.rows(id, Number(cursor ?? 0), limit) : jobs.rowsFrom(id, row, limit))
      const next = page.next === undefined ? null : String(page.next)
      const text = `{"columns":${JSON.stringify(columns)},"rows":[${page.rows.join(',')}],"next":${JSON.stringify(next)}}`
      return exactAnswer<{ columns: { name: string; type: string }[]; rows: unknown[][]; next: string | null }, 200>(text, 200)
    })
    .openapi(cancel, async (c) => {
      const [jobs, { id }] = [ownJobs(engine), c.req.valid('param')]
      known(jobs, id)
      return c.json(await view(jobs, (await jobs.cancel(id)) ?? known(jobs, id)), 200)
    })
    .openapi(remove, async (c) => {
      const [jobs, { id }] = [ownJobs(engine), c.req.valid('param')]
      known(jobs, id)
      await jobs.remove(id)
      return c.json({ id }, 200)
    })
    .openapi(exported, async (c) => {
      const [jobs, { id }, { format, for_spreadsheets }] = [ownJobs(engine), c.req.valid('param'), c.req.valid('query')]
      const { columns = [] } = known(jobs, id)
      const headers = {
        'content-type': CONTENT_TYPES[format],
        'content-disposition': `attachment; filename="query-${id}.${format === 'arrays' ? 'ndjson' : format}"`,
      }
      if (format === 'parquet') return new Response(await fileOnce(await jobs.parquet(id)), { headers }) as never
      const result = { names: columns.map(({ name }) => name), rows: jobs.lines(id) }
      const text = Readable.from(formatted(result, format, for_spreadsheets === 'true'), { objectMode: false })
      return new Response(Readable.toWeb(text) as WebStream<Uint8Array> as ReadableStream<Uint8Array>, { headers }) as never
    })
}

function known(jobs: OwnJobs, id: string): QueryJob {
  const found = jobs.get(id)
  if (!found) throw new ApiError(404, 'not_found', `you have no query '${id}'; \`caracal queries\` lists yours`)
  return found
}

/** The content of a file, which is removed when it is open: it takes room until it is read. */
async function fileOnce(file: string): Promise<ReadableStream<Uint8Array>> {
  const stream = createReadStream(file)
  await new Promise((resolve, reject) => stream.once('open', resolve).once('error', reject))
  await rm(file, { force: true })
  return Readable.toWeb(stream) as WebStream<Uint8Array> as ReadableStream<Uint8Array>
}

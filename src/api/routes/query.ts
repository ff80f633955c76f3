import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import type { Engine } from '../../engine/engine.ts'
import type { QueryOptions, QueryResult } from '../../stages/store/lake.ts'
import { ApiError, failures } from '../errors.ts'
import { exactAnswer } from '../exact-json.ts'
import { createRouter } from '../router.ts'

/** Maximum number of concurrent queries; more would only queue up in memory. */
const MAX_QUERIES = 32
const MAX_PARAMS = 100
/** The lake also limits the size of a result. */
const MAX_ROWS = 1_000_000

const param = z.union([z.string().max(10_000), z.number()])

const bodySchema = z.strictObject({
  sql: z.string().min(1).max(100_000).describe('One SELECT in ClickHouse SQL; queries are read-only.'),
  params: z
    .record(z.string().regex(/^[A-Za-z][A-Za-z0-9_]{0,63}$/), param)
    .refine((params) => Object.keys(params).length <= MAX_PARAMS, `at most ${MAX_PARAMS} params`)
    .optional()
    .describe('Values for `{name:Type}` in the SQL.'),
  max_rows: z
    .int()
    .min(1)
    .max(MAX_ROWS)
    .optional()
    .describe('Maximum number of rows. Default: `query_max_rows` of the configuration.'),
  timeout_ms: z.int().min(1).optional().describe('Time limit in milliseconds, at most `query_timeout_ms`.'),
})

const answerSchema = z.object({
  columns: z.array(z.object({ name: z.string(), type: z.string() })),
  rows: z.array(z.array(z.unknown())),
  truncated: z.boolean().describe('True if there were more rows.'),
  ms: z.number().describe('Duration of the query.'),
})

const query = createRoute({
  method: 'post',
  path: '/api/v1/query',
  summary:
    'Queries the lake. With `Accept: application/x-ndjson`: a line with the columns, a line per row, a line with the rest.',
  request: { body: { required: true, content: { 'application/json': { schema: bodySchema } } } },
  responses: {
    200: { description: 'The answer.', content: { 'application/json': { schema: answerSchema } } },
    ...failures(400, 429, 503),
  },
})

/** `POST /api/v1/query`. If the client disconnects, its query is stopped. */
export function queryRoutes(engine: Engine) {
  let running = 0
  return createRouter().openapi(query, async (c) => {
    if (running >= MAX_QUERIES) {
      throw new ApiError(429, 'busy', `${MAX_QUERIES} queries are running already; try again`, { 'retry-after': '1' })
    }
    running++
    try {
      const options = optionsOf(c.req.valid('json'), engine, c.req.raw.signal)
      const result = await engine.query(c.req.valid('json').sql, options)
      const isNdjson = /\bapplication\/x-ndjson\b/i.test(c.req.header('accept') ?? '')
      const answer = exactAnswer<z.output<typeof answerSchema>, 200>(stream(isNdjson ? ndjson(result) : json(result)), 200)
      if (isNdjson) answer.headers.set('content-type', 'application/x-ndjson')
      return answer
    } finally {
      running--
    }
  })
}

function optionsOf(
  { params, max_rows, timeout_ms }: z.output<typeof bodySchema>,
  { config }: Engine,
  signal: AbortSignal,
): QueryOptions & { readonly fresh: boolean } {
  return {
    ...(params && { params }),
    maxRows: max_rows ?? config.query_max_rows,
    timeoutMs: Math.min(timeout_ms ?? config.query_timeout_ms, config.query_timeout_ms),
    signal,
    fresh: true,
  }
}

function* json({ columns, rows, truncated, ms }: QueryResult): Generator<string> {
  yield `{"columns":${JSON.stringify(columns)},"rows":[`
  for (const [i, row] of rows.entries()) yield i === 0 ? row : `,${row}`
  yield `],"truncated":${truncated},"ms":${ms}}`
}

function* ndjson({ columns, rows, truncated, ms }: QueryResult): Generator<string> {
  yield `${JSON.stringify({ columns })}\n`
  for (const row of rows) yield `${row}\n`
  yield `${JSON.stringify({ truncated, ms })}\n`
}

const PIECE_CHARS = 64 * 1024

/** The parts as bytes, produced as fast as the client reads them. */
function stream(parts: Generator<string>): ReadableStream<Uint8Array> {
  return new ReadableStream({
    pull(controller) {
      let piece = ''
      for (let next = parts.next(); !next.done; next = parts.next()) {
        piece += next.value
        if (piece.length >= PIECE_CHARS) return controller.enqueue(Buffer.from(piece))
      }
      controller.enqueue(Buffer.from(piece))
      controller.close()
    },
  })
}

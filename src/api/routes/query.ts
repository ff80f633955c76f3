import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import type { Engine } from '../../engine/engine.ts'
import type { Asked, AskOptions } from '../../engine/queries/ask.ts'
import { ApiError, failures } from '../errors.ts'
import { exactAnswer } from '../exact-json.ts'
import { columnsSchema, translatedSchema } from '../query-view.ts'
import { createRouter } from '../router.ts'

/** Maximum number of concurrent queries; more would only queue up in memory. */
const MAX_QUERIES = 32
const MAX_PARAMS = 100
/** The lake also limits the size of a result. */
const MAX_ROWS = 1_000_000

const param = z.union([z.string().max(10_000), z.number()])

/** A query as callers send it. */
export const querySchema = z.strictObject({
  sql: z.string().min(1).max(100_000).describe('One SELECT; queries are read-only.'),
  dialect: z
    .enum(['auto', 'clickhouse', 'snowflake'])
    .optional()
    .describe(
      "`auto`, the default: ClickHouse SQL, unless the text has Panther's macros, or has Panther's names and is no ClickHouse SQL. `snowflake`: it is translated as Panther's queries are.",
    ),
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
  columns: columnsSchema,
  rows: z.array(z.array(z.unknown())),
  truncated: z.boolean().describe('True if there were more rows.'),
  ms: z.number().describe('Duration of the query.'),
  translated: translatedSchema.optional(),
})

const query = createRoute({
  method: 'post',
  path: '/api/v1/query',
  summary:
    'Queries the lake. With `Accept: application/x-ndjson`: a line with the columns, a line per row, a line with the rest.',
  request: { body: { required: true, content: { 'application/json': { schema: querySchema } } } },
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
      const options = { ...limitsOf(c.req.valid('json'), engine), signal: c.req.raw.signal, fresh: true }
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

/** The values and limits of a query. */
export function limitsOf(
  { params, max_rows, timeout_ms, dialect }: Omit<z.output<typeof querySchema>, 'sql'>,
  { config }: Pick<Engine, 'config'>,
): Pick<AskOptions, 'params' | 'maxRows' | 'timeoutMs' | 'dialect'> {
  return {
    ...(params && { params }),
    maxRows: max_rows ?? config.query_max_rows,
    timeoutMs: Math.min(timeout_ms ?? config.query_timeout_ms, config.query_timeout_ms),
    dialect: dialect ?? 'auto',
  }
}

function* json({ columns, rows, truncated, ms, translated }: Asked): Generator<string> {
  yield `{"columns":${JSON.stringify(columns)},"rows":[`
  for (const [i, row] of rows.entries()) yield i === 0 ? row : `,${row}`
  yield `],${JSON.stringify({ truncated, ms, translated }).slice(1)}`
}

function* ndjson({ columns, rows, truncated, ms, translated }: Asked): Generator<string> {
  yield `${JSON.stringify({ columns })}\n`
  for (const row of rows) yield `${row}\n`
  yield `${JSON.stringify({ truncated, ms, translated })}\n`
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

import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import type { Engine } from '../../engine/engine.ts'
import { DEAD_LETTER_REASONS } from '../../model/outcome.ts'
import { failures } from '../errors.ts'
import { cutPage, pageQuery, pageSchema, readCursor } from '../paging.ts'
import { createRouter } from '../router.ts'

/** Maximum number of letters in a response; each may have 64 KiB of its record. */
const MAX_LETTERS = 200
const MAX_NAMES = 50

/** A query parameter that may be given several times. */
const several = <T extends z.ZodType<string>>(one: T) =>
  z.preprocess((value) => (Array.isArray(value) ? value : value === undefined ? [] : [value]), z.array(one).max(MAX_NAMES))

const querySchema = z.strictObject({
  source: several(z.string().max(200)).describe('Only those of this source; may be given several times.'),
  reason: several(z.enum(DEAD_LETTER_REASONS)).describe('Only those with this reason; may be given several times.'),
  since: z.iso.datetime({ offset: true }).optional().describe('Only those received since then.'),
  replayed: z.enum(['true', 'false']).default('false').describe('`true`: those that a replay has stored or filtered instead.'),
  ...pageQuery(MAX_LETTERS, 50),
})

export const deadLetterSchema = z.object({
  time: z.string().describe('RFC 3339, UTC.'),
  row_id: z.string().describe('The `p_row_id` of the event that it would have been.'),
  source: z.string(),
  reason: z.string().describe('docs/errors.md lists them.'),
  message: z.string().describe('What is wrong and what to do about it.'),
  position: z.string(),
  length: z.number().describe('Size of the whole record in bytes.'),
  sha256: z.string(),
  raw: z.string().describe('The record, at most its first 64 KiB.'),
  raw_encoding: z.string().describe('`utf8` or `base64`.'),
})

const list = createRoute({
  method: 'get',
  path: '/api/v1/dead-letters',
  summary: 'Records that could not be read, newest first. `POST /api/v1/replays` replays them after a fix.',
  request: { query: querySchema },
  responses: {
    200: {
      description: 'A page of them.',
      content: { 'application/json': { schema: pageSchema(deadLetterSchema) } },
    },
    ...failures(400),
  },
})

export function deadLetterRoutes(engine: Engine) {
  return createRouter().openapi(list, async (c) => {
    const query = c.req.valid('query')
    const { sql, params } = lettersSql(query)
    const maxRows = query.limit + 1
    const { rows } = await engine.query(sql, { params, maxRows, fresh: true, signal: c.req.raw.signal })
    return c.json(
      cutPage(rows.map(letterOf), query.limit, ({ time, row_id }) => [time, row_id]),
      200,
    )
  })
}

function lettersSql({ source, reason, since, replayed, limit, cursor }: z.output<typeof querySchema>) {
  const params: Record<string, string | number> = { limit: limit + 1 }
  const among = (column: string, values: readonly string[]) => {
    if (values.length === 0) return []
    const names = values.map((value, i) => {
      params[`${column}${i}`] = value
      return `{${column}${i}:String}`
    })
    return [`${column} IN (${names.join(', ')})`]
  }
  if (since !== undefined) params['since'] = Date.parse(since)
  if (cursor !== undefined) [params['time'], params['rowId']] = readCursor(cursor, placeSchema)
  const where = [
    ...among('source', source),
    ...among('reason', reason),
    ...(since === undefined ? [] : ['p_parse_time >= fromUnixTimestamp64Milli({since:Int64})']),
    ...(cursor === undefined ? [] : [BEFORE]),
    `(p_row_id, p_parse_time) ${replayed === 'true' ? 'IN' : 'NOT IN'} (SELECT p_row_id, letter_time FROM monitor.replayed_dead_letters)`,
  ].join(' AND ')
  const columns = Object.keys(deadLetterSchema.shape).map((name) => COLUMNS[name] ?? name)
  const sql = `SELECT ${columns.join(', ')} FROM monitor.dead_letters WHERE ${where} ORDER BY p_parse_time DESC, p_row_id DESC LIMIT {limit:UInt32}`
  return { sql, params }
}

const placeSchema = z.tuple([z.iso.datetime(), z.string()])
const LAST = "parseDateTime64BestEffort({time:String}, 9, 'UTC')"
const BEFORE = `p_parse_time <= ${LAST} AND (p_parse_time < ${LAST} OR p_row_id < {rowId:String})`

/** Names of columns that differ from the API's. */
const COLUMNS: Readonly<Record<string, string>> = { time: 'p_parse_time', row_id: 'p_row_id' }

function letterOf(row: string): z.output<typeof deadLetterSchema> {
  const values = JSON.parse(row) as unknown[]
  const names = Object.keys(deadLetterSchema.shape)
  return deadLetterSchema.parse(
    Object.fromEntries(names.map((name, i) => [name, name === 'length' ? Number(values[i]) : values[i]])),
  )
}

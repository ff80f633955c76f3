import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import type { Engine } from '../../engine/engine.ts'
import { AUDIT_SOURCE } from '../../model/audit.ts'
import { failures } from '../errors.ts'
import { exactAnswer } from '../exact-json.ts'
import { cutPage, nextSchema, pageQuery, readCursor } from '../paging.ts'
import { createRouter } from '../router.ts'
import { storable } from '../storable.ts'

const moment = z.iso.datetime({ offset: true }).optional()

const querySchema = z.strictObject({
  event: z.enum(['change', 'refused', 'signed_in', 'session_moved']).optional(),
  caller: storable(200).min(1).optional().describe('Only those of the token with this name.'),
  since: moment,
  until: moment,
  ...pageQuery(1000, 100),
})

const auditSchema = z.object({
  time: z.string().describe('RFC 3339, UTC.'),
  audit_event: z.enum(['change', 'refused', 'signed_in', 'session_moved']),
  caller: z.string().nullable(),
  caller_kind: z.string().nullable(),
  caller_role: z.string().nullable(),
  caller_address: z.string().nullable(),
  operation: z.string().nullable(),
  request_path: z.string(),
  status: z.int(),
  reason: z.string().nullable().describe('Why the call failed.'),
  detail: z.unknown().describe('What was to be changed, without secrets.'),
  left_out: z.int().nullable().describe('Refused calls before this one that were not recorded, because there were too many.'),
})

const answerSchema = z.object({ results: z.array(auditSchema), next: nextSchema })

const placeSchema = z.tuple([z.iso.datetime(), z.string()])

const list = createRoute({
  method: 'get',
  path: '/api/v1/audit',
  summary:
    'Changes made through the API, calls that were refused and sign-ins, newest first. The events are in `logs.caracal_audit`.',
  request: { query: querySchema },
  responses: {
    200: { description: 'A page of them.', content: { 'application/json': { schema: answerSchema } } },
    ...failures(400),
  },
})

/** Columns by which the list is sorted. */
const PLACE = ['p_event_time', 'p_row_id']
const LAST = "parseDateTime64BestEffort({time:String}, 9, 'UTC')"

/** The route that lists audit events. */
export function auditRoutes(engine: Engine) {
  return createRouter().openapi(list, async (c) => {
    const { limit, ...given } = c.req.valid('query')
    const { signal } = c.req.raw
    const exists = "SELECT count() FROM information_schema.tables WHERE table_schema = 'logs' AND table_name = 'caracal_audit'"
    // The table is created with the first event.
    const { rows: tables } = await engine.query(exists, { maxRows: 1, signal, fresh: true })
    const isThere = tables[0] !== undefined && tables[0] !== '[0]'
    const names = Object.keys(auditSchema.shape)
    const { sql, params } = sqlOf(names, given)
    const { rows } = isThere ? await engine.query(sql, { params, maxRows: limit + 1, signal }) : { rows: [] }
    const { results, next } = cutPage(rows, limit, (row) => (JSON.parse(row) as string[]).slice(-PLACE.length))
    const shown = results.map((row) => viewOf(names, row))
    return exactAnswer<z.output<typeof answerSchema>, 200>(`{"results":[${shown.join(',')}],"next":${JSON.stringify(next)}}`, 200)
  })
}

function sqlOf(names: readonly string[], { event, caller, since, until, cursor }: Omit<z.output<typeof querySchema>, 'limit'>) {
  const last = cursor === undefined ? undefined : readCursor(cursor, placeSchema)
  const params = {
    source: AUDIT_SOURCE,
    ...(event !== undefined && { event }),
    ...(caller !== undefined && { caller }),
    ...(since !== undefined && { since: Date.parse(since) }),
    ...(until !== undefined && { until: Date.parse(until) }),
    ...(last && { time: last[0], rowId: last[1] }),
  }
  const where = [
    // Other sources may send events that look alike.
    'p_source_id = {source:String}',
    ...(event === undefined ? [] : ['audit_event = {event:String}']),
    ...(caller === undefined ? [] : ['caller = {caller:String}']),
    ...(since === undefined ? [] : ['p_event_time >= fromUnixTimestamp64Milli({since:Int64})']),
    ...(until === undefined ? [] : ['p_event_time < fromUnixTimestamp64Milli({until:Int64})']),
    ...(last ? [`p_event_time <= ${LAST} AND (p_event_time < ${LAST} OR p_row_id < {rowId:String})`] : []),
  ]
  const sql = `SELECT ${[...names, ...PLACE].join(', ')} FROM logs.caracal_audit WHERE ${where.join(' AND ')} ORDER BY p_event_time DESC, p_row_id DESC`
  return { sql, params }
}

function viewOf(names: readonly string[], row: string): string {
  const values = JSON.parse(row) as unknown[]
  // The lake stores JSON as text.
  const members = names.map((name, i) => [name, name === 'detail' && values[i] !== null ? parsed(values[i]) : values[i]])
  return JSON.stringify(Object.fromEntries(members))
}

function parsed(value: unknown): unknown {
  return typeof value === 'string' ? JSON.parse(value) : value
}

import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import type { Engine } from '../../engine/engine.ts'
import { alertSchema, alertView } from '../alert-view.ts'
import { ApiError, failures } from '../errors.ts'
import { ExactJson, exactAnswer, exactObject } from '../exact-json.ts'
import { createRouter } from '../router.ts'
import { storable } from '../storable.ts'
import { cursorOf, readCursor } from '../timeline/cursor.ts'
import type { Range } from '../timeline/sql.ts'
import { KINDS, termsOf } from '../timeline/terms.ts'
import { MAX_ALERTS, type Overview, type Timeline, type TimelineEvent, timelineOf } from '../timeline/timeline.ts'

const DAY_MS = 86_400_000
const MAX_DAYS = 3660
/** Maximum number of concurrent timelines; each makes several queries. */
const MAX_RUNNING = 8

const time = z.string().describe('RFC 3339, UTC.')

export const indicatorTimelineSchema = z.object({
  since: time,
  until: time,
  notices: z.array(z.string()).describe('What differs from what was asked for.'),
  overview: z
    .object({
      values: z.array(z.string()).describe('The indicator as the logs spell it.'),
      counted_by: z.enum(['hour', 'day']).describe('Ranges of more than 31 days are counted by day.'),
      counts: z.array(z.object({ log_type: z.string(), start: time, events: z.int() })),
      alerts: z
        .array(alertSchema.extend({ matches: z.int().describe('How many of its matches in the time range name the indicator.') }))
        .describe(`The alerts that name it, the latest match first; at most ${MAX_ALERTS}.`),
      alerts_cut: z.boolean().describe('True if there are more alerts.'),
      elsewhere: z
        .array(z.object({ log_type: z.string(), first: time, last: time }))
        .describe('If the time range has no event: where the indicator was seen at other times, the latest first.'),
    })
    .nullable()
    .describe('Counts and alerts of the whole time range; null after the first page.'),
  results: z.array(
    z.object({
      time,
      log_type: z.string(),
      source_label: z.string(),
      row_id: z.string(),
      summary: z.string().describe('A line for people: the message and the first fields.'),
      event: z.record(z.string(), z.unknown()).describe('The row of the lake, without nulls.'),
    }),
  ),
  next: z.string().nullable().describe('Cursor of the next page, if there is one.'),
})

const moment = z.iso.datetime({ offset: true }).optional()

const timeline = createRoute({
  method: 'get',
  path: '/api/v1/timeline',
  summary: 'Everything that the logs say about an address, a user, a host, a hash or another indicator, newest first.',
  request: {
    query: z.strictObject({
      indicator: storable(2048)
        .min(1)
        .describe('The indicator, in any spelling: case and the forms of an IPv6 address do not matter.'),
      kind: z.enum(KINDS).optional().describe('What it is. Default: by its look.'),
      since: moment.describe('From this time on. Default: 24 hours before `until`.'),
      until: moment.describe(`Before this time. Default: now. A timeline covers the last ${MAX_DAYS} days before it at most.`),
      limit: z.coerce.number().int().min(1).max(200).default(50),
      cursor: z.string().max(200).optional().describe('`next` from the previous page. The time range is that of the first page.'),
    }),
  },
  responses: {
    200: { description: 'A page of events.', content: { 'application/json': { schema: indicatorTimelineSchema } } },
    ...failures(400, 429, 503),
  },
})

/** `GET /api/v1/timeline`. If the client disconnects, its queries are stopped. */
export function timelineRoutes(engine: Engine) {
  let running = 0
  return createRouter().openapi(timeline, async (c) => {
    const { indicator, kind, limit, ...given } = c.req.valid('query')
    const terms = termsOf(indicator, kind)
    const { after, notices, ...range } = placeOf(given)
    if (running >= MAX_RUNNING) {
      throw new ApiError(429, 'busy', `${MAX_RUNNING} timelines are being read already; try again`, { 'retry-after': '1' })
    }
    running++
    try {
      const found = await timelineOf(engine, { terms, range, after, limit, signal: c.req.raw.signal })
      return exactAnswer<z.output<typeof indicatorTimelineSchema>, 200>(viewOf(found, range, notices), 200)
    } finally {
      running--
    }
  })
}

/** The time range and where the page begins. A range that is too long is cut, with a notice. */
function placeOf({
  since,
  until,
  cursor,
}: {
  since?: string | undefined
  until?: string | undefined
  cursor?: string | undefined
}) {
  if (cursor !== undefined) return { ...readCursor(cursor), notices: [] }
  const untilMs = until === undefined ? Date.now() : Date.parse(until)
  const sinceMs = since === undefined ? untilMs - DAY_MS : Date.parse(since)
  if (sinceMs >= untilMs) throw new ApiError(400, 'bad_request', 'the time range is empty: `since` must be before `until`')
  const earliestMs = untilMs - MAX_DAYS * DAY_MS
  if (sinceMs >= earliestMs) return { sinceMs, untilMs, after: undefined, notices: [] }
  const notice = `the timeline begins at ${new Date(earliestMs).toISOString()}: it covers ${MAX_DAYS} days at most`
  return { sinceMs: earliestMs, untilMs, after: undefined, notices: [notice] }
}

function viewOf({ overview, events, next }: Timeline, range: Range, notices: readonly string[]): string {
  return exactObject({
    since: new Date(range.sinceMs).toISOString(),
    until: new Date(range.untilMs).toISOString(),
    notices,
    overview: overview ? overviewOf(overview) : null,
    results: new ExactJson(`[${events.map(eventView).join(',')}]`),
    next: next ? cursorOf({ sinceMs: range.sinceMs, untilMs: range.untilMs, after: next }) : null,
  })
}

function overviewOf({ values, bucket, counts, alerts, alertsCut, elsewhere }: Overview) {
  return {
    values,
    counted_by: bucket,
    counts: counts.map(({ logType, start, events }) => ({ log_type: logType, start, events })),
    alerts: alerts.map(({ alert, matches }) => ({ ...alertView(alert), matches })),
    alerts_cut: alertsCut,
    elsewhere: elsewhere.map(({ logType, first, last }) => ({ log_type: logType, first, last })),
  }
}

function eventView({ time, logType, source, rowId, summary, event }: TimelineEvent): string {
  return exactObject({ time, log_type: logType, source_label: source, row_id: rowId, summary, event: new ExactJson(event) })
}

import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import type { Engine } from '../../engine/engine.ts'
import { ApiError, failures } from '../errors.ts'
import { ExactJson, exactAnswer, exactObject } from '../exact-json.ts'
import { createRouter } from '../router.ts'
import { searchBase } from '../search/filters.ts'
import { fieldSummary, type SearchAsk, search } from '../search/search.ts'
import { storable } from '../storable.ts'
import { cursorOf, readCursor } from '../timeline/cursor.ts'

const DAY_MS = 86_400_000
/** Events that can be passed over; the lake sorts them each time. */
const MAX_SKIP = 1_000_000
/** Searches at the same time; each makes several queries. */
const MAX_RUNNING = 8

const time = z.string().describe('RFC 3339, UTC.')

const foundSchema = z.object({
  since: time,
  until: time,
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
  histogram: z
    .object({
      step_seconds: z.int().describe('Seconds that each bar stands for.'),
      bars: z.array(z.object({ start: time, log_type: z.string(), events: z.int() })),
    })
    .nullable()
    .describe('Null unless the page begins with the newest event.'),
  sql: z.string().describe('A query for the same events, for `POST /api/v1/query`. Empty if no log type can have such events.'),
})

const events = createRoute({
  method: 'post',
  path: '/api/v1/search',
  summary: 'Events that meet all filters, newest first, with their number over time.',
  request: {
    body: {
      required: true,
      content: {
        'application/json': {
          schema: z.strictObject({
            ...searchBase,
            limit: z.int().min(1).max(1000).default(100),
            cursor: z
              .string()
              .max(200)
              .optional()
              .describe('`next` from the previous page. The time range is that of the first page.'),
            skip: z
              .int()
              .min(0)
              .max(MAX_SKIP)
              .default(0)
              .describe('Number of newer events that are left out, to read from the middle; the deeper, the longer it takes.'),
          }),
        },
      },
    },
  },
  responses: {
    200: { description: 'A page of events.', content: { 'application/json': { schema: foundSchema } } },
    ...failures(400, 429, 503),
  },
})

const fields = createRoute({
  method: 'post',
  path: '/api/v1/search/fields',
  summary: 'The most frequent values of a field among the events that meet all filters.',
  request: {
    body: {
      required: true,
      content: {
        'application/json': {
          schema: z.strictObject({
            ...searchBase,
            field: storable(300).min(1).describe('As in filters.'),
            limit: z.int().min(1).max(100).default(10),
          }),
        },
      },
    },
  },
  responses: {
    200: {
      description: 'The summary.',
      content: {
        'application/json': {
          schema: z.object({
            field: z.string(),
            total: z.int().describe('Events of log types with the field that meet the filters.'),
            present: z.int().describe('Values of the field in them; of a list each counts.'),
            distinct: z.int().describe('Different values; approximate if there are many.'),
            top: z.array(
              z.object({
                value: z.string(),
                events: z.int(),
                share: z.number().describe('Of all events that meet the filters.'),
              }),
            ),
          }),
        },
      },
    },
    ...failures(400, 429, 503),
  },
})

/** `POST /api/v1/search`. If the client disconnects, its queries are stopped. */
export function searchRoutes(engine: Engine) {
  let running = 0
  const limited = async <T>(run: () => Promise<T>): Promise<T> => {
    if (running >= MAX_RUNNING)
      throw new ApiError(429, 'busy', `${MAX_RUNNING} searches are running already; try again`, { 'retry-after': '1' })
    running++
    try {
      return await run()
    } finally {
      running--
    }
  }
  return createRouter()
    .openapi(events, async (c) => {
      const { limit, cursor, skip, ...given } = c.req.valid('json')
      const { after, ...range } = cursor === undefined ? { ...rangeOf(given), after: undefined } : readCursor(cursor)
      const page = { after, skip, limit, withHistogram: after === undefined && skip === 0 }
      const found = await limited(() => search(engine, askOf(given, range, c.req.raw.signal), page))
      return exactAnswer<z.output<typeof foundSchema>, 200>(viewOf(found, range), 200)
    })
    .openapi(fields, async (c) => {
      const { field, limit, ...given } = c.req.valid('json')
      const ask = askOf(given, rangeOf(given), c.req.raw.signal)
      const { top, total, ...summary } = await limited(() => fieldSummary(engine, ask, field, limit))
      const shares = top.map((one) => ({ ...one, share: total === 0 ? 0 : one.events / total }))
      return c.json({ field, total, ...summary, top: shares }, 200)
    })
}

type Given = z.output<z.ZodObject<typeof searchBase>>

export function rangeOf({ since, until }: Given): SearchAsk['range'] {
  const untilMs = until === undefined ? Date.now() : Date.parse(until)
  const sinceMs = since === undefined ? untilMs - DAY_MS : Date.parse(since)
  if (sinceMs >= untilMs) throw new ApiError(400, 'bad_request', 'the time range is empty: `since` must be before `until`')
  return { sinceMs, untilMs }
}

function askOf({ log_types, filters, text }: Given, range: SearchAsk['range'], signal: AbortSignal): SearchAsk {
  return { logTypes: log_types, filters, text, range, signal }
}

function viewOf({ events, next, histogram, sql }: Awaited<ReturnType<typeof search>>, range: SearchAsk['range']): string {
  const results = events.map(({ time, logType, source, rowId, summary, event }) =>
    exactObject({ time, log_type: logType, source_label: source, row_id: rowId, summary, event: new ExactJson(event) }),
  )
  return exactObject({
    since: new Date(range.sinceMs).toISOString(),
    until: new Date(range.untilMs).toISOString(),
    results: new ExactJson(`[${results.join(',')}]`),
    next: next ? cursorOf({ ...range, after: next }) : null,
    histogram: histogram
      ? {
          step_seconds: histogram.stepSeconds,
          bars: histogram.bars.map(({ start, logType, events }) => ({ start, log_type: logType, events })),
        }
      : null,
    sql,
  })
}

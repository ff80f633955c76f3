import { isDeepStrictEqual } from 'node:util'
import { createRoute } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { z } from 'zod'
import type { Engine } from '../../engine/engine.ts'
import type { Caller } from '../../model/account.ts'
import { NEWS_KINDS, type NumberedNews } from '../../model/news.ts'
import { callAs, currentCaller } from '../access/caller.ts'
import { alertSchema, alertView } from '../alert-view.ts'
import { failures } from '../errors.ts'
import type { LiveStreams } from '../live/live-streams.ts'
import { createRouter } from '../router.ts'

/** The data of an event. */
const newsSchema = z.object({
  kind: z.enum(NEWS_KINDS),
  subject: z
    .string()
    .describe('Id of the alert, source, rule or replay, name of the table, hash of the content, status of the health.'),
  time: z.string().describe('RFC 3339, UTC.'),
  message: z.string().nullable().describe('A sentence for people.'),
  alert: alertSchema.nullable().describe('Of `alert.…`: the alert as it is now.'),
})

const kinds = z.preprocess(
  (value) => (Array.isArray(value) || value === undefined ? value : [value]),
  z.array(z.enum(NEWS_KINDS)).max(NEWS_KINDS.length).optional(),
)

const stream = createRoute({
  method: 'get',
  path: '/api/v1/stream',
  summary: 'Live updates as server-sent events. Callers who may only see some log types get those about their alerts.',
  request: {
    query: z.strictObject({ kind: kinds.describe('Only events of these kinds; may be given several times.') }),
    headers: z.object({
      'last-event-id': z
        .string()
        .max(40)
        .optional()
        .describe(
          'Continues after this event. If some are not kept any more, the first event is `reset`: read everything again.',
        ),
    }),
  },
  responses: {
    200: {
      description: 'Events that never end. The data of each is JSON as described here.',
      content: { 'text/event-stream': { schema: newsSchema } },
    },
    ...failures(400, 429),
  },
})

/** Serves a request to a path of the app with the caller's rights. */
type Serve = (path: string, init: RequestInit, env: object) => Response | Promise<Response>

const HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-store, no-transform',
  // nginx would collect events before it passes them on.
  'x-accel-buffering': 'no',
}

export function streamRoutes(engine: Engine, live: LiveStreams, serve: Serve) {
  return createRouter().openapi(stream, (c) => {
    if (c.req.method === 'HEAD') return new Response(null, { headers: HEADERS }) as never
    const caller = currentCaller()!
    const { kind } = c.req.valid('query')
    const wanted = new Set(kind ?? NEWS_KINDS)
    const { body } = live.open(caller.name, {
      news: (...ask) => engine.news(...ask),
      since: c.req.valid('header')['last-event-id'],
      dataOf: (news) => callAs(caller, async () => (wanted.has(news.kind) ? dataOf(engine, news) : undefined)),
      isAllowed: () => mayRead(c, serve, caller),
      untilMs: caller.expiresMs,
    })
    return new Response(body, { headers: HEADERS }) as never
  })
}

/**
 * Asks as the caller would, so that it holds for every way to be known. False as well if the caller's rights are not those that the stream
 * began with: the client connects again with the new ones. Nobody has to be there for a stream to stay open, so that it is no use of a session.
 */
async function mayRead(c: Context, serve: Serve, { role, logTypes }: Caller): Promise<boolean> {
  const headers = new Headers(c.req.raw.headers)
  for (const name of ['if-none-match', 'last-event-id']) headers.delete(name)
  const answer = await serve(new URL('/api/v1/me', c.req.url).href, { headers }, { ...c.env, isRecheck: true })
  if (!answer.ok) return false
  const now = (await answer.json()) as { readonly role: string; readonly log_types: readonly string[] | null }
  return now.role === role && isDeepStrictEqual(now.log_types, logTypes ?? null)
}

async function dataOf(engine: Engine, { kind, subject, message, atMs }: NumberedNews): Promise<string | undefined> {
  const isAlert = kind.startsWith('alert.')
  const alert = isAlert ? await engine.read.alert(subject) : undefined
  // Deleted meanwhile, or not for this caller.
  if (isAlert && !alert) return undefined
  const data: z.output<typeof newsSchema> = {
    kind,
    subject,
    time: new Date(atMs).toISOString(),
    message: message ?? null,
    alert: alert ? alertView(alert) : null,
  }
  return JSON.stringify(data)
}

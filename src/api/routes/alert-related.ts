import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import type { Engine } from '../../engine/engine.ts'
import type { StoredAlert } from '../../model/alert.ts'
import type { AlertPlace } from '../../model/alert-filter.ts'
import { alertOf, idParam } from '../alert-of.ts'
import { alertSchema, alertView } from '../alert-view.ts'
import { failures } from '../errors.ts'
import { cursorOf, pageQuery, pageSchema, readCursor } from '../paging.ts'
import { createRouter } from '../router.ts'

const DAY_MS = 86_400_000
const MAX_DAYS = 90
/** Maximum number of alerts that are compared for a page, and how many are read at once. */
const MAX_COMPARED = 5000
const PAGE = 200

/** What alerts share, by the name of the indicator. */
type Shared = Record<string, string[]>

export const relatedSchema = pageSchema(
  z.object({
    alert: alertSchema,
    shared: z.record(z.string(), z.array(z.string())).describe('The indicators of both, by name, such as p_any_ip_addresses.'),
  }),
)

const placeSchema = z.tuple([z.int(), z.string()])

const related = createRoute({
  method: 'get',
  path: '/api/v1/alerts/{id}/related',
  summary: 'Alerts opened within some days of this one that share an indicator with it, newest first; muted and merged ones too.',
  request: {
    params: idParam,
    query: z.strictObject({
      days: z.coerce.number().int().min(1).max(MAX_DAYS).default(7).describe('How many days before and after it.'),
      ...pageQuery(200, 20),
    }),
  },
  responses: {
    200: { description: 'A page of the related alerts.', content: { 'application/json': { schema: relatedSchema } } },
    ...failures(400, 404),
  },
})

/** The route of alerts that share an indicator with one. */
export function alertRelatedRoutes(engine: Engine) {
  return createRouter().openapi(related, async (c) => {
    const alert = await alertOf(engine, c.req.valid('param').id)
    const { days, limit, cursor } = c.req.valid('query')
    const [createdMs, alertId] = cursor === undefined ? [] : readCursor(cursor, placeSchema)
    const before = createdMs === undefined ? undefined : { createdMs, alertId: alertId! }
    const { results, next } = await relatedTo(engine, alert, { days, limit, before })
    return c.json({ results, next: next ? cursorOf([next.createdMs, next.alertId]) : null }, 200)
  })
}

interface Wanted {
  readonly days: number
  readonly limit: number
  readonly before: AlertPlace | undefined
}

interface Found {
  readonly results: z.output<typeof relatedSchema>['results']
  readonly next: AlertPlace | undefined
}

async function relatedTo({ read }: Engine, alert: StoredAlert, { days, limit, before }: Wanted): Promise<Found> {
  const results: z.output<typeof relatedSchema>['results'] = []
  const own = new Map(Object.entries(alert.body.indicators).map(([name, values]) => [name, new Set(values)]))
  if ([...own.values()].every((values) => values.size === 0)) return { results, next: undefined }
  const filter = { sinceMs: alert.createdMs - days * DAY_MS, untilMs: alert.createdMs + days * DAY_MS + 1 }
  let next = before
  let last: AlertPlace | undefined
  for (let compared = 0; compared < MAX_COMPARED; compared += PAGE) {
    const page = await read.alerts(filter, { limit: PAGE, ...(next && { before: next }) })
    for (const other of page.alerts) {
      if (other.alertId === alert.alertId) continue
      const shared = sharedWith(own, other)
      if (!shared) continue
      if (results.length === limit) return { results, next: last }
      results.push({ alert: alertView(other), shared })
      last = { createdMs: other.createdMs, alertId: other.alertId }
    }
    next = page.next
    if (!next) break
  }
  return { results, next }
}

function sharedWith(own: ReadonlyMap<string, ReadonlySet<string>>, { body }: StoredAlert): Shared | undefined {
  const shared = Object.entries(body.indicators).flatMap(([name, values]): [string, string[]][] => {
    const both = values.filter((value) => own.get(name)?.has(value))
    return both.length > 0 ? [[name, both]] : []
  })
  return shared.length > 0 ? Object.fromEntries(shared) : undefined
}

import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import type { Engine } from '../../engine/engine.ts'
import type { AlertFilter, AlertPlace } from '../../model/alert-filter.ts'
import { CHANGE_OUTCOMES, MAX_CHANGED } from '../../model/alert-work.ts'
import { callerName } from '../access/caller.ts'
import { alertFilter, alertFilterShape } from '../alert-filter.ts'
import { noAlert } from '../alert-of.ts'
import { alertSchema, alertView } from '../alert-view.ts'
import { ApiError, failures } from '../errors.ts'
import { createRouter } from '../router.ts'
import { changeOf, changeSchema, refusal } from './alert-work.ts'

const PAGE = 200

const filterSchema = z
  .strictObject(alertFilterShape)
  .refine(
    ({ muted, merged, ...rest }) => muted !== 'no' || merged !== 'no' || Object.values(rest).some((one) => one !== undefined),
    'an empty filter would choose every alert: name at least one criterion',
  )

const bodySchema = z
  .strictObject({
    ids: z.array(z.string().min(1).max(64)).min(1).max(MAX_CHANGED).optional().describe('Ids, or unique prefixes of them.'),
    filter: filterSchema.optional().describe('The filter of the list. It must choose no more alerts than one call may change.'),
    change: changeSchema,
  })
  .refine(({ ids, filter }) => (ids === undefined) !== (filter === undefined), 'give either `ids` or `filter`')

const resultSchema = z.object({
  id: z.string().describe('The id as it was given; with a filter, the whole id.'),
  outcome: z.enum(CHANGE_OUTCOMES),
  message: z.string().nullable().describe('Why it was not changed; null if it is as requested.'),
  alert: alertSchema.nullable().describe('The alert as it is now; null if there is no such alert.'),
})

const change = createRoute({
  method: 'patch',
  path: '/api/v1/alerts',
  summary: `Changes up to ${MAX_CHANGED} alerts alike: those named, or those that a filter chooses.`,
  request: { body: { required: true, content: { 'application/json': { schema: bodySchema } } } },
  responses: {
    200: {
      description: 'What happened to each alert. An alert that was refused does not keep the others from being changed.',
      content: { 'application/json': { schema: z.object({ results: z.array(resultSchema) }) } },
    },
    ...failures(400, 409),
  },
})

/** The route that changes many alerts at once. */
export function alertBulkRoutes(engine: Engine) {
  return createRouter().openapi(change, async (c) => {
    const { ids, filter, change: wanted } = c.req.valid('json')
    const chosen = ids ? await named(engine, ids) : await matching(engine, alertFilter(filter!))
    const alertIds = [...new Set(chosen.values())].filter((alertId) => alertId !== undefined)
    const outcomes = await engine.desk({ do: 'change', alertIds, change: changeOf(wanted), by: callerName() })
    const byId = new Map(outcomes.map(({ alertId, outcome }) => [alertId, outcome]))
    const results: z.output<typeof resultSchema>[] = []
    for (const [id, alertId] of chosen) {
      const alert = alertId === undefined ? undefined : await engine.read.alert(alertId)
      // An alert may be deleted meanwhile, because it is older than alerts are kept.
      const outcome = (alert && byId.get(alert.alertId)) ?? 'not_found'
      const message = (alert ? refusal(outcome, alert) : noAlert(id))?.message ?? null
      results.push({ id, outcome, message, alert: alert ? alertView(alert) : null })
    }
    return c.json({ results }, 200)
  })
}

/** The whole id of each alert, by the id as it was given. */
async function named({ read }: Engine, ids: readonly string[]): Promise<Map<string, string | undefined>> {
  const found = new Map<string, string | undefined>()
  for (const id of ids) found.set(id, (await read.alert(id))?.alertId)
  return found
}

async function matching({ read }: Engine, filter: AlertFilter): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  let before: AlertPlace | undefined
  do {
    const page = await read.alerts(filter, { limit: PAGE, ...(before && { before }) })
    for (const { alertId } of page.alerts) found.set(alertId, alertId)
    if (found.size > MAX_CHANGED) {
      const message = `the filter chooses more than ${MAX_CHANGED} alerts, the most that one call changes; nothing was changed. Narrow it, for example with \`since\` and \`until\``
      throw new ApiError(409, 'conflict', message)
    }
    before = page.next
  } while (before)
  return found
}

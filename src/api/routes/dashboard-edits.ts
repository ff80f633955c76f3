import { createRoute } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { z } from 'zod'
import type { DashboardDraft } from '../../engine/authoring/dashboards.ts'
import type { Engine } from '../../engine/engine.ts'
import { MAX_PANEL_COLUMNS, MAX_PANELS } from '../../packs/dashboard-items.ts'
import { panelSchema } from '../dashboard-view.ts'
import { authorOf, messageShape } from '../edited-view.ts'
import { failures } from '../errors.ts'
import { namedAnswer, namedResponses, newName, revisionSchema } from '../named-change.ts'
import { createRouter } from '../router.ts'
import { storable } from '../storable.ts'
import { dashboardNamed, dashboardParam } from './dashboards.ts'
import { querySchema } from './query.ts'
import { known } from './rule-detail.ts'

const panel = z
  .strictObject({
    title: storable(200).min(1),
    kind: panelSchema.shape.kind,
    search: storable(1000).min(1).optional().describe('The name of a saved or scheduled query.'),
    sql: querySchema.shape.sql.optional().describe('`{since:String}` and `{until:String}` are the time that is shown.'),
    columns: z.array(storable(200).min(1)).max(MAX_PANEL_COLUMNS).default([]),
    size: panelSchema.shape.size.default('medium'),
  })
  .refine((one) => (one.sql === undefined) !== (one.search === undefined), 'needs either `sql` or `search`')

const draftShape = {
  description: storable(2000).default(''),
  tags: z.array(storable(100).min(1)).max(50).default([]),
  hours: z.int().min(1).max(8904).default(24).describe('The time that it covers at first.'),
  refresh_seconds: z
    .int()
    .min(0)
    .max(86_400)
    .refine((n) => n === 0 || n >= 10, 'at least 10, or 0')
    .default(0),
  panels: z.array(panel).min(1).max(MAX_PANELS),
  ...messageShape,
}
const createSchema = z.strictObject({ name: newName('dashboards'), ...draftShape })
const saveSchema = z.strictObject({ revision: revisionSchema, ...draftShape })

const body = <T extends z.ZodType>(schema: T) => ({ required: true, content: { 'application/json': { schema } } }) as const

const create = createRoute({
  method: 'post',
  path: '/api/v1/dashboards',
  summary: 'Saves a new dashboard as a file of the content folder. The queries of its panels are checked first.',
  request: { body: body(createSchema) },
  responses: { ...namedResponses, ...failures(400, 409, 503) },
})

const save = createRoute({
  method: 'put',
  path: '/api/v1/dashboards/{name}',
  summary: 'Replaces a dashboard. Those of shipped packs and of repositories cannot be changed.',
  request: { params: dashboardParam, body: body(saveSchema) },
  responses: { ...namedResponses, ...failures(400, 404, 409, 503) },
})

const remove = createRoute({
  method: 'delete',
  path: '/api/v1/dashboards/{name}',
  summary: 'Deletes the file of a dashboard.',
  request: { params: dashboardParam, query: z.strictObject({ revision: revisionSchema.optional() }) },
  responses: { ...namedResponses, ...failures(400, 404, 409, 503) },
})

/** Changes of dashboards: the same files that people edit, checked and put in force. */
export function dashboardEditRoutes(engine: Engine) {
  return createRouter()
    .openapi(create, async (c) => {
      const { name, message, ...given } = c.req.valid('json')
      const author = authorOf(message, `Add the dashboard ${name}`)
      return namedAnswer(
        c as Context,
        name,
        await engine.authoring.dashboards.save({ name, draft: draftOf(given), revision: undefined, ...author }),
      )
    })
    .openapi(save, async (c) => {
      const { name } = dashboardNamed(engine, c.req.valid('param').name)
      const { revision, message, ...given } = c.req.valid('json')
      const author = authorOf(message, `Change the dashboard ${name}`)
      return namedAnswer(
        c as Context,
        name,
        await known(() => engine.authoring.dashboards.save({ name, draft: draftOf(given), revision, ...author })),
      )
    })
    .openapi(remove, async (c) => {
      const { name } = dashboardNamed(engine, c.req.valid('param').name)
      const author = authorOf(undefined, `Delete the dashboard ${name}`)
      return namedAnswer(
        c as Context,
        name,
        await known(() => engine.authoring.dashboards.remove(name, c.req.valid('query').revision, author)),
      )
    })
}

type Given = Omit<z.output<typeof createSchema>, 'name' | 'message'>

function draftOf({ refresh_seconds: refreshSeconds, panels, ...given }: Given): DashboardDraft {
  return {
    ...given,
    refreshSeconds,
    panels: panels.map(({ title, kind, search, sql, columns, size }) => ({
      title,
      kind,
      query: search === undefined ? { sql: sql!.replaceAll('\r\n', '\n').trim() } : { search },
      columns,
      size,
    })),
  }
}

import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import type { Engine } from '../../engine/engine.ts'
import type { PackView } from '../../packs/pack-members.ts'
import { callerName } from '../access/caller.ts'
import { failures } from '../errors.ts'
import { pageOf, pageQuery, pageSchema } from '../paging.ts'
import { createRouter } from '../router.ts'
import { changeSchema, changeView } from './content.ts'
import { known } from './rule-detail.ts'

export const packSchema = z.object({
  id: z.string(),
  name: z.string().nullable(),
  description: z.string(),
  on: z.boolean(),
  by: z
    .enum(['default', 'configuration'])
    .describe(
      '`configuration`: it is listed under `enabled_packs` or `disabled_packs`. `default`: it is as the pack itself says.',
    ),
  optional: z.boolean().describe('Off until it is enabled.'),
  detections: z.array(z.object({ id: z.string(), enabled: z.boolean().describe('By its own file, or an override.') })),
  running: z.int().describe('Enabled detections that run: if the pack is off, those that another pack has too.'),
  changes: z.array(z.string()).describe('Detections that start or stop if the pack is switched.'),
  schemas: z.array(z.string()).describe('Its log types, which exist whether it is on or off.'),
  tables: z.array(z.string()).describe('Its tables, which are only used while it is on.'),
  missing: z.array(z.string()).describe('Ids that it names and no usable item has.'),
})

const switchedSchema = z.object({
  pack: packSchema,
  change: changeSchema.nullable().describe('null: it was so already.'),
})

const list = createRoute({
  method: 'get',
  path: '/api/v1/packs',
  summary: 'The packs of the content: what they hold, and whether they are on.',
  request: { query: z.strictObject(pageQuery(500)) },
  responses: {
    200: { description: 'A page of packs.', content: { 'application/json': { schema: pageSchema(packSchema) } } },
    ...failures(400),
  },
})

const change = createRoute({
  method: 'patch',
  path: '/api/v1/packs/{id}',
  summary: 'Switches a pack on or off, in the configuration file and in force.',
  request: {
    params: z.object({ id: z.string().max(300) }),
    body: { required: true, content: { 'application/json': { schema: z.strictObject({ on: z.boolean() }) } } },
  },
  responses: {
    200: { description: 'It is in force.', content: { 'application/json': { schema: switchedSchema } } },
    ...failures(400, 404, 503),
  },
})

export function packRoutes(engine: Engine) {
  const packs = () => engine.settings.packs
  return createRouter()
    .openapi(list, (c) => {
      const { results, next } = pageOf(packs().list(), c.req.valid('query'), ({ id }) => id)
      return c.json({ results: results.map(packView), next }, 200)
    })
    .openapi(change, async (c) => {
      const { id } = c.req.valid('param')
      const made = await known(() => packs().switch(id, c.req.valid('json').on, callerName()))
      const pack = packs()
        .list()
        .find((one) => one.id === id)!
      return c.json({ pack: packView(pack), change: made ? changeView(made) : null }, 200)
    })
}

function packView(pack: PackView): z.output<typeof packSchema> {
  const { id, displayName, description, isOn, isOptional, running } = pack
  return {
    id,
    name: displayName ?? null,
    description: description ?? '',
    on: isOn,
    by: isOn === isOptional ? 'configuration' : 'default',
    optional: isOptional,
    detections: pack.detections.map((one) => ({ ...one })),
    running,
    changes: [...pack.changes],
    schemas: [...pack.schemas],
    tables: [...pack.tables],
    missing: [...pack.missing],
  }
}

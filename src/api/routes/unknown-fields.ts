import { createRoute } from '@hono/zod-openapi'
import { stringify } from 'yaml'
import { z } from 'zod'
import type { Engine } from '../../engine/engine.ts'
import { unifiedDiff } from '../../util/diff.ts'
import { failures } from '../errors.ts'
import { createRouter } from '../router.ts'
import { storable } from '../storable.ts'
import { known } from './rule-detail.ts'

const name = z.object({ name: z.string().min(1).max(200).describe('The log type.') })

export const proposalSchema = z.object({
  events: z.int().describe('The newest events with such fields, which the proposal is made of; at most 1,000.'),
  stored_from: z.string().nullable().describe('When the first of them was stored; null: none has such fields.'),
  stored_to: z.string().nullable(),
  fields: z.array(
    z.object({
      name: z.string(),
      type: z.string().describe('The type that fits every value seen.'),
      indicators: z.array(z.string()).describe('What its values indicate.'),
      yaml: z.string().describe('The lines of the schema file that describe it.'),
    }),
  ),
  notes: z.array(z.string()).describe('What could not be decided.'),
})

export const previewSchema = z.object({
  yaml: z.string().describe('The file with these fields. `PUT /api/v1/schemas/{name}` saves it and puts it in force.'),
  diff: z.string().describe('Unified diff from the file as it is.'),
  revision: z.string().describe('Of the file as it is: to save the change, name it.'),
})

const propose = createRoute({
  method: 'get',
  path: '/api/v1/schemas/{name}/unknown-fields',
  summary: 'Fields that stored events have and the schema does not, with types that fit their values.',
  request: { params: name },
  responses: {
    200: { description: 'The proposal.', content: { 'application/json': { schema: proposalSchema } } },
    ...failures(400, 404, 503),
  },
})

const preview = createRoute({
  method: 'post',
  path: '/api/v1/schemas/{name}/unknown-fields',
  summary: 'The file of a schema with some of the proposed fields added. Saves nothing.',
  request: {
    params: name,
    body: {
      required: true,
      content: {
        'application/json': {
          schema: z.strictObject({
            fields: z
              .array(storable(255).min(1))
              .min(1)
              .max(1000)
              .describe('Names of proposed fields, in their order in the file.'),
          }),
        },
      },
    },
  },
  responses: {
    200: { description: 'The file.', content: { 'application/json': { schema: previewSchema } } },
    ...failures(400, 404, 503),
  },
})

/** What a schema could learn from the events that it reads. */
export function unknownFieldRoutes(engine: Engine) {
  return createRouter()
    .openapi(propose, async (c) => {
      const { events, stored, fields, notes } = await known(() =>
        engine.authoring.unknownFields.propose(c.req.valid('param').name),
      )
      const views = fields.map((field) => ({
        name: field.name,
        type: field.type,
        indicators: [...(field.indicators ?? [])],
        yaml: stringify([field], { lineWidth: 0 }),
      }))
      const [from, to] = stored ?? [null, null]
      return c.json({ events, stored_from: from, stored_to: to, fields: views, notes: [...notes] }, 200)
    })
    .openapi(preview, async (c) => {
      const { fields } = c.req.valid('json')
      const { before, yaml } = await known(() => engine.authoring.unknownFields.preview(c.req.valid('param').name, fields))
      return c.json({ yaml, diff: unifiedDiff(before.yaml, yaml), revision: before.revision }, 200)
    })
}

import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import type { Engine } from '../../engine/engine.ts'
import { failures } from '../errors.ts'
import { createRouter } from '../router.ts'
import { storable } from '../storable.ts'
import { trialSchema, trialView } from '../trial-view.ts'
import { known, ruleOf, ruleParam } from './rule-detail.ts'

/** As in files: longer ones are refused there too. */
const MAX_YAML_CHARS = 2 * 1024 * 1024
const MAX_CODE_CHARS = 1024 * 1024
const MAX_EVENTS = 100
const MAX_EVENT_CHARS = 256 * 1024

/** The texts of a rule's files. */
export const draftShape = {
  yaml: storable(MAX_YAML_CHARS).min(1).describe('The YAML file.'),
  code: storable(MAX_CODE_CHARS).optional().describe('The file that `Filename` in the YAML names, if it names one.'),
}

const trySchema = z.strictObject({
  ...draftShape,
  events: z
    .array(z.union([z.string().min(2).max(MAX_EVENT_CHARS), z.record(z.string(), z.unknown())]))
    .min(1)
    .max(MAX_EVENTS)
    .optional()
    .describe('Events to run on in place of the unit tests, as objects or as JSON text. Tables are not joined.'),
})

const responses = {
  200: { description: 'The results.', content: { 'application/json': { schema: trialSchema } } },
}

const tests = createRoute({
  method: 'post',
  path: '/api/v1/rules/{id}/test',
  summary: 'Runs the unit tests of a rule as its files are now.',
  request: { params: ruleParam },
  responses: { ...responses, ...failures(404, 503) },
})

const tryOut = createRoute({
  method: 'post',
  path: '/api/v1/rules/test',
  summary: 'Runs the unit tests of a rule that is not saved, or runs it on events. Writes nothing.',
  request: { body: { required: true, content: { 'application/json': { schema: trySchema } } } },
  responses: { ...responses, ...failures(400, 503) },
})

/** `POST /api/v1/rules/test`, `POST /api/v1/rules/{id}/test`. */
export function ruleTestRoutes(engine: Engine) {
  return createRouter()
    .openapi(tryOut, async (c) => {
      const { yaml, code, events } = c.req.valid('json')
      const texts = events?.map((event) => (typeof event === 'string' ? event : JSON.stringify(event)))
      return c.json(trialView(await engine.authoring.rules.try({ yaml, code, events: texts })), 200)
    })
    .openapi(tests, async (c) => {
      const { id } = ruleOf(engine, c.req.valid('param').id)
      return c.json(trialView(await known(() => engine.authoring.rules.test(id))), 200)
    })
}

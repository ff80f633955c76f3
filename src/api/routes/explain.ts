import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import type { Engine, ExplainCall } from '../../engine/engine.ts'
import { stringifyJson } from '../../util/json.ts'
import { ApiError, failures } from '../errors.ts'
import { exactAnswer } from '../exact-json.ts'
import { explanationJson, explanationSchema } from '../explanation-view.ts'
import { createRouter } from '../router.ts'
import { storable } from '../storable.ts'

const bodySchema = z.strictObject({
  rule: storable(500).min(1).describe('Id of the rule.'),
  row_id: z
    .string()
    .regex(/^[0-9a-f]{16,64}$/)
    .optional()
    .describe('`p_row_id` of a stored event.'),
  event: z
    .union([z.string().min(1), z.record(z.string(), z.unknown())])
    .optional()
    .describe('A record as text or JSON, or an event: an object with `p_log_type`.'),
  log_type: z.string().max(128).optional().describe('Of the record. Default: detected.'),
  as_of: z.iso.datetime({ offset: true }).optional().describe('Use the tables in force then. Default: now.'),
})

const explain = createRoute({
  method: 'post',
  path: '/api/v1/explain',
  summary: 'Why a rule matches an event, or why it does not.',
  request: { body: { required: true, content: { 'application/json': { schema: bodySchema } } } },
  responses: {
    200: { description: 'The explanation.', content: { 'application/json': { schema: explanationSchema } } },
    ...failures(400, 503),
  },
})

export function explainRoutes(engine: Engine) {
  return createRouter().openapi(explain, async (c) => {
    const { rule, as_of, ...given } = c.req.valid('json')
    const asOfMs = as_of === undefined ? undefined : Date.parse(as_of)
    const explanation = await engine.explain({ ruleId: rule, event: eventOf(given), asOfMs })
    return exactAnswer<z.output<typeof explanationSchema>, 200>(explanationJson(explanation), 200)
  })
}

function eventOf({ row_id, event, log_type }: Omit<z.output<typeof bodySchema>, 'rule' | 'as_of'>): ExplainCall['event'] {
  if ((row_id === undefined) === (event === undefined))
    throw new ApiError(400, 'bad_request', 'the body needs either row_id or event')
  if (row_id === undefined) return { text: typeof event === 'string' ? event : stringifyJson(event as never), logType: log_type }
  if (log_type !== undefined) throw new ApiError(400, 'bad_request', 'log_type: a stored event has its log type; leave it out')
  return { rowId: row_id }
}

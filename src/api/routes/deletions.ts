import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import type { Engine } from '../../engine/engine.ts'
import { MAX_REASON_CHARS } from '../../model/alert-work.ts'
import { DELETION_TYPES, type Deletion, MAX_DELETED_CHARS, MIN_DELETED_CHARS } from '../../model/deletion.ts'
import { Refused } from '../../util/errors.ts'
import { callerName } from '../access/caller.ts'
import { ApiError, failures } from '../errors.ts'
import { createRouter } from '../router.ts'
import { storable } from '../storable.ts'

/** A deletion, without the value. */
export const deletionSchema = z.object({
  id: z.string(),
  sha256: z.string().describe('SHA-256 of `<salt>:<value>`, in hex: whoever knows the value can show that it was this one.'),
  salt: z.string(),
  type: z.enum(DELETION_TYPES).nullable(),
  reason: z.string(),
  by: z.string(),
  dry_run: z.boolean(),
  state: z.enum(['running', 'done', 'failed']),
  message: z.string().nullable().describe('Why it failed. It is continued at the next start.'),
  started_time: z.string().describe('RFC 3339, UTC.'),
  finished_time: z.string().nullable(),
  rows: z.record(z.string(), z.int()).describe('Place → rows that were changed or deleted, or would be.'),
  held_alerts: z.array(z.string()).describe('Alerts on hold that contain the value, and keep it.'),
  remaining: z.array(z.string()).describe('Where the value still is, and what to do about it; once it is done.'),
  archive: z
    .string()
    .nullable()
    .describe('Where rows are archived before retention deletes them: what is there is not covered. null: nowhere.'),
  backups: z.array(z.string()).describe('Folders of known backups: they are not covered.'),
})

const content = { 'application/json': { schema: deletionSchema } }

const add = createRoute({
  method: 'post',
  path: '/api/v1/deletions',
  summary:
    "Deletes a value, such as a person's address or user name, from everything that is stored. It continues after the answer.",
  request: {
    body: {
      required: true,
      content: {
        'application/json': {
          schema: z.strictObject({
            indicator: z
              .string()
              .min(MIN_DELETED_CHARS)
              .max(MAX_DELETED_CHARS)
              .describe('The value, wherever it is a word of its own, in any case.'),
            type: z.enum(DELETION_TYPES).optional().describe('What it is; a value of another form is refused.'),
            reason: storable(MAX_REASON_CHARS)
              .regex(/\S/, 'a deletion needs a reason')
              .describe('It must not contain the value.'),
            dry_run: z.boolean().default(false).describe('Only count.'),
          }),
        },
      },
    },
  },
  responses: { 202: { description: 'It has begun.', content }, ...failures(400, 409) },
})

const show = createRoute({
  method: 'get',
  path: '/api/v1/deletions/{id}',
  summary: 'A deletion: what it has found, and what is left.',
  request: { params: z.object({ id: z.string().max(64) }) },
  responses: { 200: { description: 'The deletion.', content }, ...failures(404) },
})

export function deletionRoutes(engine: Engine) {
  return createRouter()
    .openapi(add, async (c) => {
      const { indicator: value, type, reason, dry_run: isDry } = c.req.valid('json')
      const deletion = await engine.deleteValue({ value, type, reason, by: callerName(), isDry }).catch((error: unknown) => {
        if (error instanceof Refused) throw new ApiError(409, 'conflict', error.message)
        throw error
      })
      return c.json(deletionView(deletion), 202)
    })
    .openapi(show, async (c) => {
      const { id } = c.req.valid('param')
      const deletion = await engine.deletion(id)
      if (!deletion) throw new ApiError(404, 'not_found', `there is no deletion '${id}'`)
      return c.json(deletionView(deletion), 200)
    })
}

function deletionView(deletion: Deletion): z.output<typeof deletionSchema> {
  const { id, sha256, salt, type, reason, by, isDry, state, message, startedMs, finishedMs, rows, held } = deletion
  return {
    ...{ id, sha256, salt, reason, by, state },
    type: type ?? null,
    dry_run: isDry,
    message: message ?? null,
    started_time: new Date(startedMs).toISOString(),
    finished_time: finishedMs === undefined ? null : new Date(finishedMs).toISOString(),
    rows: { ...rows },
    held_alerts: [...held],
    remaining: [...deletion.remaining],
    archive: deletion.archive ?? null,
    backups: [...deletion.backups],
  }
}

import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import type { Engine } from '../../engine/engine.ts'
import type { RetentionDeleted } from '../../model/retention.ts'
import { createRouter } from '../router.ts'

const deletedSchema = z.object({
  name: z.string().describe('Table and week, as in `logs.zeek_conn 2026-03-02`.'),
  rows: z.int(),
  archived: z.int().describe('Rows that were archived before.'),
  reason: z.enum(['age', 'size']),
  time: z.string(),
})

const retentionSchema = z.object({
  last_run_time: z.string().nullable().describe('RFC 3339, UTC; null: it has not run yet.'),
  failed: z.array(z.string()).describe('Why rows that were due are still there.'),
  deleted: z.array(deletedSchema).describe('What was deleted lately, newest first.'),
  archive: z.string().nullable().describe('Where events and matches are archived before they are deleted.'),
  bytes: z.int().describe('Size of the lake on disk.'),
  log_types: z
    .array(
      z.object({
        log_type: z.string(),
        rows: z.int().describe('Events and matches.'),
        bytes: z.int().describe('On disk.'),
        since: z.string().describe('The week from which the oldest rows are, or the month.'),
        days: z.int().nullable().describe('How many days they are kept; null: forever.'),
      }),
    )
    .describe('Largest first.'),
})

export type RetentionAnswer = z.output<typeof retentionSchema>

const show = createRoute({
  method: 'get',
  path: '/api/v1/retention',
  summary: 'How long data is kept, how large it is, and what was deleted and archived lately.',
  responses: { 200: { description: 'Retention.', content: { 'application/json': { schema: retentionSchema } } } },
})

export function retentionRoutes(engine: Engine) {
  return createRouter().openapi(show, async (c) => {
    const { lastRun, deleted, archive, bytes, logTypes } = await engine.retention()
    const answer: RetentionAnswer = {
      last_run_time: lastRun ? new Date(lastRun.atMs).toISOString() : null,
      failed: [...(lastRun?.failed ?? [])],
      deleted: deleted.map(deletedView),
      archive: archive ?? null,
      bytes,
      log_types: logTypes.map(({ logType, days, ...kept }) => ({ log_type: logType, ...kept, days: days ?? null })),
    }
    return c.json(answer, 200)
  })
}

function deletedView({ atMs, ...deleted }: RetentionDeleted) {
  return { ...deleted, time: new Date(atMs).toISOString() }
}

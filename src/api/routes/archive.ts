import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import type { Engine } from '../../engine/engine.ts'
import type { Restore } from '../../model/archive.ts'
import { CaracalError, Refused } from '../../util/errors.ts'
import { callerName } from '../access/caller.ts'
import { ApiError, failures } from '../errors.ts'
import { cursorOf, pageQuery, pageSchema, readCursor } from '../paging.ts'
import { createRouter } from '../router.ts'

const MAX_RESULTS = 1000

const day = z.iso.date().describe('A day, UTC, on which rows were received, as in 2026-03-02.')
const logType = z
  .string()
  .regex(/^[A-Za-z0-9_.]{1,128}$/, 'a log type, as in Zeek.Conn')
  .describe('A log type, as in Zeek.Conn.')

const archivedSchema = z.object({
  database: z.enum(['logs', 'matches']),
  log_type: z.string(),
  day: z.string(),
  rows: z.int(),
  bytes: z.int().describe('Size of its Parquet files.'),
  files: z.int(),
  columns: z.int(),
  schema_versions: z.array(z.int()),
  first_event_time: z.string(),
  last_event_time: z.string(),
  archived_time: z.string(),
  place: z.string().describe('The folder of its files, or their common prefix in the bucket.'),
})

const restoreSchema = z.object({
  id: z.string(),
  log_type: z.string(),
  from: z.string(),
  to: z.string(),
  by: z.string(),
  state: z.enum(['running', 'done', 'failed']),
  message: z.string().nullable().describe('Why it failed. The same restore again loads the rest.'),
  started_time: z.string().describe('RFC 3339, UTC.'),
  finished_time: z.string().nullable(),
  kept_until_time: z.string().describe('Until then, retention leaves the rows alone.'),
  days: z.int().describe('Archived days of events and of matches to load.'),
  days_done: z.int(),
  rows: z.int().describe('Archived rows that were read: `restored` plus `present`.'),
  restored: z.int(),
  present: z.int().describe('Rows that the lake had already.'),
})

export type ArchivedAnswer = z.output<typeof archivedSchema>
export type RestoreAnswer = z.output<typeof restoreSchema>

const list = createRoute({
  method: 'get',
  path: '/api/v1/archive',
  summary: 'What retention has archived: events before matches, then by table and day.',
  request: {
    query: z.strictObject({
      log_type: logType.optional(),
      from: day.optional(),
      to: day.optional(),
      ...pageQuery(MAX_RESULTS, 100),
    }),
  },
  responses: {
    200: { description: 'Archived days.', content: { 'application/json': { schema: pageSchema(archivedSchema) } } },
    ...failures(400, 409, 503),
  },
})

const add = createRoute({
  method: 'post',
  path: '/api/v1/archive/restores',
  summary: 'Loads archived rows back into the lake, without judging them again. It continues after the answer.',
  request: {
    body: {
      required: true,
      content: {
        'application/json': {
          schema: z.strictObject({
            log_type: logType,
            from: day,
            to: day.describe('Last day, inclusive.'),
            keep_days: z.int().min(1).max(3650).default(7).describe('How many days retention leaves the rows alone.'),
          }),
        },
      },
    },
  },
  responses: {
    202: { description: 'It has begun.', content: { 'application/json': { schema: restoreSchema } } },
    ...failures(400, 409, 503),
  },
})

const restores = createRoute({
  method: 'get',
  path: '/api/v1/archive/restores',
  summary: 'What was restored from the archive, newest first.',
  responses: {
    200: { description: 'Restores.', content: { 'application/json': { schema: z.object({ results: z.array(restoreSchema) }) } } },
  },
})

const show = createRoute({
  method: 'get',
  path: '/api/v1/archive/restores/{id}',
  summary: 'A restore: how far it is, or what it has loaded.',
  request: { params: z.object({ id: z.string().max(64) }) },
  responses: {
    200: { description: 'The restore.', content: { 'application/json': { schema: restoreSchema } } },
    ...failures(404),
  },
})

export function archiveRoutes(engine: Engine) {
  return createRouter()
    .openapi(list, async (c) => {
      const { log_type, from, to, limit, cursor } = c.req.valid('query')
      const after = cursor === undefined ? undefined : readCursor(cursor, z.tuple([z.string()]))[0]
      const filter = { table: log_type && tableOf(log_type), from, to, after, limit }
      const { place, days, last } = await engine.archived(filter).catch(refused)
      const results = days.map(({ folder, manifest }) => ({
        ...{ database: manifest.database, log_type: manifest.log_type, day: manifest.day, rows: manifest.rows },
        bytes: manifest.files.reduce((sum, { bytes }) => sum + bytes, 0),
        ...{ files: manifest.files.length, columns: manifest.columns.length, schema_versions: manifest.schema_versions },
        ...{ first_event_time: manifest.first_event_time, last_event_time: manifest.last_event_time },
        archived_time: manifest.archived_time,
        place: `${place.replace(/\/$/, '')}/${folder}`,
      }))
      return c.json({ results, next: last === undefined ? null : cursorOf([last]) }, 200)
    })
    .openapi(add, async (c) => {
      const { log_type, from, to, keep_days } = c.req.valid('json')
      const ask = { logType: log_type, from, to, keepDays: keep_days, by: callerName() }
      return c.json(restoreView(await engine.restoreArchived(ask).catch(refused)), 202)
    })
    .openapi(restores, (c) => c.json({ results: engine.restores().map(restoreView) }, 200))
    .openapi(show, (c) => {
      const { id } = c.req.valid('param')
      const found = engine.restores().find((one) => one.id === id)
      if (!found) throw new ApiError(404, 'not_found', `there is no restore '${id}'`)
      return c.json(restoreView(found), 200)
    })
}

function tableOf(logType: string): string {
  return logType.replaceAll('.', '_').toLowerCase()
}

/** What is wrong with the archive is for the caller to read: it has no secrets. */
function refused(error: unknown): never {
  if (error instanceof Refused) throw new ApiError(409, 'conflict', error.message)
  if (error instanceof CaracalError) throw new ApiError(503, error.code, error.message)
  throw error
}

function restoreView(restore: Restore): RestoreAnswer {
  const { id, logType, from, to, by, state, message, startedMs, finishedMs, keptUntilMs, days, daysDone } = restore
  return {
    ...{ id, log_type: logType, from, to, by, state },
    message: message ?? null,
    started_time: new Date(startedMs).toISOString(),
    finished_time: finishedMs === undefined ? null : new Date(finishedMs).toISOString(),
    kept_until_time: new Date(keptUntilMs).toISOString(),
    ...{ days, days_done: daysDone, rows: restore.rows, restored: restore.restored, present: restore.present },
  }
}

import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import type { Engine, SourceView } from '../../engine/engine.ts'
import { RATE_MINUTES } from '../../model/activity.ts'
import { AUDIT_SOURCE } from '../../model/audit.ts'
import { ApiError, failures } from '../errors.ts'
import { etagOf, etagSchema } from '../if-match.ts'
import { pageOf, pageQuery, pageSchema } from '../paging.ts'
import { createRouter } from '../router.ts'

const time = z.string().describe('RFC 3339, UTC.')

/** The bundled sample's source; its data may be deleted while the source still exists. */
const DEMO = 'demo'

export const sourceSchema = z.object({
  id: z.string(),
  type: z.string(),
  label: z.string(),
  log_types: z.array(z.string()),
  records: z.object({
    received: z.number(),
    stored: z.number(),
    filtered: z.number(),
    dead_lettered: z.number(),
    in_flight: z.number(),
  }),
  dead_letter_reasons: z.record(z.string(), z.number()),
  filters: z.record(z.string(), z.number()).describe('Records that a filter dropped, by its name.'),
  guessed: z.record(z.string(), z.number()).describe('Stored records whose log type was guessed, by log type.'),
  backlog_bytes: z.number().describe('Bytes that are known but not yet read.'),
  notices: z.array(z.string()),
  first_received_time: time.nullable(),
  last_received_time: time.nullable().describe('When the last record arrived.'),
  last_event_time: time.nullable().describe('The latest time of events in the last batch that had any.'),
  lag_seconds: z.number().nullable().describe('From `last_event_time` to the receipt of that batch.'),
  records_per_minute: z.number().describe(`The mean of the last ${RATE_MINUTES} full minutes.`),
  bytes_per_minute: z.number().describe('The same of bytes, once decompressed.'),
  problems: z.array(z.string()).describe('System problems about this source.'),
  dead_letter_samples: z
    .array(z.object({ reason: z.string(), message: z.string(), position: z.string(), bytes: z.number(), excerpt: z.string() }))
    .describe('The last dead letters since the last start.'),
  unknown_fields: z
    .array(z.object({ log_type: z.string(), field: z.string(), count: z.number() }))
    .describe('Fields that are not in the schema; stored in the column `extra`.'),
  etag: etagSchema.nullable().describe('The same for its block in the configuration file; null: it is not in it.'),
})

const list = createRoute({
  method: 'get',
  path: '/api/v1/sources',
  summary: 'Sources and what became of their records.',
  request: { query: z.strictObject(pageQuery(1000)) },
  responses: {
    200: { description: 'A page of sources.', content: { 'application/json': { schema: pageSchema(sourceSchema) } } },
    ...failures(400),
  },
})

const show = createRoute({
  method: 'get',
  path: '/api/v1/sources/{id}',
  summary: 'One source: whether its first event has arrived, and what fails, with samples.',
  request: { params: z.object({ id: z.string().max(200) }) },
  responses: { 200: { description: 'The source.', content: { 'application/json': { schema: sourceSchema } } }, ...failures(404) },
})

const remove = createRoute({
  method: 'delete',
  path: '/api/v1/sources/{id}/data',
  summary:
    "Deletes a source's events, its alerts and its counts. Only for the demo and for sources that are no longer configured.",
  request: { params: z.object({ id: z.string().max(200) }) },
  responses: {
    200: { description: 'It was deleted.', content: { 'application/json': { schema: z.object({ removed: z.string() }) } } },
    ...failures(404, 409),
  },
})

export function sourceRoutes(engine: Engine) {
  return createRouter()
    .openapi(list, async (c) => {
      const { results, next } = pageOf(await engine.sources(), c.req.valid('query'), ({ id }) => id)
      return c.json({ results: results.map((source) => sourceView(engine, source)), next }, 200)
    })
    .openapi(show, async (c) => {
      const source = await sourceOf(engine, c.req.valid('param').id)
      if (source.etag !== null) c.header('etag', source.etag)
      return c.json(source, 200)
    })
    .openapi(remove, async (c) => {
      const { id } = c.req.valid('param')
      const known = (await engine.sources()).map((source) => source.id)
      if (!known.includes(id)) throw new ApiError(404, 'not_found', `there is no source '${id}'. Known: ${known.join(', ')}`)
      if (id === AUDIT_SOURCE) {
        const message = 'the audit is deleted by its retention only, so that nobody can cover up what they did'
        throw new ApiError(409, 'in_use', message)
      }
      if (id === 'default' || engine.config.sources.some((source) => source.id === id)) {
        throw new ApiError(409, 'in_use', `source '${id}' is in use: remove it before deleting its data`)
      }
      if (id === DEMO) await engine.settled(id)
      await engine.removeSource(id)
      return c.json({ removed: id }, 200)
    })
}

/** A source as the API shows it. Throws `ApiError` for an unknown id. */
export async function sourceOf(engine: Engine, id: string): Promise<z.output<typeof sourceSchema>> {
  const all = await engine.sources()
  const source = all.find((one) => one.id === id)
  const message = `there is no source '${id}'. Known: ${all.map((one) => one.id).join(', ')}`
  if (!source) throw new ApiError(404, 'not_found', message)
  return sourceView(engine, source)
}

function sourceView({ config }: Engine, source: SourceView): z.output<typeof sourceSchema> {
  const { id, type, label, received, stored, filtered, deadLettered, inFlight } = source
  return {
    id,
    type,
    label,
    log_types: [...source.logTypes],
    records: { received, stored, filtered, dead_lettered: deadLettered, in_flight: inFlight },
    dead_letter_reasons: { ...source.deadLetterReasons },
    filters: { ...source.filters },
    guessed: { ...source.guessed },
    backlog_bytes: source.backlogBytes,
    notices: [...source.notices],
    ...activityView(source),
    problems: [...source.problems],
    dead_letter_samples: source.deadLetterSamples.map((sample) => ({ ...sample })),
    unknown_fields: source.unknownFields.map(({ logType, field, count }) => ({ log_type: logType, field, count })),
    etag: sourceEtag(config, id) ?? null,
  }
}

/** ETag of the source's block in the configuration file; `undefined` if it has none. */
export function sourceEtag({ sources }: Pick<Engine['config'], 'sources'>, id: string): string | undefined {
  const block = sources.find((source) => source.id === id)
  return block && etagOf(block)
}

function activityView({ activity }: SourceView) {
  const timeOf = (ms: number | undefined) => (ms === undefined ? null : new Date(ms).toISOString())
  return {
    first_received_time: timeOf(activity?.firstReceivedMs),
    last_received_time: timeOf(activity?.lastReceivedMs),
    last_event_time: timeOf(activity?.lastEventMs),
    lag_seconds: activity?.lagMs === undefined ? null : activity.lagMs / 1000,
    records_per_minute: activity?.recordsPerMinute ?? 0,
    bytes_per_minute: activity?.bytesPerMinute ?? 0,
  }
}

import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import type { Engine } from '../../engine/engine.ts'
import type { KeyChange } from '../../stages/enrich/versions/diff.ts'
import type { VersionPeriod } from '../../stages/enrich/versions/history.ts'
import { ConfigError } from '../../util/errors.ts'
import { stringifyJson } from '../../util/json.ts'
import { ApiError, failures } from '../errors.ts'
import { exactAnswer } from '../exact-json.ts'
import { createRouter } from '../router.ts'
import { tableSchema, tableView } from './tables.ts'

const MAX_KEYS = 10_000

const name = z.object({ name: z.string().max(200) })
const which = z.string().min(1).max(100).describe('A version, a time, or `now`.')
const row = z.record(z.string(), z.unknown()).nullable()
const time = z.string().describe('RFC 3339, UTC.')
const counts = z.object({ added: z.int(), removed: z.int(), changed: z.int(), worsened: z.int() })

const versionSchema = z.object({
  version: z.string(),
  since: time.describe('When it came into force.'),
  until: time.nullable(),
  is_stored: z.boolean().describe('False if its content is no longer kept.'),
  origin: z.enum(['fetched', 'shipped']),
  by: z.string().nullable().describe('Who has written it through the API; null: it was written otherwise.'),
  rows: z.int().nullable(),
  bytes: z.int().nullable().describe('Size of the content.'),
  stored_bytes: z.int().nullable().describe('Size of its compressed file.'),
  changes: counts.nullable().describe('Keys that differ from the version before.'),
  passed_over: z.array(z.string()).describe('Checks that it did not pass.'),
})

export const tableDetailSchema = tableSchema.extend({
  description: z.string(),
  primary_key: z.array(z.string()).describe('The columns of the key.'),
  period_minutes: z.int(),
  alarm_minutes: z.int(),
  editing: z
    .object({
      read_only: z.string().nullable().describe('Why its rows cannot be changed here; null: they can.'),
      copied: z
        .boolean()
        .describe('A change writes a copy of the table into the content folder: its own files are part of the release.'),
      columns: z.array(z.string()).describe('Columns of a row.'),
    })
    .describe('Whether and how its rows can be changed.'),
  versions: z.array(versionSchema).describe('Newest first.'),
  refreshes: z
    .array(
      z.object({
        outcome: z.enum(['swapped', 'unchanged', 'refused', 'failed']),
        time,
        last_time: time.describe('The last of equal outcomes in a row.'),
        times: z.int(),
        version: z.string().nullable(),
        rows: z.int().nullable(),
        changes: counts.nullable(),
        message: z.string().nullable(),
        passed_over: z.array(z.string()),
      }),
    )
    .describe('Outcomes of the last refreshes, newest first.'),
})

export const rowSchema = z.object({
  version: z.string(),
  since: time.describe('When that version came into force.'),
  row: row.describe('null: the table has no such key.'),
})

const keyChange = z.object({ key: z.string(), before: row, after: row })

export const diffSchema = z.object({
  before: versionSchema,
  after: versionSchema,
  counts,
  added: z.array(keyChange),
  removed: z.array(keyChange),
  changed: z.array(keyChange),
  worsened: z.array(keyChange).describe('Those of `changed` whose verdict became worse.'),
})

const show = createRoute({
  method: 'get',
  path: '/api/v1/tables/{name}',
  summary: 'One table with its versions and the outcomes of its last refreshes.',
  request: { params: name },
  responses: {
    200: { description: 'The table.', content: { 'application/json': { schema: tableDetailSchema } } },
    ...failures(404),
  },
})

const lookup = createRoute({
  method: 'get',
  path: '/api/v1/tables/{name}/row',
  summary: 'The row that a table has for a key, or had in an earlier version.',
  request: {
    params: name,
    query: z.strictObject({
      key: z
        .union([z.string().max(10_000), z.array(z.string().max(10_000)).max(8)])
        .describe('Repeated for each part of a composite key.'),
      as_of: which.optional(),
    }),
  },
  responses: { 200: { description: 'The row.', content: { 'application/json': { schema: rowSchema } } }, ...failures(400, 404) },
})

const diff = createRoute({
  method: 'get',
  path: '/api/v1/tables/{name}/diff',
  summary: 'How two versions of a table differ.',
  request: {
    params: name,
    query: z.strictObject({
      before: which,
      after: which.default('now'),
      limit: z.coerce.number().int().min(0).max(MAX_KEYS).default(100).describe('Maximum number of keys of each kind.'),
    }),
  },
  responses: {
    200: { description: 'The difference.', content: { 'application/json': { schema: diffSchema } } },
    ...failures(400, 404),
  },
})

export function tablePastRoutes(engine: Engine) {
  return createRouter()
    .openapi(show, async (c) => {
      const { name } = c.req.valid('param')
      const { definition, versions, outcomes } = await known(() => engine.tableHistory(name))
      const { readOnly, isCopied, columns } = await known(() => engine.authoring.tables.editing(name))
      const status = (await engine.tables()).find((table) => table.name === name)
      if (!status) throw new ApiError(404, 'not_found', `there is no table '${name}'`)
      const detail: z.output<typeof tableDetailSchema> = {
        ...tableView(status),
        description: definition.description,
        primary_key: [...definition.key.columns],
        period_minutes: definition.periodMinutes,
        alarm_minutes: definition.alarmMinutes,
        editing: { read_only: readOnly ?? null, copied: isCopied, columns: [...columns] },
        versions: versions.map(versionView).reverse(),
        refreshes: outcomes
          .map((one) => ({
            outcome: one.outcome,
            time: iso(one.atMs),
            last_time: iso(one.lastMs),
            times: one.times,
            version: one.version ?? null,
            rows: one.rows ?? null,
            changes: one.changes ?? null,
            message: one.message ?? null,
            passed_over: [...(one.passedOver ?? [])],
          }))
          .reverse(),
      }
      return c.json(detail, 200)
    })
    .openapi(lookup, async (c) => {
      const { key, as_of: asOf } = c.req.valid('query')
      const { version, sinceMs, row } = await known(() => engine.tableRow(c.req.valid('param').name, [key].flat(), asOf))
      return exactAnswer<z.output<typeof rowSchema>, 200>(stringifyJson({ version, since: iso(sinceMs), row }), 200)
    })
    .openapi(diff, async (c) => {
      const { before, after, limit } = c.req.valid('query')
      const found = await known(() => engine.tableDiff(c.req.valid('param').name, { before, after }, limit))
      const listed = (changes: readonly KeyChange[]) => changes.map(({ key, ...rows }) => ({ key, ...rows }))
      const { added, removed, changed, worsened } = found.keys
      const answer = {
        before: versionView(found.before),
        after: versionView(found.after),
        counts: { ...found.counts },
        added: listed(added),
        removed: listed(removed),
        changed: listed(changed),
        worsened: listed(worsened),
      }
      return exactAnswer<z.output<typeof diffSchema>, 200>(stringifyJson(answer), 200)
    })
}

async function known<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    if (error instanceof ConfigError) throw new ApiError(404, 'not_found', error.message)
    throw error
  }
}

function versionView(period: VersionPeriod): z.output<typeof versionSchema> {
  const { version, sinceMs, untilMs, isGone, origin, rows, bytes, storedBytes, changes, passedOver, by } = period
  return {
    version,
    since: iso(sinceMs),
    until: untilMs === undefined ? null : iso(untilMs),
    is_stored: !isGone,
    origin,
    by: by ?? null,
    rows: rows ?? null,
    bytes: bytes ?? null,
    stored_bytes: storedBytes ?? null,
    changes: changes ?? null,
    passed_over: [...(passedOver ?? [])],
  }
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}

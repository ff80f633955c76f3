import { createRoute } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { z } from 'zod'
import type { SearchDraft } from '../../engine/authoring/search-text.ts'
import type { Engine } from '../../engine/engine.ts'
import type { Schedule } from '../../model/schedule.ts'
import { MAIL_ADDRESS } from '../../util/mail-address.ts'
import { emailSchema } from '../content-search-view.ts'
import { authorOf, messageShape } from '../edited-view.ts'
import { ApiError, failures } from '../errors.ts'
import { namedAnswer, namedResponses, newName, revisionSchema } from '../named-change.ts'
import { createRouter } from '../router.ts'
import { searchBase } from '../search/filters.ts'
import { searchSql } from '../search/search.ts'
import { storable } from '../storable.ts'
import { querySchema } from './query.ts'
import { known } from './rule-detail.ts'
import { rangeOf } from './search.ts'
import { searchNamed, searchParam } from './searches.ts'

const YEAR_SECONDS = 366 * 86_400
const MAX_MINUTES = 366 * 1440

const scheduleSchema = z
  .strictObject({
    rate_minutes: z.int().min(2).max(MAX_MINUTES).optional().describe('Minutes between runs.'),
    cron: storable(200).min(1).optional().describe('A cron expression of five fields, in UTC.'),
    timeout_minutes: z.int().min(1).max(MAX_MINUTES).default(1).describe('Time limit of a run.'),
  })
  .refine((one) => (one.rate_minutes === undefined) !== (one.cron === undefined), 'needs either rate_minutes or cron')
  .refine(
    ({ rate_minutes: rate, timeout_minutes: limit }) => rate === undefined || rate >= limit,
    'rate_minutes must not be less than timeout_minutes, or runs would overlap',
  )

const filtersSchema = z
  .strictObject({
    ...searchBase,
    last_seconds: z
      .int()
      .min(1)
      .max(10 * YEAR_SECONDS)
      .optional()
      .describe('In place of `since` and `until`: this number of seconds before each run.'),
    limit: z.int().min(1).max(1_000_000).default(1000).describe('Maximum number of events of a run.'),
  })
  .refine(({ last_seconds, since, until }) => last_seconds === undefined || (since ?? until) === undefined, {
    message: 'has `last_seconds` and a fixed time: give one of them',
  })

const draftShape = {
  sql: querySchema.shape.sql.optional(),
  search: filtersSchema.optional().describe('Filters as of `POST /api/v1/search`; they are stored as SQL.'),
  dialect: querySchema.shape.dialect,
  description: storable(2000).default(''),
  tags: z.array(storable(100).min(1)).max(50).default([]),
  schedule: scheduleSchema.nullable().default(null).describe('Null: it only runs on demand.'),
  enabled: z.boolean().default(true).describe('Of one with a schedule.'),
  email: z
    .strictObject({
      recipients: z.array(z.string().regex(MAIL_ADDRESS, 'an e-mail address, as in soc@example.com')).min(1).max(50),
      send_empty: emailSchema.shape.send_empty.default(false),
      prefer_attachment: emailSchema.shape.prefer_attachment.default(false),
    })
    .nullable()
    .default(null)
    .describe('Who gets the rows of each run by e-mail, through the mail server of the first destination of type `email`.'),
  ...messageShape,
}

const isOneText = ({ sql, search }: { sql?: unknown; search?: unknown }) => (sql === undefined) !== (search === undefined)
const ONE_TEXT = 'needs either `sql` or `search`'
const isMailed = ({ schedule, email }: { schedule: unknown; email: unknown }) => schedule !== null || email === null
const NOT_MAILED = { path: ['email'], message: 'only a query with a schedule is mailed' }

const createSchema = z
  .strictObject({ name: newName('queries'), ...draftShape })
  .refine(isOneText, ONE_TEXT)
  .refine(isMailed, NOT_MAILED)

const saveSchema = z
  .strictObject({ revision: revisionSchema, ...draftShape })
  .refine(isOneText, ONE_TEXT)
  .refine(isMailed, NOT_MAILED)

const body = <T extends z.ZodType>(schema: T) => ({ required: true, content: { 'application/json': { schema } } }) as const

const create = createRoute({
  method: 'post',
  path: '/api/v1/searches',
  summary: 'Saves a new query as a file of the content folder. Its SQL is checked first, without reading rows.',
  request: { body: body(createSchema) },
  responses: { ...namedResponses, ...failures(400, 409, 503) },
})

const save = createRoute({
  method: 'put',
  path: '/api/v1/searches/{name}',
  summary: 'Replaces a query; what its file has besides stays. Those of shipped packs and of repositories cannot be changed.',
  request: { params: searchParam, body: body(saveSchema) },
  responses: { ...namedResponses, ...failures(400, 404, 409, 503) },
})

const remove = createRoute({
  method: 'delete',
  path: '/api/v1/searches/{name}',
  summary: 'Deletes the file of a query, unless an enabled rule judges its rows.',
  request: { params: searchParam, query: z.strictObject({ revision: revisionSchema.optional() }) },
  responses: { ...namedResponses, ...failures(400, 404, 409, 503) },
})

/** Changes of saved and scheduled queries: the same files that people edit, checked and put in force. */
export function searchEditRoutes(engine: Engine) {
  return createRouter()
    .openapi(create, async (c) => {
      const { name, message, ...given } = c.req.valid('json')
      const draft = await draftOf(engine, given, c.req.raw.signal)
      const author = authorOf(message, `Add the query ${name}`)
      return namedAnswer(
        c as Context,
        name,
        await engine.authoring.searches.save({ name, ...draft, revision: undefined, ...author }),
      )
    })
    .openapi(save, async (c) => {
      const { name } = await searchNamed(engine, c.req.valid('param').name)
      const { revision: based, message, ...given } = c.req.valid('json')
      const draft = await draftOf(engine, given, c.req.raw.signal)
      const author = authorOf(message, `Change the query ${name}`)
      return namedAnswer(
        c as Context,
        name,
        await known(() => engine.authoring.searches.save({ name, ...draft, revision: based, ...author })),
      )
    })
    .openapi(remove, async (c) => {
      const { name } = await searchNamed(engine, c.req.valid('param').name)
      const author = authorOf(undefined, `Delete the query ${name}`)
      return namedAnswer(
        c as Context,
        name,
        await known(() => engine.authoring.searches.remove(name, c.req.valid('query').revision, author)),
      )
    })
}

type Given = Omit<z.output<typeof saveSchema>, 'revision' | 'message'>

async function draftOf(engine: Engine, { sql, search, dialect = 'auto', ...given }: Given, signal: AbortSignal) {
  const { description, tags, schedule, enabled, email } = given
  const draft: SearchDraft = {
    sql: (sql ?? (await sqlOf(engine, search!, signal))).replaceAll('\r\n', '\n').trim(),
    description,
    tags,
    schedule: schedule ? scheduleOf(schedule) : undefined,
    enabled,
    email: email
      ? { recipients: email.recipients, sendEmpty: email.send_empty, preferAttachment: email.prefer_attachment }
      : undefined,
  }
  return { draft, dialect: search ? ('clickhouse' as const) : dialect }
}

async function sqlOf(engine: Engine, given: z.output<typeof filtersSchema>, signal: AbortSignal): Promise<string> {
  const { log_types: logTypes, filters, text, last_seconds: lastSeconds, limit } = given
  const sql = await searchSql(engine, { logTypes, filters, text, lastSeconds, range: rangeOf(given), signal }, limit)
  if (sql === '') throw new ApiError(400, 'bad_request', 'no log type can have such events: check the fields of the filters')
  return sql
}

function scheduleOf({ rate_minutes, cron, timeout_minutes: timeoutMinutes }: z.output<typeof scheduleSchema>): Schedule {
  return rate_minutes === undefined ? { cron: cron!, timeoutMinutes } : { rateMinutes: rate_minutes, timeoutMinutes }
}

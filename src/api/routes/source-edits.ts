import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import type { Engine } from '../../engine/engine.ts'
import { callerName } from '../access/caller.ts'
import { ApiError, failures } from '../errors.ts'
import { changesInTurn, ifUnchanged } from '../if-match.ts'
import { createRouter } from '../router.ts'
import { changeSchema, changeView } from './content.ts'
import { shipperSchema, shippersOf } from './shippers.ts'
import { sourceEtag, sourceOf, sourceSchema } from './sources.ts'
import { created, expiryOf, tokenFields } from './tokens.ts'

/** A source has few keys; filters are the longest. */
const MAX_KEYS = 50

const TOO_MANY = `a source has at most ${MAX_KEYS} keys`

function isShort(block: object): boolean {
  return Object.keys(block).length <= MAX_KEYS
}

const keys = z.record(z.string().max(100), z.unknown()).refine(isShort, TOO_MANY)

const createSchema = z.strictObject({
  source: z
    .object({ type: z.string().max(100), id: z.string().max(200) })
    .catchall(z.unknown())
    .refine(isShort, TOO_MANY)
    .describe('The source as in the configuration file (docs/configuration.md). Secrets are references: `{env: NAME}`.'),
  token: z
    .strictObject({ ...tokenFields, name: tokenFields.name.optional().describe('Default: `source`, and its id.') })
    .optional()
    .describe('Also creates a token with the role `ingest`, which its senders use. Default: none is created.'),
})

const patchSchema = z.strictObject({
  set: keys
    .refine((block) => Object.keys(block).length > 0, 'nothing to change')
    .describe('Keys of the source as in the configuration file; null removes one.'),
})

const changedSchema = z.object({
  source: sourceSchema,
  change: changeSchema,
})

const addedSchema = changedSchema.extend({
  token: z.string().nullable().describe('The secret of the token. It is not stored and not shown again.'),
  shippers: z
    .array(shipperSchema)
    .describe('The lines with which programs send their logs to it, with the token if there is one.'),
})

const body = <T extends z.ZodType>(schema: T) => ({ required: true, content: { 'application/json': { schema } } }) as const
const param = z.object({ id: z.string().max(200) })

const create = createRoute({
  method: 'post',
  path: '/api/v1/sources',
  summary: 'Adds a source to the configuration file. It receives at once, without a restart.',
  request: { body: body(createSchema) },
  responses: {
    200: { description: 'It receives.', content: { 'application/json': { schema: addedSchema } } },
    ...failures(400, 409, 503),
  },
})

const change = createRoute({
  method: 'patch',
  path: '/api/v1/sources/{id}',
  summary: 'Sets keys of a source in the configuration file and in force; null removes a key, so that its default applies.',
  request: { params: param, headers: ifUnchanged, body: body(patchSchema) },
  responses: {
    200: { description: 'It is in force.', content: { 'application/json': { schema: changedSchema } } },
    ...failures(400, 404, 412, 503),
  },
})

const remove = createRoute({
  method: 'delete',
  path: '/api/v1/sources/{id}',
  summary: 'Removes a source from the configuration file. It receives nothing more; its events stay.',
  request: { params: param, headers: ifUnchanged },
  responses: {
    200: { description: 'It is removed.', content: { 'application/json': { schema: z.object({ change: changeSchema }) } } },
    ...failures(400, 404, 412, 503),
  },
})

/** Changes to the sources of the configuration file, which are in force at once. */
export function sourceEditRoutes(engine: Engine) {
  const inTurn = changesInTurn()
  const changing = <T>(id: string, given: z.output<typeof ifUnchanged>, change: (id: string) => Promise<T>) => {
    const etag = () => sourceEtag(engine.config, configured(engine, id))!
    return inTurn({ given, what: `the source '${id}'`, etag, change: () => change(id) })
  }
  return createRouter()
    .openapi(create, async (c) => {
      const { source, token } = c.req.valid('json')
      const { id } = source
      if ((await engine.sources()).some((one) => one.id === id && one.type !== 'removed'))
        throw new ApiError(409, 'conflict', `there is a source '${id}' already: choose another id, or change that one`)
      if (token && ('token' in source || 'auth' in source))
        throw new ApiError(
          400,
          'bad_request',
          'this source has a `token` or `auth` of its own, so a further token would not be accepted',
        )
      const wish = token && { name: token.name ?? `source ${id}`, cidrs: token.cidrs, expiresMs: expiryOf(token.expires) }
      if (wish) refuseTaken(engine, wish.name)
      const made = await engine.settings.sources.add(source, callerName())
      const added =
        wish && created(await engine.tokens.add({ ...wish, role: 'ingest', logTypes: [], createdBy: callerName() }), wish.name)
      const { shippers } = shippersOf(engine, id, added?.secret)
      return c.json({ source: await sourceOf(engine, id), change: changeView(made), token: added?.secret ?? null, shippers }, 200)
    })
    .openapi(change, (c) =>
      changing(c.req.valid('param').id, c.req.valid('header'), async (id) => {
        const made = await engine.settings.sources.change(id, c.req.valid('json').set, callerName())
        return c.json({ source: await sourceOf(engine, id), change: changeView(made) }, 200)
      }),
    )
    .openapi(remove, (c) =>
      changing(c.req.valid('param').id, c.req.valid('header'), async (id) =>
        c.json({ change: changeView(await engine.settings.sources.remove(id, callerName())) }, 200),
      ),
    )
}

/** Found out before anything is written. */
function refuseTaken({ tokens }: Engine, name: string): void {
  const isInForce = tokens.list().some((token) => token.name === name && token.revokedMs === null)
  if (isInForce) created('taken', name)
}

function configured({ config }: Engine, id: string): string {
  if (config.sources.some((source) => source.id === id)) return id
  const known = config.sources.map((source) => source.id).join(', ') || 'none'
  throw new ApiError(404, 'not_found', `there is no source '${id}' in the configuration file. Known: ${known}`)
}

import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import { publicUrl, type SourceConfig } from '../../config/config.ts'
import { SHIPPERS } from '../../config/shipper-lines.ts'
import type { Engine } from '../../engine/engine.ts'
import { ApiError, failures } from '../errors.ts'
import { createRouter } from '../router.ts'

export const shipperSchema = z.object({
  name: z.string(),
  title: z.string().describe('The program.'),
  source_type: z.string().describe('Type of the source that it sends to.'),
  language: z.enum(['sh', 'yaml', 'toml', 'text']),
  file: z.string().nullable().describe('The file that the lines belong into; null: they are a command.'),
  text: z.string(),
})

const shippersSchema = z.object({
  url: z.string().nullable().describe('Where the source receives requests; null: it has a port of its own, or none.'),
  token_placeholder: z.string().describe('What stands for the token of the sender in the texts.'),
  shippers: z.array(shipperSchema).describe('Programs that can send to it, with the lines to set them up.'),
})

/** Stands for the token, since the secrets of tokens are not stored. */
const PLACEHOLDER = 'TOKEN'

const all = createRoute({
  method: 'get',
  path: '/api/v1/shippers',
  summary: 'Programs that send logs, the type of source that each needs, and the lines to set it up.',
  responses: {
    200: { description: 'All of them.', content: { 'application/json': { schema: shippersSchema.omit({ url: true }) } } },
  },
})

const ofSource = createRoute({
  method: 'get',
  path: '/api/v1/sources/{id}/shippers',
  summary: 'The lines with which programs send their logs to this source.',
  request: { params: z.object({ id: z.string().max(200) }) },
  responses: {
    200: { description: 'Programs and their lines.', content: { 'application/json': { schema: shippersSchema } } },
    ...failures(404),
  },
})

export function shipperRoutes(engine: Engine) {
  return createRouter()
    .openapi(all, (c) => {
      const shippers = SHIPPERS.map((lines) => ({
        ...viewOf(lines),
        text: lines.text({ url: publicUrl(engine.config), path: '/ingest/SOURCE', port: 5514, token: PLACEHOLDER }),
      }))
      return c.json({ token_placeholder: PLACEHOLDER, shippers }, 200)
    })
    .openapi(ofSource, async (c) => {
      const { id } = c.req.valid('param')
      if (id !== 'default' && !engine.config.sources.some((source) => source.id === id)) {
        const known = ['default', ...engine.config.sources.map((source) => source.id)].join(', ')
        throw new ApiError(404, 'not_found', `there is no configured source '${id}'. Known: ${known}`)
      }
      return c.json(shippersOf(engine, id), 200)
    })
}

/** What programs need to send to a source, with a token or something in its place. */
export function shippersOf(
  { config, intakes }: Pick<Engine, 'config' | 'intakes'>,
  id: string,
  token = PLACEHOLDER,
): z.output<typeof shippersSchema> {
  const source = config.sources.find((one) => one.id === id)
  const type = source?.type ?? 'http'
  const place = { url: publicUrl(config), path: `/ingest/${id}`, port: portOf(source), token }
  return {
    url: intakes.get(id)?.handle ? `${place.url}${place.path}` : null,
    token_placeholder: PLACEHOLDER,
    shippers: SHIPPERS.filter(({ to }) => to === type).map((lines) => ({ ...viewOf(lines), text: lines.text(place) })),
  }
}

function viewOf({ name, title, to, language, file }: (typeof SHIPPERS)[number]) {
  return { name, title, source_type: to, language, file: file ?? null }
}

/** Of a source with a port of its own. */
function portOf(source: SourceConfig | undefined): number | undefined {
  const listen = source && 'listen' in source ? String(source.listen) : undefined
  return listen === undefined ? undefined : Number(listen.slice(listen.lastIndexOf(':') + 1))
}

import { type Context, Hono } from 'hono'
import { listeningSources } from '../../config/listening-sources.ts'
import type { Engine } from '../../engine/engine.ts'
import { sentFrom } from '../../util/sender-address.ts'
import { addressOf } from '../access/address.ts'
import { isKnown, requireSender } from '../access/sender.ts'
import { ApiError } from '../errors.ts'

/** The part of the engine that receives. */
type Receiving = Pick<Engine, 'intakes' | 'config' | 'tokens'>

/** `/ingest/<source>` and everything below it: the source handles the request itself, including token and limits. */
export function ingestRoutes(engine: Receiving): Hono {
  return new Hono().all('/ingest/:source/*', (c) => {
    const id = c.req.param('source')
    const intake = engine.intakes.get(id)
    if (!intake?.handle) {
      const known = isKnown(engine, c) ? `Known: ${addresses(engine).join(', ')}.` : 'See `caracal sources`.'
      throw new ApiError(404, 'not_found', `there is no source '${id.slice(0, 80)}' that accepts requests. ${known}`)
    }
    requireSender(engine, c)
    const handle = intake.handle.bind(intake)
    const address = addressOf(c, engine.config.trusted_proxies)
    return sentFrom(address, () => handle(c.req.raw, c.req.path.slice('/ingest/'.length + id.length), address))
  })
}

/**
 * The response to a request at a path of a shipper's protocol, for shippers that cannot be given another path: from the only source
 * with this protocol that knows the sender; `undefined` if no source has such a path.
 */
export function shipperAt(engine: Receiving, c: Context, path: string): Promise<Response> | undefined {
  const request = c.req.raw
  const address = addressOf(c, engine.config.trusted_proxies)
  const all = [...engine.intakes].filter(([, { claims }]) => claims?.(path))
  const knowing = sentFrom(address, () => all.filter(([, intake]) => intake.knows?.(request.headers)))
  if (knowing.length > 1) {
    const urls = knowing.map(([id]) => `/ingest/${id}${path}`.slice(0, 200)).join(', ')
    const message = `several sources accept this token at ${path.slice(0, 200)}: use ${urls}, or give each source its own \`token\``
    throw new ApiError(409, 'ambiguous', message)
  }
  // A sender that no source knows is refused in the words of its protocol. `/` is also the home page.
  const [, intake] = knowing[0] ?? (path === '/' ? [] : all[0]) ?? []
  if (intake?.handle) requireSender(engine, c)
  return sentFrom(address, () => intake?.handle?.(request, path, address))
}

function addresses({ config }: Receiving): string[] {
  return [...new Set(['default', ...listeningSources(config.sources).keys()])]
}

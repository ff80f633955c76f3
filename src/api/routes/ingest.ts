import { Hono } from 'hono'
import { listeningSources } from '../../config/listening-sources.ts'
import type { Engine } from '../../engine/engine.ts'
import { hasToken } from '../auth.ts'
import { ApiError } from '../errors.ts'

/** `POST /ingest/<source>`: the source handles the request itself, including token and limits. */
export function ingestRoutes(engine: Engine): Hono {
  return new Hono().all('/ingest/:source', (c) => {
    const id = c.req.param('source')
    const handle = engine.ingest(id)
    if (!handle) {
      const known = hasToken(c, engine.token) ? `Known: ${addresses(engine).join(', ')}.` : 'See `caracal sources`.'
      throw new ApiError(404, 'not_found', `there is no http source '${id.slice(0, 80)}'. ${known}`)
    }
    if (c.req.method !== 'POST') {
      throw new ApiError(405, 'method_not_allowed', `logs are sent with POST, not ${c.req.method}`, { allow: 'POST' })
    }
    return handle(c.req.raw)
  })
}

function addresses({ config }: Engine): string[] {
  return [...new Set(['default', ...listeningSources(config.sources).keys()])]
}

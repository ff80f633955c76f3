import type { Context } from 'hono'
import { type Config, publicUrl } from '../../config/config.ts'
import { ApiError } from '../errors.ts'

/**
 * Refuses a call that a page of another site may have caused in somebody's browser. Browsers say where a call comes from, and pages cannot
 * change what they say. `mayBeSilent`: calls that say nothing come from programs, which have no cookies that others could use.
 */
export function requireSameOrigin(c: Context, config: Pick<Config, 'public_url' | 'listen' | 'tls'>, mayBeSilent = false): void {
  const site = c.req.header('sec-fetch-site')
  const origin = c.req.header('origin')
  if (site !== undefined ? site === 'same-origin' || site === 'none' : origin !== undefined && isOwn(c, origin, config)) return
  if (mayBeSilent && site === undefined && origin === undefined) return
  const given = (origin ?? site ?? 'no header Origin').slice(0, 200)
  const message = `this call comes from another site (${given}): cookies only count for calls of Caracal's own pages; programs use a token`
  throw new ApiError(403, 'cross_site', message)
}

function isOwn(c: Context, origin: string, config: Pick<Config, 'public_url' | 'listen' | 'tls'>): boolean {
  if (!URL.canParse(origin)) return false
  const { host, protocol, origin: given } = new URL(origin)
  if (!/^https?:$/.test(protocol)) return false
  return given === new URL(publicUrl(config)).origin || host === c.req.header('host')
}

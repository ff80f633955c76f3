import type { Context } from 'hono'
import type { Engine } from '../../engine/engine.ts'
import { bearerOf, tokenOf } from '../../util/bearer.ts'
import { ApiError } from '../errors.ts'
import { addressOf } from './address.ts'

/** True if the caller may know the names of sources. */
export function isKnown({ tokens, config }: Pick<Engine, 'tokens' | 'config'>, c: Context): boolean {
  return tokens.identify(bearerOf(c.req.header('authorization')), addressOf(c, config.trusted_proxies)).kind === 'caller'
}

/**
 * Refuses senders of logs with a token of the API that is not for sending, or not from there. Senders without such a token are left to the
 * source, which may have its own.
 */
export function requireSender({ tokens, config }: Pick<Engine, 'tokens' | 'config'>, c: Context): void {
  const identity = tokens.identify(tokenOf(c.req.header('authorization')), addressOf(c, config.trusted_proxies))
  if (identity.kind === 'unknown') return
  if (identity.kind === 'refused') {
    const { name, why, isPlace } = identity
    throw new ApiError(isPlace ? 403 : 401, isPlace ? 'forbidden' : 'unauthorized', `the token '${name}' ${why}`)
  }
  const { kind, name, role } = identity.caller
  if (kind === 'machine' || role === 'ingest') return
  const advice = 'create one with `caracal tokens create --role ingest`'
  throw new ApiError(
    403,
    'forbidden',
    `the token '${name}' has the role ${role}, and only tokens with the role ingest send logs: ${advice}`,
  )
}

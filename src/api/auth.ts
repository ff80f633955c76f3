import type { Context, MiddlewareHandler } from 'hono'
import { bearerOf, sameSecret } from '../util/bearer.ts'
import { ApiError } from './errors.ts'

/** Refuses calls without the API's token. */
export function requireToken(token: string): MiddlewareHandler {
  return async (c, next) => {
    if (!hasToken(c, token)) {
      const message =
        'a bearer token is needed: send the header `Authorization: Bearer <token>` with the token in the file `token` of the data folder'
      throw new ApiError(401, 'unauthorized', message, { 'www-authenticate': 'Bearer' })
    }
    await next()
  }
}

/** True when the call carries the token. */
export function hasToken(c: Context, token: string): boolean {
  return sameSecret(bearerOf(c.req.header('authorization')), token)
}

const LOOPBACK = /^(localhost|127(?:\.\d{1,3}){3}|\[::1\])$/i

/**
 * On a loopback address, refuses calls that were made under another name. A page in a browser can reach this machine under
 * a name of its own (DNS rebinding) and would then read answers as if they were its site's.
 */
export function requireHost(listen: string): MiddlewareHandler {
  const address = hostName(listen)
  if (!LOOPBACK.test(address)) return (_, next) => next()
  return async (c, next) => {
    const given = [c.req.header('host'), new URL(c.req.url).host].filter((host) => host !== undefined).map(hostName)
    if (!given.every((name) => LOOPBACK.test(name) || name === address)) {
      const message = `this server listens on ${address} and answers to that name or localhost only; to be reached under another name, set \`listen\` to an address of the network`
      throw new ApiError(421, 'wrong_host', message)
    }
    await next()
  }
}

/** `[::1]:4848` → `[::1]`, `localhost:4848` → `localhost`. */
function hostName(host: string): string {
  return host.replace(/:\d*$/, '').toLowerCase()
}

/** Refuses bodies that a form of some web page could send: writes carry JSON or nothing. */
export const requireJson: MiddlewareHandler = async (c, next) => {
  const type = c.req.header('content-type')
  const isJson = type !== undefined && /^application\/json\s*(;|$)/i.test(type)
  const hasBody = Number(c.req.header('content-length') ?? 0) > 0 || c.req.header('transfer-encoding') !== undefined
  if (!isJson && (type !== undefined || hasBody)) {
    throw new ApiError(
      415,
      'unsupported_media_type',
      'bodies of the API are JSON: send the header `Content-Type: application/json`',
    )
  }
  await next()
}

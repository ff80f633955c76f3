import type { MiddlewareHandler } from 'hono'
import { ApiError } from './errors.ts'

const LOOPBACK = /^(localhost|127(?:\.\d{1,3}){3}|\[::1\])$/i

/**
 * On a loopback address, refuses calls for other host names. Otherwise a web page could reach this machine under its own name
 * (DNS rebinding) and read responses as if they came from its own site.
 */
export function requireHost(listen: string): MiddlewareHandler {
  const address = hostName(listen)
  if (!LOOPBACK.test(address)) return (_, next) => next()
  return async (c, next) => {
    const given = [c.req.header('host'), new URL(c.req.url).host].filter((host) => host !== undefined).map(hostName)
    if (!given.every((name) => LOOPBACK.test(name) || name === address)) {
      const message = `this server listens on ${address} and only answers to that name or localhost; to use another name, set \`listen\` to a network address`
      throw new ApiError(421, 'wrong_host', message)
    }
    await next()
  }
}

/** `[::1]:4848` → `[::1]`, `localhost:4848` → `localhost`. */
function hostName(host: string): string {
  return host.replace(/:\d*$/, '').toLowerCase()
}

/** Refuses bodies that a form on a web page could send: writes must be JSON or empty. */
export const requireJson: MiddlewareHandler = async (c, next) => {
  const type = c.req.header('content-type')
  const isJson = type !== undefined && /^application\/json\s*(;|$)/i.test(type)
  const hasBody = Number(c.req.header('content-length') ?? 0) > 0 || c.req.header('transfer-encoding') !== undefined
  if (!isJson && (type !== undefined || hasBody)) {
    throw new ApiError(
      415,
      'unsupported_media_type',
      'request bodies must be JSON: send the header `Content-Type: application/json`',
    )
  }
  await next()
}

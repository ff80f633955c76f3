import { isIP } from 'node:net'
import { hostname } from 'node:os'
import type { HttpBindings } from '@hono/node-server'
import type { MiddlewareHandler } from 'hono'
import type { Config } from '../config/config.ts'
import { forwardedOf } from './access/forwarded.ts'
import { ApiError } from './errors.ts'

const LOOPBACK = /^(localhost|127(?:\.\d{1,3}){3}|\[::1\])$/i

/** Read with a token or a cookie: a page in a browser must not reach them under another name. */
const OF_THE_API = /^\/(?:api\/|metrics$|sign-in|setup$|account$)/

/**
 * Refuses calls for names of other sites. Otherwise a web page could reach this machine under its own name (DNS rebinding) and read
 * responses as if they came from its own site. A loopback address answers to nothing else at all. On a network address only the API is
 * protected, and any address may be named, since rebinding takes a name. With TLS, browsers compare the name with the certificate. A node
 * that forwards a call has checked its own names.
 */
export function requireHost({ listen, public_url: url, tls }: Pick<Config, 'listen' | 'public_url' | 'tls'>): MiddlewareHandler {
  const address = hostName(listen)
  const isLocal = LOOPBACK.test(address)
  if (!isLocal && tls) return (_, next) => next()
  const own = new Set([
    address,
    ...(url === undefined ? [] : [new URL(url).hostname]),
    ...(isLocal ? [] : [hostname().toLowerCase()]),
  ])
  const isOwn = (name: string) => LOOPBACK.test(name) || own.has(name) || (!isLocal && isAddress(name))
  return async (c, next) => {
    if ((isLocal || OF_THE_API.test(c.req.path)) && !forwardedOf((c.env as Partial<HttpBindings> | undefined)?.incoming)) {
      const given = [c.req.header('host'), new URL(c.req.url).host].filter((host) => host !== undefined).map(hostName)
      if (!given.every(isOwn)) {
        const message = `this server listens on ${address} and only answers to ${[...own].join(', ')} and localhost; to use another name, set \`public_url\` to the URL with that name`
        throw new ApiError(421, 'wrong_host', message)
      }
    }
    await next()
  }
}

function isAddress(name: string): boolean {
  return isIP(name.replace(/^\[|\]$/g, '')) !== 0
}

/** `[::1]:4848` → `[::1]`, `localhost:4848` → `localhost`. */
function hostName(host: string): string {
  return host.replace(/:\d*$/, '').toLowerCase()
}

/** Refuses bodies that a form on a web page could send, and compressed ones: writes must be plain JSON or empty. */
export const requireJson: MiddlewareHandler = async (c, next) => {
  const encoding = c.req.header('content-encoding')
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    const message = `request bodies of the API must not be compressed, and this one is marked \`Content-Encoding: ${encoding.slice(0, 40)}\`: send it as it is`
    throw new ApiError(415, 'unsupported_media_type', message)
  }
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

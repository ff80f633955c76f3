import type { IncomingMessage } from 'node:http'
import type { HttpBindings } from '@hono/node-server'
import type { Context, MiddlewareHandler } from 'hono'
import type { Engine } from '../../engine/engine.ts'
import { FORWARDED, type Forwarded } from '../../util/http/forwarded.ts'
import { ApiError } from '../errors.ts'

/** In an answer: the request was forwarded here in vain, and nothing was done. */
export const NOT_ACCEPTED = { [FORWARDED]: 'refused' } as const

const accepted = new WeakMap<IncomingMessage, Forwarded>()

/** What the node that forwarded a request has proven about it; `undefined`: it arrived here first. */
export function forwardedOf(request: IncomingMessage | undefined): Forwarded | undefined {
  return request && accepted.get(request)
}

/** The address at the other end of the connection on which the client has sent a request, be it to another node. Empty without a connection. */
export function peerOf({ env }: Context): string {
  const { incoming } = (env ?? {}) as Partial<HttpBindings>
  return forwardedOf(incoming)?.address ?? incoming?.socket.remoteAddress ?? ''
}

/** Accepts what nodes say about requests that they forward, and refuses what others say in the same way. Runs at once, before anything waits. */
export function acceptForwarded({ forwardedHeaders }: Pick<Engine, 'forwardedHeaders'>): MiddlewareHandler {
  return (c, next) => {
    const header = c.req.header(FORWARDED)
    if (header === undefined) return next()
    const { incoming } = (c.env ?? {}) as Partial<HttpBindings>
    // The server's own calls on behalf of a call have its headers.
    if (incoming && !accepted.has(incoming)) {
      const forwarded = forwardedHeaders.accept(header, incoming)
      if (forwarded) accepted.set(incoming, forwarded)
    }
    if (forwardedOf(incoming)) return next()
    const message = `the header ${FORWARDED} is for nodes with the same state, and this one proves nothing: either another program has set it, or the clocks of the two nodes differ by more than half a minute, or they have different keys (docs/nodes.md)`
    throw new ApiError(403, 'forbidden', message, NOT_ACCEPTED)
  }
}

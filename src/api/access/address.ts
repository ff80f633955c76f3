import type { HttpBindings } from '@hono/node-server'
import type { Context } from 'hono'

/** Where a request came from: the sender's address, or that of the proxy before it. Empty without a connection. */
export function addressOf({ env }: Context): string {
  const { incoming } = (env ?? {}) as Partial<HttpBindings>
  return incoming?.socket.remoteAddress ?? ''
}

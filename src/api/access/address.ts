import { isIP } from 'node:net'
import type { Context } from 'hono'
import { inRanges } from '../../util/http/addresses.ts'
import { peerOf } from './forwarded.ts'

/** Proxies that may have passed on one request. */
const MOST_HOPS = 20

/**
 * The address that a request comes from: the peer's, or, if that is a trusted proxy, the last one in X-Forwarded-For that is not. Every
 * proxy appends the address that it saw, so what comes before that may be invented. Empty without a connection.
 */
export function addressOf(c: Context, trusted: readonly string[]): string {
  const peer = peerOf(c)
  const isTrusted = inRanges(trusted)
  if (!isTrusted(peer)) return peer
  const hops = (c.req.header('x-forwarded-for') ?? '').split(',').slice(-MOST_HOPS).map(addressIn)
  let client = peer
  while (isTrusted(client) && hops.length > 0) {
    const hop = hops.pop()
    // A proxy that does not name an address is where the trail ends.
    if (hop === undefined) break
    client = hop
  }
  return client
}

/** `192.0.2.7`, `192.0.2.7:1234`, `2001:db8::1` or `[2001:db8::1]:1234`. */
function addressIn(text: string): string | undefined {
  const given = text.trim()
  const bare =
    /^\[([^\]]*)\](?::\d{1,5})?$/.exec(given)?.[1] ?? (/^[\d.]+:\d{1,5}$/.test(given) ? given.replace(/:\d+$/, '') : given)
  return isIP(bare) === 0 ? undefined : bare
}

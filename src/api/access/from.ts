import type { HttpBindings } from '@hono/node-server'
import type { Context } from 'hono'
import type { Config } from '../../config/config.ts'
import type { From } from '../../engine/accounts/sign-in.ts'
import { inRanges } from '../../util/http/addresses.ts'
import { ApiError } from '../errors.ts'
import { addressOf } from './address.ts'
import { forwardedOf } from './forwarded.ts'

/** With this header, a call is no use of the session: nobody has asked for it. Callers that lie only end their own session sooner. */
export const UNATTENDED_HEADER = 'caracal-unattended'

/** Browsers connect to it again by themselves, and cannot send a header with it. */
const STREAM = '/api/v1/stream'

/** Cookies beyond this are not read: our own are short. */
const MAX_COOKIE_CHARS = 8000

/** Where a call comes from, as the accounts want to know it. */
export function fromOf(c: Context, { trusted_proxies }: Pick<Config, 'trusted_proxies'>): From {
  const cookie = c.req.header('cookie')
  const { isRecheck = false } = (c.env ?? {}) as { readonly isRecheck?: boolean }
  return {
    cookie: cookie !== undefined && cookie.length <= MAX_COOKIE_CHARS ? cookie : undefined,
    address: addressOf(c, trusted_proxies),
    userAgent: c.req.header('user-agent') ?? '',
    isUnattended: isRecheck || c.req.path === STREAM || c.req.header(UNATTENDED_HEADER) !== undefined,
    // Only the server itself can say so.
    isRecheck,
  }
}

const LOOPBACK = ['127.0.0.0/8', '::1']

/** Refuses passwords and codes that have crossed a network in the clear, on their way here or to the node that has forwarded them. */
export function requirePrivacy(c: Context, config: Pick<Config, 'tls' | 'trusted_proxies' | 'sign_in'>): void {
  if (config.sign_in.allow_plain_http) return
  const { incoming } = (c.env ?? {}) as Partial<HttpBindings>
  const forwarded = forwardedOf(incoming)
  const hops = [
    { address: incoming?.socket.remoteAddress ?? '', isTls: config.tls !== undefined },
    ...(forwarded ? [forwarded] : []),
  ]
  const isNear = inRanges([...LOOPBACK, ...config.trusted_proxies])
  const open = hops.find(({ address, isTls }) => !isTls && !isNear(address))
  if (!open) return
  const from = `${forwarded && open !== forwarded ? `the node ${forwarded.node} at ` : ''}${open.address || 'an unknown address'}`
  const message = `signing in over plain HTTP is only possible on the same machine, and this call comes from ${from}: configure \`tls\`, or put a proxy with HTTPS in front and list it in \`trusted_proxies\` (docs/operations.md)`
  throw new ApiError(403, 'plain_http', message)
}

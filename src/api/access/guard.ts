import type { Context, MiddlewareHandler } from 'hono'
import { matchedRoutes } from 'hono/route'
import type { Engine } from '../../engine/engine.ts'
import { type Caller, type Role, TOKEN_ROLES } from '../../model/account.ts'
import { bearerOf } from '../../util/bearer.ts'
import { ApiError } from '../errors.ts'
import { addressOf } from './address.ts'
import { callAs } from './caller.ts'
import { fromOf } from './from.ts'
import { OPERATIONS, PERMISSIONS } from './operations.ts'
import { requireSameOrigin } from './same-origin.ts'
import { setCookies } from './signing-in.ts'

declare module 'hono' {
  interface ContextVariableMap {
    /** Set once it is known. */
    caller?: Caller
  }
}

type Needed = Pick<Engine, 'tokens' | 'accounts' | 'audit' | 'config'>

/**
 * Refuses calls without a valid token or, where `isForPeople`, the cookie of a session, and those that the caller's role does not allow.
 * Programs, such as shippers and assistants, have no cookies: where they call, cookies do not count.
 */
export function requireCaller(engine: Needed, { isForPeople }: { readonly isForPeople: boolean }): MiddlewareHandler {
  return async (c, next) => {
    const operation = operationOf(c)
    if (operation !== undefined && isOpen(operation)) {
      requireSameOrigin(c, engine.config, true)
      return next()
    }
    const caller = (isForPeople && (await personOf(engine, c))) || callerOf(engine, c)
    c.set('caller', caller)
    // Without an operation, the answer is that there is nothing at this path.
    if (operation !== undefined) requirePermission(caller, operation)
    return callAs(caller, next)
  }
}

/** Refuses calls without a token whose role allows them, where no person calls. */
export function requireProgram(engine: Pick<Engine, 'tokens' | 'config'>): MiddlewareHandler {
  return async (c, next) => {
    const operation = operationOf(c)
    const caller = callerOf(engine, c)
    if (operation !== undefined) requirePermission(caller, operation)
    return next()
  }
}

function isOpen(operation: string): boolean {
  return Object.hasOwn(OPERATIONS, operation) && OPERATIONS[operation]!.needs === 'nothing'
}

/** The person whose session the call's cookie is. A call with a token is that of the token. */
export async function personOf({ accounts, audit, config }: Needed, c: Context): Promise<Caller | undefined> {
  if (c.req.header('authorization')) return undefined
  const from = fromOf(c, config)
  const known = await accounts.signIn.identify(from)
  if (!known) return undefined
  const { caller, cookies, movedFrom } = known
  if (c.req.method !== 'GET' && c.req.method !== 'HEAD') requireSameOrigin(c, config)
  setCookies(c, cookies)
  if (movedFrom !== undefined)
    await audit({
      audit_event: 'session_moved',
      caller: caller.name,
      caller_kind: caller.kind,
      caller_role: caller.role,
      caller_address: from.address || undefined,
      request_path: c.req.path.slice(0, 500),
      status: 200,
      detail: { from: movedFrom, session: caller.session!.sessionId },
    })
  return caller
}

function callerOf({ tokens, config }: Pick<Engine, 'tokens' | 'config'>, c: Context): Caller {
  const identity = tokens.identify(bearerOf(c.req.header('authorization')), addressOf(c, config.trusted_proxies))
  if (identity.kind === 'caller') return identity.caller
  if (identity.kind === 'unknown') {
    const message =
      'a bearer token is needed: send the header `Authorization: Bearer <token>` with a token from `caracal tokens create`, or on this machine that from the file `token` in the data folder; people sign in at /sign-in'
    throw new ApiError(401, 'unauthorized', message, { 'www-authenticate': 'Bearer' })
  }
  const { name, why, isPlace, advice = 'use another' } = identity
  if (isPlace) throw new ApiError(403, 'forbidden', `the token '${name}' ${why}`)
  throw new ApiError(401, 'unauthorized', `the token '${name}' ${why}: ${advice}`, { 'www-authenticate': 'Bearer' })
}

/** The operation that the request is for, such as `GET /api/v1/alerts/{id}`; `undefined` for a path that the API does not have. */
export function operationOf(c: Context): string | undefined {
  // HEAD is handled by the route for GET.
  const wanted = c.req.method === 'HEAD' ? 'GET' : c.req.method
  // Of several that fit, such as `/alerts/counts` and `/alerts/{id}`, the first one answers.
  const route = matchedRoutes(c).find(({ method }) => method === wanted)
  return route && `${route.method} ${route.path.replaceAll(/:(\w+)/g, '{$1}')}`
}

function requirePermission({ name, role, logTypes, session }: Caller, operation: string): void {
  const terms = Object.hasOwn(OPERATIONS, operation) ? OPERATIONS[operation]! : undefined
  const allowed: readonly Role[] = terms && terms.needs !== 'nothing' ? PERMISSIONS[terms.needs] : ['admin']
  if (session?.needsSecondFactor && !terms?.needs.startsWith('own:')) {
    const message = `'${name}' has to set up an authenticator app first, at /account: the configuration demands it (sign_in.require_second_factor)`
    throw new ApiError(403, 'second_factor_needed', message)
  }
  if (!(allowed as readonly string[]).includes(role)) {
    const able = TOKEN_ROLES.filter((one) => (allowed as readonly string[]).includes(one))
    const what = terms ? `the permission ${terms.needs}` : 'an administrator'
    const message = `'${name}' has the role ${role}, and ${operation} needs ${what}, which ${able.join(', ')} ${able.length === 1 ? 'has' : 'have'}`
    throw new ApiError(403, 'forbidden', message)
  }
  if (logTypes && (terms?.narrowed ?? 'closed') === 'closed') {
    const message = `'${name}' may only see the log types ${logTypes.join(', ')}, and ${operation} cannot be limited to those`
    throw new ApiError(403, 'forbidden', message)
  }
}

import type { Context, MiddlewareHandler } from 'hono'
import { matchedRoutes } from 'hono/route'
import type { Engine } from '../../engine/engine.ts'
import { type Caller, type Role, TOKEN_ROLES } from '../../model/account.ts'
import { bearerOf } from '../../util/bearer.ts'
import { ApiError } from '../errors.ts'
import { addressOf } from './address.ts'
import { callAs } from './caller.ts'
import { OPERATIONS, PERMISSIONS } from './operations.ts'

declare module 'hono' {
  interface ContextVariableMap {
    /** Set once it is known. */
    caller?: Caller
  }
}

/** Refuses calls without a valid token, and those that its role does not allow. */
export function requireCaller(engine: Pick<Engine, 'tokens' | 'config'>): MiddlewareHandler {
  return async (c, next) => {
    const caller = callerOf(engine, c)
    c.set('caller', caller)
    const operation = operationOf(c)
    // Without an operation, the answer is that there is nothing at this path.
    if (operation !== undefined) requirePermission(caller, operation)
    return callAs(caller, next)
  }
}

function callerOf({ tokens, config }: Pick<Engine, 'tokens' | 'config'>, c: Context): Caller {
  const identity = tokens.identify(bearerOf(c.req.header('authorization')), addressOf(c, config.trusted_proxies))
  if (identity.kind === 'caller') return identity.caller
  if (identity.kind === 'unknown') {
    const message =
      'a bearer token is needed: send the header `Authorization: Bearer <token>` with a token from `caracal tokens create`, or on this machine that from the file `token` in the data folder'
    throw new ApiError(401, 'unauthorized', message, { 'www-authenticate': 'Bearer' })
  }
  const { name, why, isPlace } = identity
  if (isPlace) throw new ApiError(403, 'forbidden', `the token '${name}' ${why}`)
  throw new ApiError(401, 'unauthorized', `the token '${name}' ${why}: use another`, { 'www-authenticate': 'Bearer' })
}

/** The operation that the request is for, such as `GET /api/v1/alerts/{id}`; `undefined` for a path that the API does not have. */
export function operationOf(c: Context): string | undefined {
  // HEAD is handled by the route for GET.
  const wanted = c.req.method === 'HEAD' ? 'GET' : c.req.method
  const route = matchedRoutes(c).findLast(({ method }) => method === wanted)
  return route && `${route.method} ${route.path.replaceAll(/:(\w+)/g, '{$1}')}`
}

function requirePermission({ name, role, logTypes }: Caller, operation: string): void {
  const terms = Object.hasOwn(OPERATIONS, operation) ? OPERATIONS[operation]! : undefined
  const allowed: readonly Role[] = terms ? PERMISSIONS[terms.needs] : ['admin']
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

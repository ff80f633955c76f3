import { type Caller, TOKEN_ROLES, type TokenRole, type User } from '../../model/account.ts'
import { glob } from '../../util/glob.ts'

/** Why a token cannot be used, and what to do about it. */
interface Unusable {
  readonly why: string
  /** Absent: another token is needed. */
  readonly advice?: string
}

/** The user signs in with a password and nothing else. */
export function lacksSecondFactor({ hasPassword, hasSecondFactor }: User): boolean {
  return hasPassword && !hasSecondFactor
}

/** The caller of a user's own token: it can do and see no more than the user can now. */
export function ownedCaller(token: Caller, user: User | undefined, isSecondFactorNeeded: boolean): Caller | Unusable {
  if (!user) return { why: 'belongs to a user who was removed' }
  if (user.state === 'disabled') return { why: `belongs to ${user.email}, whose account is disabled` }
  const name = `${user.email}/${token.name}`
  const role = lesserRole(token.role, user.role)
  // One that only sends logs shows nothing, and without it they would be lost.
  if (isSecondFactorNeeded && role !== 'ingest' && lacksSecondFactor(user)) {
    const why = `belongs to ${user.email}, who has not set up the authenticator app that the configuration demands (sign_in.require_second_factor)`
    return { why, advice: 'it can be used again once they have set one up, at /account' }
  }
  const limits = user.role === 'admin' ? [] : user.logTypes
  const logTypes = limitedTo(token.logTypes ?? [], limits)
  if (!logTypes) return { why: `is for log types that ${user.email} may not see any more` }
  const { expiresMs, tokenId } = token
  return {
    kind: 'token',
    name,
    role,
    tokenId,
    ...(logTypes.length > 0 && { logTypes }),
    ...(expiresMs !== undefined && { expiresMs }),
  }
}

/** The role that may do less. */
export function lesserRole(a: TokenRole, b: TokenRole): TokenRole {
  return TOKEN_ROLES[Math.max(TOKEN_ROLES.indexOf(a), TOKEN_ROLES.indexOf(b))]!
}

/**
 * Those of the log types that are within the limits; no patterns stand for everything. `undefined` if nothing is left. Patterns that only
 * overlap are left out: less is shown rather than more. A `*` of the one pattern is a character like any other to the second.
 */
export function limitedTo(logTypes: readonly string[], limits: readonly string[]): readonly string[] | undefined {
  if (limits.length === 0) return logTypes
  if (logTypes.length === 0) return limits
  const inner = logTypes.filter((one) => limits.some((limit) => glob(limit)(one)))
  const outer = limits.filter((limit) => logTypes.some((one) => glob(one)(limit)))
  const both = [...new Set([...inner, ...outer])]
  return both.length === 0 ? undefined : both
}

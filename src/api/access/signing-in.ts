import type { Context } from 'hono'
import type { SignInOutcome } from '../../engine/accounts/sign-in.ts'
import type { Engine } from '../../engine/engine.ts'
import type { Caller } from '../../model/account.ts'
import type { AuditEntry } from '../../model/audit.ts'
import type { JsonValue } from '../../model/json.ts'
import { ApiError } from '../errors.ts'
import { fromOf, requirePrivacy } from './from.ts'

declare module 'hono' {
  interface ContextVariableMap {
    /** What the audit says about a call, where its body must not be recorded. */
    auditAs?: { readonly event?: 'signed_in'; readonly detail?: JsonValue; readonly reason?: string }
  }
}

type Needed = Pick<Engine, 'accounts' | 'config'>

/** Who signs in: by a password, or with the code that follows it. */
export type Proof = { readonly email: string; readonly password: string } | { readonly code: string }

/** Signs in and sets the cookies of the answer. Throws `ApiError` if it is refused: which part was wrong is not said. */
export async function signInWith(c: Context, { accounts, config }: Needed, proof: Proof): Promise<'signed_in' | 'code_needed'> {
  requirePrivacy(c, config)
  const from = fromOf(c, config)
  const isCode = 'code' in proof
  c.set('auditAs', { detail: isCode ? { step: 'code' } : { step: 'password', user: proof.email } })
  const outcome = isCode
    ? await accounts.signIn.withCode(proof.code, from)
    : await accounts.signIn.withPassword(proof.email, proof.password, from)
  return entered(c, outcome, isCode ? 'code' : 'password')
}

/** The answer to an attempt. */
export function entered(c: Context, outcome: SignInOutcome, step: 'password' | 'code' | 'oidc'): 'signed_in' | 'code_needed' {
  switch (outcome.kind) {
    case 'wait': {
      const secs = Math.ceil(outcome.waitMs / 1000)
      const message = `there were too many failed attempts: try again in ${secs < 120 ? `${secs} seconds` : `${Math.ceil(secs / 60)} minutes`}`
      throw new ApiError(429, 'too_many_attempts', message, { 'retry-after': String(secs) })
    }
    case 'wrong':
      throw new ApiError(401, 'unauthorized', step === 'code' ? WRONG_CODE : WRONG_PASSWORD)
    default:
      setCookies(c, outcome.cookies)
      if (outcome.kind === 'signed_in') {
        c.set('caller', outcome.caller)
        c.set('auditAs', { event: 'signed_in', detail: { step } })
      }
      return outcome.kind
  }
}

/** The audit of a sign-in by a call that is not recorded by itself, because it reads. */
export function signedInEntry(c: Context, config: Engine['config'], caller: Caller, roleBefore?: string): AuditEntry {
  return {
    audit_event: 'signed_in',
    caller: caller.name,
    caller_kind: caller.kind,
    caller_role: caller.role,
    caller_address: fromOf(c, config).address || undefined,
    request_path: c.req.path,
    status: 200,
    detail: { step: 'oidc', ...(roleBefore !== undefined && { role_before: roleBefore }) },
  }
}

const WRONG_PASSWORD =
  'the email address and the password do not belong together, or the account is disabled. An administrator can reset a password with `caracal users reset`'
const WRONG_CODE = 'the code is wrong, or it came too late: take the next one of the app, or sign in again'

/** Adds cookies to the answer. One replaces an earlier one of its name: an answer may set each only once (RFC 6265, 4.1.1). */
export function setCookies(c: Context, cookies: readonly string[]): void {
  const names = new Set(cookies.map(nameOf))
  const others = c.res.headers.getSetCookie().filter((cookie) => !names.has(nameOf(cookie)))
  c.header('set-cookie', undefined)
  for (const cookie of [...others, ...cookies]) c.header('set-cookie', cookie, { append: true })
}

function nameOf(cookie: string): string {
  return cookie.slice(0, cookie.indexOf('='))
}

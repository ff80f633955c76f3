import { type Config, publicUrl } from '../../config/config.ts'
import type { Role } from '../../model/account.ts'
import type { Library } from './library.ts'
import { SIGN_IN_PATH } from './library.ts'
import { provisioning } from './provisioned.ts'
import { type From, headersOf, type SignIn, type SignInOutcome } from './sign-in.ts'
import type { Users } from './users.ts'

/** Where the provider sends people back to, below the public URL: it has to be registered there. */
export const CALLBACK_PATH = `${SIGN_IN_PATH}/callback/oidc`

export interface OidcDeps {
  readonly library: Library
  readonly users: Users
  readonly signIn: SignIn
  readonly config: Pick<Config, 'public_url' | 'listen' | 'tls'>
  /** The provider says which role a person has. */
  readonly isRoleMapped: boolean
}

/** Signing in at the provider. */
export class OidcSignIn {
  readonly #deps: OidcDeps

  constructor(deps: OidcDeps) {
    this.#deps = deps
  }

  /** Where to send the browser, with which cookies. `next`: a path of ours, for when it comes back. */
  async begin(next: string, from: From): Promise<{ readonly url: string; readonly cookies: readonly string[] }> {
    const body = { provider: 'oidc', callbackURL: next, errorCallbackURL: '/sign-in', disableRedirect: true }
    const { response, headers } = await this.#deps.library.api.signInSocial({
      body,
      headers: headersOf(from),
      returnHeaders: true,
    })
    return { url: (response as { url: string }).url, cookies: headers.getSetCookie() }
  }

  /** The browser is back, with this query. `why`: the reason for a refusal. */
  async end(
    query: string,
    from: From,
  ): Promise<{
    readonly outcome: SignInOutcome
    readonly next: string
    readonly why?: string | undefined
    /** The role that the provider has taken from the person or given to them just now: the one before. */
    readonly roleBefore?: Role
  }> {
    const { library, users, signIn, config, isRoleMapped } = this.#deps
    const request = new Request(`${publicUrl(config)}${CALLBACK_PATH}${query}`, { headers: headersOf(from) })
    const { result, now, refusal } = await provisioning(() => library.handler(request))
    const location = new URL(result.headers.get('location') ?? '/sign-in?error=unknown', publicUrl(config))
    const error = location.searchParams.get('error')
    if (error !== null || result.status !== 302) return { outcome: { kind: 'wrong' }, next: '/', why: refusal ?? reasonOf(error) }
    const outcome = await signIn.entered(result.headers.getSetCookie(), from)
    if (outcome.kind !== 'signed_in') return { outcome, next: '/', why: 'the account is disabled' }
    const { userId } = outcome.caller.session!
    const next = `${location.pathname}${location.search}`
    const before = users.get(userId)?.role
    if (!now || !isRoleMapped || before === undefined || before === now.role) return { outcome, next }
    // Administrators see everything; what they see without that role, nobody has chosen for them. Between the other roles it stays as it is.
    const isWithLogTypes = before === 'admin' || now.role === 'admin'
    await users.change(userId, { role: now.role, ...(isWithLogTypes && { logTypes: JSON.parse(now.logTypes) as string[] }) })
    // The last administrator keeps the role.
    const { role } = users.get(userId) ?? outcome.caller
    const caller = { ...outcome.caller, role }
    return { outcome: { ...outcome, caller }, next, ...(role !== before && { roleBefore: before }) }
  }
}

/** The library's codes, as far as people can do something about them. */
function reasonOf(error: string | null): string {
  switch (error) {
    case 'signup_disabled':
      return 'you have no account here: an administrator creates one with `caracal users create`'
    case 'unable_to_create_session':
      return 'the account is disabled'
    case 'state_mismatch':
    case 'state_not_found':
    case 'please_restart_the_process':
      return 'this sign-in was begun in another browser, or too long ago: begin again'
    default:
      return 'the provider refused it, or its answer cannot be used'
  }
}

import { isAPIError } from 'better-auth/api'
import type { Config } from '../../config/config.ts'
import { type Caller, MAX_SESSIONS, type User, type UserSession } from '../../model/account.ts'
import type { StateDb } from '../../state/db.ts'
import { type RowCondition, userRows } from '../../state/user-rows.ts'
import { type Attempts, networkOf } from './attempts.ts'
import { Gate } from './gate.ts'
import { ADDRESS_HEADER, type Library } from './library.ts'
import { lacksSecondFactor } from './owned-tokens.ts'
import { passwordProblem } from './passwords.ts'
import { UsedCodes } from './used-codes.ts'
import type { Users } from './users.ts'

/** Where a call comes from, and with what. */
export interface From {
  /** The `Cookie` header. */
  readonly cookie: string | undefined
  readonly address: string
  readonly userAgent: string
  /** Nobody has asked for it, so it is no use of the session: a page that is open reads again by itself. */
  readonly isUnattended?: boolean
  /** The server asks by itself: the session is neither used by that nor has it moved. */
  readonly isRecheck?: boolean
}

/** `cookies`: values of `Set-Cookie` for the answer. */
export type SignInOutcome =
  | { readonly kind: 'signed_in'; readonly caller: Caller; readonly cookies: readonly string[] }
  /** The password is right, and a code of the authenticator app is needed. */
  | { readonly kind: 'code_needed'; readonly cookies: readonly string[] }
  /** The answer does not say what is wrong. */
  | { readonly kind: 'wrong' }
  | { readonly kind: 'wait'; readonly waitMs: number }

/** A session that a call belongs to. */
export interface KnownSession {
  readonly caller: Caller
  readonly cookies: readonly string[]
  /** The address that it was used from before, if that is in another network. */
  readonly movedFrom: string | undefined
}

/** What an authenticator app is set up with. */
export interface NewSecondFactor {
  /** `otpauth://totp/…`. */
  readonly url: string
  readonly secret: string
  /** Each signs in once, if the app is lost. */
  readonly recoveryCodes: readonly string[]
}

export interface SignInDeps {
  readonly library: Library
  readonly users: Users
  readonly attempts: Attempts
  readonly state: StateDb
  readonly config: Pick<Config, 'sign_in'>
  readonly now: () => number
}

/** Passwords that are checked at once, and calls that may wait for it: each takes a noticeable share of a core. */
const MAX_CHECKS = 2
const MAX_WAITING = 50

/** How people sign in, and their sessions. */
export class SignIn {
  readonly #deps: SignInDeps
  readonly #gate = new Gate(MAX_CHECKS, MAX_WAITING)
  readonly #usedCodes: UsedCodes

  constructor(deps: SignInDeps) {
    this.#deps = deps
    this.#usedCodes = new UsedCodes(deps.now)
  }

  /** Signs in with a password. Whether there is such a user makes no difference to the answer, nor to what it costs. */
  async withPassword(email: string, password: string, from: From): Promise<SignInOutcome> {
    const { library, users, config } = this.#deps
    if (!config.sign_in.passwords) return { kind: 'wrong' }
    return this.#attempt(email, from, async () => {
      const body = { email: email.toLowerCase(), password }
      const made = await this.#refusable(() => library.api.signInEmail({ body, headers: headersOf(from), returnHeaders: true }))
      if (!made) return { kind: 'wrong' }
      const cookies = made.headers.getSetCookie()
      if ('twoFactorRedirect' in made.response) return { kind: 'code_needed', cookies }
      await this.#end(from)
      return this.#entered(users.find(email), cookies, from)
    })
  }

  /** The second step: a code of the authenticator app, or a recovery code. */
  withCode(code: string, from: From): Promise<SignInOutcome> {
    const { library, users } = this.#deps
    // Who it is, is only known to the library; its challenge ends after five wrong codes.
    return this.#attempt('(second factor)', from, async () => {
      const request = { body: { code: code.trim() }, headers: headersOf({ ...from, cookie: withoutSession(from.cookie) }) }
      const isOfApp = /^\s*\d{6}\s*$/.test(code)
      const made = await this.#refusable(() =>
        isOfApp
          ? library.api.verifyTOTP({ ...request, returnHeaders: true })
          : library.api.verifyBackupCode({ ...request, returnHeaders: true }),
      )
      const { id } = (made?.response.user ?? {}) as { id?: string }
      const user = id === undefined ? undefined : users.get(id)
      if (!made || !user) return { kind: 'wrong' }
      const cookies = made.headers.getSetCookie()
      if (isOfApp && !this.#usedCodes.use(user.userId, code)) {
        // The library has begun a session, which nobody gets.
        await this.#end({ ...from, cookie: cookieHeader(cookies) })
        return { kind: 'wrong' }
      }
      await this.#end(from)
      return this.#entered(user, cookies, from)
    })
  }

  /** After the provider has signed a person in: who that is. */
  async entered(cookies: readonly string[], from: From): Promise<SignInOutcome> {
    await this.#deps.users.reload()
    const known = await this.identify({ ...from, cookie: cookieHeader(cookies) })
    if (!known) return { kind: 'wrong' }
    await this.#end(from)
    return this.#entered(this.#deps.users.get(known.caller.session!.userId), cookies, from)
  }

  /** Whose session the cookie is, if it may be used. */
  async identify(from: From): Promise<KnownSession | undefined> {
    const { library, users, config, now } = this.#deps
    // Most calls have a token, and no cookie.
    if (!from.cookie?.includes(SESSION_COOKIE)) return undefined
    const { isRecheck = false, isUnattended = isRecheck } = from
    const ask = { headers: headersOf(from), query: { disableRefresh: isUnattended }, returnHeaders: true } as const
    const found = await this.#refusable(() => library.api.getSession(ask))
    if (!found?.response) return undefined
    const { session } = found.response
    // Someone whose account is new, perhaps.
    if (!users.get(session.userId)) await users.reload()
    const user = users.get(session.userId)
    const isOver = session.createdAt.getTime() + config.sign_in.session_hours * 3_600_000 <= now()
    if (!user || user.state === 'disabled' || isOver) {
      await this.endSession(session.userId, session.id)
      return undefined
    }
    const before = session.ipAddress ?? ''
    const isElsewhere = before !== from.address && !isRecheck
    if (isElsewhere) await this.#moved(session.id, from)
    return {
      caller: callerOf(user, session.id, config.sign_in.require_second_factor),
      cookies: found.headers.getSetCookie(),
      movedFrom: isElsewhere && networkOf(before) !== networkOf(from.address) ? before : undefined,
    }
  }

  /** Ends the session of the cookie; returns cookies that remove it. */
  async signOut(from: From): Promise<readonly string[]> {
    const { headers } = await this.#deps.library.api.signOut({ headers: headersOf(from), returnHeaders: true })
    return headers.getSetCookie()
  }

  /** A user's sessions, the newest first. */
  sessions(userId: string): Promise<UserSession[]> {
    return this.#sessionsWhere([{ field: 'userId', operator: 'eq', value: userId, connector: 'AND' }])
  }

  /** The sessions of all users, the newest first. */
  allSessions(): Promise<UserSession[]> {
    return this.#sessionsWhere([])
  }

  async #sessionsWhere(where: readonly RowCondition[]): Promise<UserSession[]> {
    const rows = await userRows(this.#deps.state, { table: 'user_sessions', where })
    const { now, config } = this.#deps
    const nowMs = now()
    const longestMs = config.sign_in.session_hours * 3_600_000
    return rows
      .map((row) => {
        const createdMs = Date.parse(String(row['createdAt']))
        return {
          sessionId: String(row['id']),
          userId: String(row['userId']),
          createdMs,
          lastUsedMs: Date.parse(String(row['updatedAt'])),
          expiresMs: Math.min(Date.parse(String(row['expiresAt'])), createdMs + longestMs),
          address: String(row['ipAddress'] ?? ''),
          userAgent: String(row['userAgent'] ?? ''),
        }
      })
      .filter(({ expiresMs }) => expiresMs > nowMs)
      .sort((a, b) => b.createdMs - a.createdMs)
  }

  /** Ends one of a user's sessions. False if they have no such session. */
  async endSession(userId: string, sessionId: string): Promise<boolean> {
    const { adapter } = await this.#deps.library.$context
    const where = [
      { field: 'userId', value: userId },
      { field: 'id', value: sessionId },
    ]
    return (await adapter.deleteMany({ model: 'session', where })) > 0
  }

  /** Ends all of a user's sessions, but this one if it is theirs. Returns how many have ended. */
  async endOtherSessions(userId: string, sessionId: string | undefined): Promise<number> {
    const others = (await this.sessions(userId)).filter((session) => session.sessionId !== sessionId)
    const ended = await Promise.all(others.map((other) => this.endSession(userId, other.sessionId)))
    return ended.filter(Boolean).length
  }

  /** Changes the password of whose session it is, and ends all other sessions. */
  async changePassword(
    user: User,
    current: string,
    next: string,
    from: From,
  ): Promise<readonly string[] | 'wrong' | { readonly problem: string } | { readonly waitMs: number }> {
    const problem = passwordProblem(next, user.email)
    if (problem !== undefined) return { problem }
    const body = { currentPassword: current, newPassword: next, revokeOtherSessions: true }
    return this.#confirmed(user, from, (headers) => this.#deps.library.api.changePassword({ body, headers, returnHeaders: true }))
  }

  /** Begins to set up an authenticator app; `confirmSecondFactor` ends it. */
  async newSecondFactor(
    user: User,
    password: string,
    from: From,
  ): Promise<NewSecondFactor | 'wrong' | { readonly waitMs: number }> {
    let made: { readonly totpURI?: string; readonly backupCodes?: readonly string[] } | undefined
    const answer = await this.#confirmed(user, from, async (headers) => {
      const { response, headers: own } = await this.#deps.library.api.enableTwoFactor({
        body: { password },
        headers,
        returnHeaders: true,
      })
      made = response as typeof made
      return { headers: own }
    })
    if (!Array.isArray(answer)) return answer as 'wrong' | { readonly waitMs: number }
    const url = made!.totpURI!
    return { url, secret: new URL(url).searchParams.get('secret') ?? '', recoveryCodes: made!.backupCodes ?? [] }
  }

  /** The first code of the app: from now on, one is needed to sign in. */
  async confirmSecondFactor(
    user: User,
    code: string,
    from: From,
  ): Promise<readonly string[] | 'wrong' | { readonly waitMs: number }> {
    const answer = await this.#confirmed(user, from, (headers) =>
      this.#deps.library.api.verifyTOTP({ body: { code: code.trim() }, headers, returnHeaders: true }),
    )
    if (Array.isArray(answer)) this.#usedCodes.use(user.userId, code)
    await this.#deps.users.reload()
    return answer
  }

  async removeSecondFactor(
    user: User,
    password: string,
    from: From,
  ): Promise<readonly string[] | 'wrong' | { readonly waitMs: number }> {
    const answer = await this.#confirmed(user, from, (headers) =>
      this.#deps.library.api.disableTwoFactor({ body: { password }, headers, returnHeaders: true }),
    )
    await this.#deps.users.reload()
    return answer
  }

  /** What a person confirms with a secret, within a session. Guessing is limited as it is for signing in. */
  async #confirmed(
    user: User,
    from: From,
    call: (headers: Headers) => Promise<{ readonly headers: Headers }>,
  ): Promise<readonly string[] | 'wrong' | { readonly waitMs: number }> {
    const attempt = this.#deps.attempts.begin(user.email, from.address, true)
    if ('waitMs' in attempt) return attempt
    const made = await this.#gate.run(() => this.#refusable(() => call(headersOf(from))))
    await (made ? attempt.succeeded() : attempt.failed())
    return made ? made.headers.getSetCookie() : 'wrong'
  }

  async #attempt(account: string, from: From, run: () => Promise<SignInOutcome>): Promise<SignInOutcome> {
    const user = this.#deps.users.find(account)
    const sessions = user ? await this.sessions(user.userId) : []
    const isKnown = sessions.some(({ address }) => networkOf(address) === networkOf(from.address))
    const attempt = this.#deps.attempts.begin(account, from.address, isKnown || account.startsWith('('))
    if ('waitMs' in attempt) return { kind: 'wait', ...attempt }
    const outcome = await this.#gate.run(run)
    await (outcome.kind === 'wrong' ? attempt.failed() : attempt.succeeded())
    return outcome
  }

  async #entered(user: User | undefined, cookies: readonly string[], from: From): Promise<SignInOutcome> {
    const { library, users, now } = this.#deps
    // Removed while the password was being checked.
    if (!user) return { kind: 'wrong' }
    const { internalAdapter, adapter } = await library.$context
    await internalAdapter.updateUser(user.userId, { lastSeenAt: new Date(now()) })
    await users.reload()
    const sessions = await this.sessions(user.userId)
    const where = [
      { field: 'userId', value: user.userId },
      { field: 'expiresAt', operator: 'lt' as const, value: new Date(now()) },
    ]
    await adapter.deleteMany({ model: 'session', where })
    for (const { sessionId } of sessions.slice(MAX_SESSIONS)) await this.endSession(user.userId, sessionId)
    const known = await this.identify({ ...from, cookie: cookieHeader(cookies) })
    return known ? { kind: 'signed_in', caller: known.caller, cookies } : { kind: 'wrong' }
  }

  /** Ends the session that a call came with: a cookie that somebody planted is worth nothing after the sign-in. */
  async #end(from: From): Promise<void> {
    const before = await this.identify(from)
    if (before) await this.endSession(before.caller.session!.userId, before.caller.session!.sessionId)
  }

  async #moved(sessionId: string, { address }: From): Promise<void> {
    const { adapter } = await this.#deps.library.$context
    await adapter.update({ model: 'session', where: [{ field: 'id', value: sessionId }], update: { ipAddress: address } })
  }

  /** `undefined` if the library refuses; other errors are thrown. */
  async #refusable<T>(call: () => Promise<T>): Promise<T | undefined> {
    try {
      return await call()
    } catch (error) {
      if (isAPIError(error) && error.statusCode >= 400 && error.statusCode < 500) return undefined
      throw error
    }
  }
}

const SESSION_COOKIE = 'caracal.session_token='

/** The headers that the library needs of a call. */
export function headersOf({ cookie, address, userAgent }: From): Headers {
  return new Headers({
    ...(cookie !== undefined && { cookie }),
    'user-agent': userAgent.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 300),
    [ADDRESS_HEADER]: address,
  })
}

/** What a browser would send after these. */
function cookieHeader(cookies: readonly string[]): string {
  return cookies.map((cookie) => cookie.split(';', 1)[0]!).join('; ')
}

/** A session would make a code confirm a set-up instead of signing in. */
function withoutSession(cookie: string | undefined): string | undefined {
  return cookie
    ?.split(';')
    .filter((one) => !one.includes(SESSION_COOKIE))
    .join(';')
}

function callerOf(user: User, sessionId: string, isSecondFactorNeeded: boolean): Caller {
  const { userId, email, role, logTypes } = user
  const needsSecondFactor = isSecondFactorNeeded && lacksSecondFactor(user)
  const isLimited = logTypes.length > 0 && role !== 'admin'
  return { kind: 'user', name: email, role, ...(isLimited && { logTypes }), session: { userId, sessionId, needsSecondFactor } }
}

import { type Context, Hono } from 'hono'
import { html } from 'hono/html'
import type { Engine } from '../../engine/engine.ts'
import type { Caller, User } from '../../model/account.ts'
import { callAs } from '../access/caller.ts'
import { fromOf } from '../access/from.ts'
import { personOf } from '../access/guard.ts'
import { setCookies } from '../access/signing-in.ts'
import { ApiError } from '../errors.ts'
import {
  actionForm,
  createdTokenPart,
  factorPart,
  factorShown,
  newFactorPart,
  passwordPart,
  sessionsPart,
  TOKEN_DAYS,
  tokensPart,
} from '../pages/account-parts.ts'
import { formOf, goTo, refusalOf } from '../pages/form.ts'
import { alertBox, type Part, page } from '../pages/layout.ts'
import { accepted } from './me.ts'
import { addOwnToken, ownTokenOf } from './me-tokens.ts'

interface Person {
  readonly user: User
  readonly caller: Caller
}

/** What a form has led to: a part to show instead of the account, what has been done, or `out` if there is no session any more. */
type Outcome = { readonly title: string; readonly part: Part } | { readonly done: Done } | 'out'

/** Shown after a form has done its work. */
const DONE = {
  password: 'The password is changed, and your other sessions have ended.',
  factor: 'The authenticator app is set up: from now on, you need a code of it to sign in.',
  'factor-removed': 'The authenticator app is removed.',
  ended: 'The session has ended.',
  'ended-others': 'Your other sessions have ended.',
  revoked: 'The token is revoked.',
} as const
type Done = keyof typeof DONE

/** The page on which people look after their own account, without scripts. */
export function accountPage(engine: Engine): Hono {
  const { accounts } = engine
  return new Hono()
    .get('/account', async (c) => {
      const known = await signedIn(c)
      if (!known) return goTo(c, '/sign-in?next=/account')
      const done = c.req.query('done') ?? ''
      return show(c, known, alertBox(Object.hasOwn(DONE, done) ? DONE[done as Done] : undefined, 'done'))
    })
    .post('/account', async (c) => {
      const known = await signedIn(c)
      if (!known) return goTo(c, '/sign-in?next=/account')
      const form = await formOf(c)
      try {
        const outcome = await callAs(known.caller, () => change(c, known, form))
        if (outcome === 'out') return goTo(c, '/sign-in')
        return 'done' in outcome ? goTo(c, `/account?done=${outcome.done}`) : page(c, outcome.title, outcome.part)
      } catch (error) {
        const { message, status } = refusalOf(error)
        c.set('auditAs', { ...c.get('auditAs'), reason: message })
        // Somebody who mistypes a code need not scan the picture again.
        const shown = form('do') === 'confirm' ? factorShown(form) : undefined
        if (shown) return page(c, 'Authenticator app', html`${alertBox(message)}${newFactorPart(shown)}`, status)
        return show(c, known, alertBox(message), status)
      }
    })

  async function signedIn(c: Context): Promise<Person | undefined> {
    const caller = await personOf(engine, c)
    const user = caller && accounts.users.get(caller.session!.userId)
    if (!caller || !user) return undefined
    c.set('caller', caller)
    return { user, caller }
  }

  /** What a form does. Throws `ApiError` if it is refused. */
  async function change(c: Context, { user, caller }: Person, form: (name: string) => string): Promise<Outcome> {
    const { signIn } = accounts
    const from = fromOf(c, engine.config)
    const what = form('do')
    const { sessionId } = caller.session!
    c.set('auditAs', { detail: { do: what.slice(0, 50) } })
    switch (what) {
      case 'sign-out':
        setCookies(c, await signIn.signOut(from))
        return 'out'
      case 'end': {
        const isEnded = await signIn.endSession(user.userId, form('session'))
        if (!isEnded) throw new ApiError(404, 'not_found', 'this session has ended already')
        return form('session') === sessionId ? 'out' : { done: 'ended' }
      }
      case 'end-others':
        await signIn.endOtherSessions(user.userId, sessionId)
        return { done: 'ended-others' }
      case 'password':
        setCookies(c, accepted(await signIn.changePassword(user, form('current'), form('new'), from)))
        return { done: 'password' }
      case 'factor': {
        if (user.hasSecondFactor) throw new ApiError(400, 'bad_request', 'you have an authenticator app: remove it first')
        const made = accepted(await signIn.newSecondFactor(user, form('password'), from))
        return { title: 'Authenticator app', part: newFactorPart(made) }
      }
      case 'confirm':
        setCookies(c, accepted(await signIn.confirmSecondFactor(user, form('code'), from)))
        return { done: 'factor' }
      case 'remove-factor':
        setCookies(c, accepted(await signIn.removeSecondFactor(user, form('password'), from)))
        return { done: 'factor-removed' }
      case 'token': {
        const wish = ownTokenOf(wishIn(form))
        c.set('auditAs', { detail: { do: what, ...wish } })
        const { token, secret } = await addOwnToken(engine, user, wish)
        return { title: 'New token', part: createdTokenPart(token, secret) }
      }
      case 'revoke-token': {
        const token = await engine.tokens.revoke(form('token'), user.email, user.userId)
        if (!token) throw new ApiError(404, 'not_found', 'you have no such token')
        c.set('auditAs', { detail: { do: what, name: token.name } })
        return { done: 'revoked' }
      }
      default:
        throw new ApiError(400, 'bad_request', 'this form is of another version of the page: try again')
    }
  }

  async function show(c: Context, { user, caller }: Person, message: Part, status: ApiError['status'] = 200) {
    const { sessionId, needsSecondFactor } = caller.session!
    const sessions = await accounts.signIn.sessions(user.userId)
    const own = engine.tokens.list().filter(({ userId }) => userId === user.userId)
    const limits = user.logTypes.length > 0 && user.role !== 'admin' ? `, log types ${user.logTypes.join(', ')}` : ''
    const needed = needsSecondFactor
      ? alertBox('Set up an authenticator app: until then, nothing else can be done with this account.')
      : ''
    const factor = user.hasPassword ? factorPart(user.hasSecondFactor) : ''
    return page(
      c,
      'Your account',
      html`${message}${needed}
<p><b>${user.name}</b>, ${user.email}<br><span class="dim">role ${user.role}${limits}</span></p>
<div class="actions">${needsSecondFactor ? '' : html`<a class="button" href=".">Open the console</a>`}${actionForm('sign-out', 'Sign out')}</div>
${needsSecondFactor ? factor : ''}
${sessionsPart(sessions, sessionId)}
${user.hasPassword ? passwordPart() : ''}
${needsSecondFactor ? '' : html`${factor}${tokensPart(own, user, Date.now())}`}`,
      status,
    )
  }
}

/** The fields of the form for a token, as the API takes them. */
function wishIn(form: (name: string) => string): unknown {
  const [days, words] = [
    form('days'),
    (name: string) =>
      form(name)
        .split(/[\s,]+/)
        .filter(Boolean),
  ]
  if (!Object.hasOwn(TOKEN_DAYS, days)) throw new ApiError(400, 'bad_request', 'choose how long the token is to be valid')
  const expires = days === 'never' ? undefined : new Date(Date.now() + Number(days) * 86_400_000).toISOString()
  return { name: form('name').trim(), role: form('role'), log_types: words('log_types'), cidrs: words('cidrs'), expires }
}

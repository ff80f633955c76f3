import { Hono } from 'hono'
import { html } from 'hono/html'
import type { Engine } from '../../engine/engine.ts'
import { fromOf, requirePrivacy } from '../access/from.ts'
import { personOf } from '../access/guard.ts'
import { entered, setCookies, signedInEntry, signInWith } from '../access/signing-in.ts'
import { email as emailSchema, personName } from '../account-fields.ts'
import { ApiError } from '../errors.ts'
import { formOf, goTo, nextOf, refusalOf } from '../pages/form.ts'
import { alertBox, field, page, STYLE } from '../pages/layout.ts'
import { followLink } from './sign-in.ts'

/** Pages on which people sign in and set their password. They work without scripts. */
export function signInPages(engine: Engine): Hono {
  const { accounts, config } = engine
  const app = new Hono()
  app.get('/sign-in.css', (c) => {
    c.header('content-type', 'text/css; charset=utf-8')
    return c.body(STYLE)
  })

  const signIn = (next: string, message?: string, kind: 'error' | 'done' = 'error') => html`${alertBox(message, kind)}
${
  accounts.users.list().length === 0 && !config.sign_in.oidc
    ? html`<p>Nobody has an account yet. On the machine that Caracal runs on, <b>caracal users first-link</b> prints a link to create the first one.</p>`
    : ''
}
${
  config.sign_in.passwords
    ? html`<form method="post" action="sign-in">
<input type="hidden" name="next" value="${next}">
${field('Email', 'email', { type: 'email', autocomplete: 'username' })}
${field('Password', 'password', { type: 'password', autocomplete: 'current-password' })}
<button>Sign in</button>
</form>`
    : ''
}
${
  config.sign_in.oidc
    ? html`<p><a class="button" href="sign-in/oidc?next=${encodeURIComponent(next)}">Continue with ${config.sign_in.oidc.label}</a></p>`
    : ''
}`

  app.get('/sign-in', async (c) => {
    const next = nextOf(c.req.query('next'))
    if (await personOf(engine, c)) return goTo(c, next)
    const message = c.req.query('done') === 'password' ? 'The password is set: sign in with it.' : undefined
    return page(c, 'Sign in', signIn(next, message, 'done'))
  })
  app.post('/sign-in', async (c) => {
    const form = await formOf(c)
    const next = nextOf(form('next'))
    try {
      const email = emailSchema.safeParse(form('email'))
      if (!email.success) throw new ApiError(400, 'bad_request', 'this is not an email address')
      const state = await signInWith(c, engine, { email: email.data, password: form('password').slice(0, 2000) })
      return goTo(c, state === 'signed_in' ? next : `/sign-in-code?next=${encodeURIComponent(next)}`)
    } catch (error) {
      const { message, status } = audited(c, error)
      return page(c, 'Sign in', signIn(next, message), status)
    }
  })

  app.get('/sign-in/oidc', async (c) => {
    if (!accounts.oidc) return goTo(c, '/../sign-in')
    requirePrivacy(c, config)
    const { url, cookies } = await accounts.oidc.begin(nextOf(c.req.query('next')), fromOf(c, config))
    setCookies(c, cookies)
    return c.redirect(url, 303)
  })
  app.get('/sign-in/callback/oidc', async (c) => {
    if (!accounts.oidc) return goTo(c, '/../../sign-in')
    const { outcome, next, why, roleBefore } = await accounts.oidc.end(new URL(c.req.url).search, fromOf(c, config))
    if (outcome.kind !== 'signed_in') {
      c.set('auditAs', { detail: { step: 'oidc' }, reason: why ?? '' })
      const body = html`${alertBox(`You cannot sign in: ${why}.`)}<p><a class="button" href="../../sign-in">Back</a></p>`
      return page(c, 'Sign in', body, 403, '../../')
    }
    entered(c, outcome, 'oidc')
    await engine.audit(signedInEntry(c, config, outcome.caller, roleBefore))
    return goTo(c, `/../..${nextOf(next)}`)
  })

  const code = (next: string, message?: string) => html`${alertBox(message)}
<p>Enter the code that your authenticator app shows, or one of your recovery codes.</p>
<form method="post" action="sign-in-code">
<input type="hidden" name="next" value="${next}">
${field('Code', 'code', { autocomplete: 'one-time-code' })}
<button>Continue</button>
</form>`

  app.get('/sign-in-code', (c) => page(c, 'Second factor', code(nextOf(c.req.query('next')))))
  app.post('/sign-in-code', async (c) => {
    const form = await formOf(c)
    const next = nextOf(form('next'))
    try {
      await signInWith(c, engine, { code: form('code').slice(0, 100) })
      return goTo(c, next)
    } catch (error) {
      const { message, status } = audited(c, error)
      return page(c, 'Second factor', code(next, message), status)
    }
  })

  const setUp = async (secret: string, message?: string) => {
    const purpose = await accounts.links.purpose(secret)
    if (!purpose)
      return html`${alertBox('This link has been used, has expired, or was replaced by another.')}
<p class="dim">An administrator makes a new one with <b>caracal users reset</b>, or with <b>caracal users first-link</b> while there are no users.</p>`
    return html`${alertBox(message)}
<form method="post" action="setup">
<input type="hidden" name="code" value="${secret}">
${
  purpose.kind === 'first'
    ? html`<p>This creates the first administrator.</p>${field('Name', 'name', { autocomplete: 'name' })}${field('Email', 'email', { type: 'email', autocomplete: 'username' })}`
    : html`<p>For <b>${purpose.user.email}</b>.</p>`
}
${field('Password', 'password', { type: 'password', autocomplete: 'new-password', hint: 'At least 12 characters: a few words are best.' })}
<button>Set password</button>
</form>`
  }
  app.get('/setup', async (c) => page(c, 'Set your password', await setUp(c.req.query('code') ?? '')))
  app.post('/setup', async (c) => {
    const form = await formOf(c)
    const secret = form('code').slice(0, 100)
    c.set('auditAs', { detail: { step: 'link' } })
    try {
      requirePrivacy(c, config)
      const [email, name] = [emailSchema.safeParse(form('email')), personName.safeParse(form('name').trim())]
      const password = form('password').slice(0, 2000)
      await followLink(engine, secret, { email: email.data, name: name.data, password })
      return goTo(c, '/sign-in?done=password')
    } catch (error) {
      const { message, status } = audited(c, error)
      return page(c, 'Set your password', await setUp(secret, message), status)
    }
  })
  return app

  /** The error as the page shows it, and the audit as well. */
  function audited(c: Parameters<typeof goTo>[0], error: unknown): ApiError {
    const refusal = refusalOf(error)
    c.set('auditAs', { ...c.get('auditAs'), reason: refusal.message })
    return refusal
  }
}

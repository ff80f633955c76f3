import { html, raw } from 'hono/html'
import encodeQR from 'qr'
import type { ApiToken, Role, User, UserSession } from '../../model/account.ts'
import { ROLES } from '../../model/account.ts'
import { agentName } from './agent.ts'
import { choice, field, type Part } from './layout.ts'

/** A form of the account page that has nothing but a button. */
export function actionForm(what: string, label: string, hidden: Readonly<Record<string, string>> = {}, css = 'small') {
  return html`<form method="post" action="account"><input type="hidden" name="do" value="${what}">${Object.entries(hidden).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  )}<button class="${css}">${label}</button></form>`
}

export function passwordField(label: string, name: string, autocomplete = 'current-password') {
  return field(label, name, { type: 'password', autocomplete })
}

export function sessionsPart(sessions: readonly UserSession[], currentId: string): Part {
  return html`<h2>Sessions</h2>
${sessions.map(
  ({ sessionId, address, lastUsedMs, userAgent }) => html`<div class="row"><div>${agentName(userAgent)}${
    sessionId === currentId ? html` <b>(this one)</b>` : ''
  }<br><span class="dim">${address || 'unknown address'}, last used ${minute(lastUsedMs)}</span></div>
${actionForm('end', 'End', { session: sessionId })}</div>`,
)}
${sessions.length > 1 ? html`<p>${actionForm('end-others', 'End all others')}</p>` : ''}`
}

export function passwordPart(): Part {
  return html`<h2>Password</h2>
<form method="post" action="account"><input type="hidden" name="do" value="password">
<p class="dim">A new password ends all other sessions.</p>
${passwordField('Current password', 'current')}${passwordField('New password', 'new', 'new-password')}<button>Change password</button></form>`
}

export function factorPart(hasSecondFactor: boolean): Part {
  return html`<h2>Authenticator app</h2>
<form method="post" action="account"><input type="hidden" name="do" value="${hasSecondFactor ? 'remove-factor' : 'factor'}">
<p class="dim">${
    hasSecondFactor
      ? 'You have set up an authenticator app: you need a code of it to sign in.'
      : 'With an authenticator app, a stolen password is not enough to sign in.'
  }</p>
${passwordField('Password', 'password')}<button>${hasSecondFactor ? 'Remove the app' : 'Set up an app'}</button></form>`
}

export interface FactorShown {
  /** `otpauth://totp/…`. */
  readonly url: string
  readonly recoveryCodes: readonly string[]
}

/** What an app is set up with. The form has it too, so that a code with a typing error does not mean to begin again. */
export function newFactorPart({ url, recoveryCodes }: FactorShown): Part {
  const codes = recoveryCodes.join(' ')
  const secret = new URL(url).searchParams.get('secret') ?? ''
  return html`<h2>1. Add Caracal to the app</h2>
<p>Scan this with your authenticator app, or open <a href="${url}">this link</a> on the device that has it:</p>
<div class="qr" role="img" aria-label="QR code of the key below">${raw(encodeQR(url, 'svg', { border: 3 }))}</div>
<p>If neither is possible, enter this key:</p>
<code>${(secret.match(/.{1,4}/g) ?? []).map((four) => html`<span>${four}</span> `)}</code>
<h2>2. Store the recovery codes</h2>
<p>Each signs in once without the app. Store them where you do not need the app; they are not shown again.</p>
<code>${recoveryCodes.map((code) => html`<span>${code}</span> `)}</code>
<h2>3. Enter a code</h2>
<form method="post" action="account"><input type="hidden" name="do" value="confirm">
<input type="hidden" name="url" value="${url}"><input type="hidden" name="codes" value="${codes}">
${field('Code that the app shows now', 'code', { autocomplete: 'one-time-code' })}<div class="actions"><button>Confirm</button><a href="account">Cancel</a></div></form>`
}

/** What `newFactorPart` had sent along; `undefined` if it is nothing of the kind. */
export function factorShown(form: (name: string) => string): FactorShown | undefined {
  const [url, codes] = [form('url'), form('codes')]
  const isOurs =
    url.length < 500 && /^otpauth:\/\/totp\/[!-~]+$/.test(url) && codes.length < 500 && /^[\w-]+(?: [\w-]+)*$/.test(codes)
  return isOurs ? { url, recoveryCodes: codes.split(' ') } : undefined
}

/** The spans for which a token can be valid, in days. */
export const TOKEN_DAYS: Readonly<Record<string, string>> = {
  7: 'a week',
  30: '30 days',
  90: '90 days',
  365: 'a year',
  never: 'until it is revoked',
}

export function tokensPart(tokens: readonly ApiToken[], user: User, nowMs: number): Part {
  const isInForce = ({ revokedMs, expiresMs }: ApiToken) => revokedMs === null && (expiresMs === null || expiresMs > nowMs)
  const roles = ROLES.slice(ROLES.indexOf(user.role))
  return html`<h2>Tokens</h2>
<p class="dim">For scripts and programs of yours. They can do and see no more than you can, and end with your account.</p>
${tokens.filter(isInForce).map(
  (token) => html`<div class="row"><div>${token.name} <span class="dim">${token.role}${
    token.logTypes.length > 0 ? `, ${token.logTypes.join(', ')}` : ''
  }${token.cidrs.length > 0 ? `, from ${token.cidrs.join(', ')}` : ''}</span><br>
<span class="dim">${token.expiresMs === null ? 'does not expire' : `expires ${minute(token.expiresMs)}`}, ${
    token.lastUsedMs === null ? 'never used' : `last used ${minute(token.lastUsedMs)} from ${token.lastAddress}`
  }</span></div>
${actionForm('revoke-token', 'Revoke', { token: token.tokenId })}</div>`,
)}
<h3>New token</h3>
<form method="post" action="account"><input type="hidden" name="do" value="token">
${field('Name', 'name', { hint: `What it does appears under ${user.email}/ and this name.` })}
<div class="side">${choice('Role', 'role', Object.fromEntries(roles.map((role: Role) => [role, role])), roles.at(-1)!)}
${choice('Valid for', 'days', TOKEN_DAYS, '90')}</div>
${field('Log types', 'log_types', { optional: 'yes', hint: 'Such as Nginx.*, separated by blanks. Empty: those that you may see.' })}
${field('Networks', 'cidrs', { optional: 'yes', hint: 'Such as 10.0.0.0/8, separated by blanks. Empty: any.' })}
<button>Create token</button></form>`
}

export function createdTokenPart({ name, role, expiresMs }: ApiToken, secret: string): Part {
  return html`<p>The token <b>${name}</b> with the role ${role} is valid ${
    expiresMs === null ? 'until it is revoked' : `until ${minute(expiresMs)}`
  }. Copy it now: it is not shown again.</p>
<code>${secret}</code>
<p class="dim">Programs send it in the header <b>Authorization: Bearer …</b></p>
<p><a class="button" href="account">Done</a></p>`
}

/** `2026-07-01 14:05 UTC`. */
function minute(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}

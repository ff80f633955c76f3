import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Browser } from '../../../test/support/browser.ts'
import { type FakeEngine, fakeEngine } from '../../../test/support/fake-engine.ts'
import { oidcSchema, signInSchema } from '../../config/sign-in.ts'

/** Single sign-on at a real provider (`oidc-provider`), over HTTP on this machine. */
const PEOPLE: Readonly<Record<string, object>> = {
  ana: { email: 'Ana@example.com', email_verified: true, name: 'Ana <b>', groups: ['staff', 'soc-admins'] },
  bo: { email: 'bo@example.com', email_verified: true, name: 'Bo', groups: ['staff'] },
  eve: { email: 'eve@example.com', email_verified: false, groups: ['soc-admins'] },
  mal: { email: 'mal@evil.example', email_verified: true, groups: ['soc-admins'] },
}
let server: Server
let issuer: string
let engine: FakeEngine | undefined

beforeEach(async () => {
  const { default: Provider } = (await import('oidc-provider' as string)) as {
    default: new (...args: unknown[]) => { callback(): never }
  }
  server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: 'caracal',
        client_secret: 'the-secret-of-the-client',
        redirect_uris: ['http://127.0.0.1:4848/sign-in/callback/oidc'],
      },
    ],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'], groups: ['groups'] },
    scopes: ['openid', 'email', 'profile', 'groups'],
    pkce: { required: () => true },
    findAccount: (_: unknown, id: string) => ({ accountId: id, claims: () => ({ sub: id, ...PEOPLE[id] }) }),
    cookies: { keys: ['a key of these tests'] },
  })
  server.on('request', provider.callback())
})
afterEach(async () => {
  await engine?.dispose()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

async function started(settings: object): Promise<FakeEngine> {
  const oidc = oidcSchema.parse({
    ...{ issuer, client_id: 'caracal', client_secret: { env: 'X' }, scopes: ['openid', 'email', 'profile', 'groups'] },
    ...settings,
  })
  engine = await fakeEngine({ sign_in: { ...signInSchema.parse({}), oidc } })
  return engine
}

/** Goes through the provider's pages as this person; returns the address that it sends the browser to. */
async function atProvider(start: string, person: string): Promise<URL> {
  const cookies = new Map<string, string>()
  const get = async (
    url: string,
    form?: Record<string, string>,
  ): Promise<{ to: string | undefined; text: string; url: string }> => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { cookie },
      ...(form && { method: 'POST', body: new URLSearchParams(form) }),
    })
    for (const set of response.headers.getSetCookie()) {
      const [pair = ''] = set.split(';')
      cookies.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1))
    }
    const to = response.headers.get('location') ?? undefined
    return { to: to && new URL(to, url).href, text: await response.text(), url }
  }
  let at = await get(start)
  for (let i = 0; i < 12; i++) {
    if (at.to?.startsWith('http://127.0.0.1:4848/')) return new URL(at.to)
    if (at.to !== undefined) at = await get(at.to)
    else {
      const prompt = /name="prompt" value="(\w+)"/.exec(at.text)?.[1]
      const action = /action="([^"]+)"/.exec(at.text)?.[1]
      if (!prompt || !action) throw new Error(at.text.slice(0, 500))
      at = await get(new URL(action, at.url).href, prompt === 'login' ? { prompt, login: person, password: 'x' } : { prompt })
    }
  }
  throw new Error('the provider does not come to an end')
}

async function begun(browser: Browser): Promise<string> {
  const response = await browser.call('GET', '/sign-in/oidc?next=/alerts/1')
  expect(response.status).toBe(303)
  return response.headers.get('location')!
}

async function signedIn(person: string, browser = new Browser(engine!)) {
  const back = await atProvider(await begun(browser), person)
  const response = await browser.call('GET', `${back.pathname}${back.search}`)
  return { browser, response, back, text: await response.text() }
}

const GROUPS = { role_claim: 'groups', roles: { admin: ['soc-admins'], viewer: ['staff'] } }

test('somebody who has an account signs in with PKCE, state and nonce, and gets the role of a group', async () => {
  const { accounts, audited } = await started(GROUPS)
  await accounts.users.create({ email: 'ana@example.com', name: 'Ana', role: 'viewer', logTypes: ['Nginx.*'], createdBy: 'test' })
  const asked = new URL(await begun(new Browser(engine!))).searchParams
  expect([asked.get('code_challenge_method'), asked.get('response_type')]).toEqual(['S256', 'code'])
  for (const name of ['state', 'nonce', 'code_challenge']) expect(asked.get(name)).toMatch(/^[\w-]{20,}$/)
  const { browser, response } = await signedIn('ana')
  expect([response.status, response.headers.get('location')]).toEqual([303, './../../alerts/1'])
  expect((await browser.ask('GET', '/api/v1/me')).body).toMatchObject({ name: 'ana@example.com', role: 'admin', log_types: null })
  expect(audited).toContainEqual(expect.objectContaining({ audit_event: 'signed_in', caller: 'ana@example.com' }))
})

test('somebody unknown is refused, or gets an account if the configuration says so', async () => {
  const { accounts } = await started({})
  const { response, text } = await signedIn('bo')
  expect([response.status, text]).toEqual([403, expect.stringContaining('no account')])
  expect(accounts.users.list()).toEqual([])
  await engine!.dispose()
  const open = await started({ ...GROUPS, unknown_users: 'create', default_log_types: ['Nginx.*'] })
  const { browser } = await signedIn('bo')
  expect((await browser.ask('GET', '/api/v1/me')).body).toMatchObject({
    name: 'bo@example.com',
    role: 'viewer',
    log_types: ['Nginx.*'],
  })
  await signedIn('ana')
  expect(open.accounts.users.find('ana@example.com')).toMatchObject({ name: 'Ana b', role: 'admin', createdBy: 'single sign-on' })
})

test('an administrator whom the provider gives a lesser role sees the log types of newcomers from then on', async () => {
  const { accounts } = await started({ ...GROUPS, default_log_types: ['Nginx.*'] })
  const [bo, ana] = ['bo@example.com', 'ana@example.com']
  await accounts.users.create({ email: ana, name: 'Ana', role: 'admin', logTypes: [], createdBy: 'test' })
  await accounts.users.setPassword(accounts.users.find(ana)!.userId, 'four words in a row')
  await accounts.users.create({ email: bo, name: 'Bo', role: 'admin', logTypes: [], createdBy: 'test' })
  const { browser } = await signedIn('bo')
  expect((await browser.ask('GET', '/api/v1/me')).body).toMatchObject({ name: bo, role: 'viewer', log_types: ['Nginx.*'] })
  const signIns = () => engine!.audited.filter(({ audit_event }) => audit_event === 'signed_in')
  expect(signIns().at(-1)).toMatchObject({ caller: bo, caller_role: 'viewer', detail: { step: 'oidc', role_before: 'admin' } })
  await signedIn('bo')
  expect(signIns().at(-1)).toMatchObject({ caller: bo, caller_role: 'viewer', detail: { step: 'oidc' } })
  expect(signIns().at(-1)).not.toMatchObject({ detail: { role_before: expect.anything() } })
})

test('addresses that are not verified, of other domains, and people without a group with a role are refused', async () => {
  await started({ ...GROUPS, unknown_users: 'create', allowed_domains: ['example.com'], roles: { admin: ['soc-admins'] } })
  for (const [person, why] of [
    ['eve', 'verified'],
    ['mal', 'allowed_domains'],
    ['bo', 'no group'],
  ] as const) {
    const { response, text } = await signedIn(person)
    expect([person, response.status, text]).toEqual([person, 403, expect.stringContaining(why)])
  }
  expect(engine!.accounts.users.list()).toEqual([])
})

test('an answer of the provider counts once, and only in the browser that began', async () => {
  await started({ unknown_users: 'create' })
  const mine = new Browser(engine!)
  const back = await atProvider(await begun(mine), 'ana')
  const path = `${back.pathname}${back.search}`
  expect((await new Browser(engine!).call('GET', path)).status).toBe(403)
  const other = new Browser(engine!)
  await begun(other)
  expect((await other.call('GET', path)).status).toBe(403)
  expect((await mine.call('GET', path.replace(/code=[^&]+/, 'code=forged'))).status).toBe(403)
  expect((await mine.call('GET', path)).status).toBe(403)
  expect(engine!.accounts.users.list()).toEqual([])
})

test('a disabled user cannot come in by the provider', async () => {
  const { accounts } = await started({ unknown_users: 'create' })
  await signedIn('ana')
  await accounts.users.create({ email: 'bo@example.com', name: 'Bo', role: 'admin', logTypes: [], createdBy: 'test' })
  expect(await accounts.users.change('ana@example.com', { isDisabled: true })).toMatchObject({ state: 'disabled' })
  const { response, browser } = await signedIn('ana')
  expect([response.status, (await browser.ask('GET', '/api/v1/me')).status]).toEqual([403, 401])
})

import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Browser } from '../../../test/support/browser.ts'
import { type FakeEngine, fakeEngine } from '../../../test/support/fake-engine.ts'
import { codeAt } from '../../../test/support/totp.ts'
import { signInSchema } from '../../config/sign-in.ts'
import { createApp } from '../app.ts'

const PASSWORD = 'four words in a row'
const EMAIL = 'ana@example.com'

let engine: FakeEngine
let ana: Browser

async function started(signIn: object = {}, limits: { readonly logTypes?: string[] } = {}): Promise<void> {
  engine = await fakeEngine({ sign_in: signInSchema.parse(signIn) })
  const { users } = engine.accounts
  const made = await users.create({ email: EMAIL, name: 'Ana <b>', role: 'analyst', logTypes: [], createdBy: 'test', ...limits })
  await users.setPassword((made as { userId: string }).userId, PASSWORD)
  ana = await another()
}

async function another(): Promise<Browser> {
  const browser = new Browser(engine)
  // Sessions are listed by when they began.
  vi.setSystemTime(Date.now() + 1000)
  expect((await browser.signIn(EMAIL, PASSWORD)).body).toEqual({ state: 'signed_in' })
  return browser
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2026, 5, 1) })
})
afterEach(async () => {
  vi.useRealTimers()
  await engine.dispose()
})

const get = async (browser = ana, path = '/account') => (await browser.call('GET', path)).text()

/** Sends a form; returns the status, where it leads and the page. */
async function send(fields: Record<string, string>, browser = ana) {
  const response = await browser.call('POST', '/account', new URLSearchParams(fields))
  return { status: response.status, to: response.headers.get('location'), text: await response.text() }
}

/** The values of the hidden fields of this name, in their order. */
const hidden = (text: string, name: string) =>
  [...text.matchAll(new RegExp(`name="${name}" value="([^"]*)"`, 'g'))].map(([, value]) => value!)

const asToken = (secret: string, path: string) =>
  createApp(engine).request(path, { headers: { authorization: `Bearer ${secret}` } })

test('a token is created, shown once, listed, used and revoked', async () => {
  await started()
  expect(hidden(await get(), 'token')).toEqual([])
  const wish = { do: 'token', name: 'laptop', role: 'viewer', days: '30', log_types: 'Nginx.* AWS.CloudTrail', cidrs: '' }
  const { status, text } = await send(wish)
  const [secret] = /caracal_[\w-]{43}/.exec(text)!
  expect([status, text]).toEqual([200, expect.stringContaining('until 2026-07-01 00:00 UTC')])
  expect(await (await asToken(secret, '/api/v1/me')).json()).toMatchObject({
    ...{ name: `${EMAIL}/laptop`, role: 'viewer', log_types: ['Nginx.*', 'AWS.CloudTrail'] },
  })
  const listed = await get()
  expect(listed).toContain('laptop')
  expect(listed).not.toContain(secret)
  expect(engine.audited.at(-1)).toMatchObject({ audit_event: 'change', detail: { do: 'token', name: 'laptop' } })
  expect(JSON.stringify(engine.audited)).not.toContain(secret)
  expect((await send({ do: 'revoke-token', token: hidden(listed, 'token')[0]! })).to).toBe('./account?done=revoked')
  expect((await asToken(secret, '/api/v1/me')).status).toBe(401)
  expect(hidden(await get(), 'token')).toEqual([])
})

test.each([
  [{ role: 'admin' }, 403, 'role analyst'],
  [{ name: '' }, 400, 'name'],
  [{ name: '<script>' }, 400, 'name'],
  [{ days: '12' }, 400, 'how long'],
  [{ days: 'toString' }, 400, 'how long'],
  [{ cidrs: '10.0.0.0/8 everywhere' }, 400, 'cidrs'],
  [{ log_types: 'Zeek.SSH' }, 403, 'Nginx'],
  [{ log_types: 'a b; drop' }, 400, 'log types'],
])('a token with %o is refused with %d', async (wish, refusal, why) => {
  await started({}, { logTypes: ['Nginx.*'] })
  const { status, text } = await send({
    do: 'token',
    name: 'x',
    role: 'viewer',
    days: 'never',
    log_types: '',
    cidrs: '',
    ...wish,
  })
  const alert = /role="alert">([^<]*)/.exec(text)?.[1]
  expect([status, alert]).toEqual([refusal, expect.stringContaining(why)])
  expect(engine.tokens.list()).toEqual([])
})

test('one session is ended, then all others, and the own one stays', async () => {
  await started()
  const others = [await another(), await another(), await another()]
  const alive = async () => {
    const statuses = await Promise.all([ana, ...others].map(async (one) => (await one.call('GET', '/api/v1/me')).status))
    return statuses.filter((status) => status === 200).length
  }
  const ids = hidden(await get(), 'session')
  expect([ids.length, await alive()]).toEqual([4, 4])
  expect((await send({ do: 'end', session: ids[0]! })).to).toBe('./account?done=ended')
  expect((await send({ do: 'end', session: ids[0]! })).status).toBe(404)
  expect(await alive()).toBe(3)
  expect((await send({ do: 'end-others' })).to).toBe('./account?done=ended-others')
  expect(await alive()).toBe(1)
  expect((await ana.call('GET', '/api/v1/me')).status).toBe(200)
  expect(await get()).not.toContain('End all others')
})

test('ending the session of the page leads to signing in', async () => {
  await started()
  const [own] = hidden(await get(), 'session')
  expect((await send({ do: 'end', session: own! })).to).toBe('./sign-in')
  expect((await ana.call('GET', '/account')).status).toBe(303)
})

test('the sessions of others cannot be ended', async () => {
  await started()
  const { users } = engine.accounts
  const bo = await users.create({ email: 'bo@example.com', name: 'Bo', role: 'viewer', logTypes: [], createdBy: 'test' })
  await users.setPassword((bo as { userId: string }).userId, PASSWORD)
  const browser = new Browser(engine)
  await browser.signIn('bo@example.com', PASSWORD)
  const [own] = hidden(await get(browser), 'session')
  expect((await send({ do: 'end', session: own! })).status).toBe(404)
  await send({ do: 'end-others' })
  expect((await browser.call('GET', '/api/v1/me')).status).toBe(200)
})

test('an authenticator app is set up with a picture of its address; a wrong code shows the same picture again', async () => {
  await started()
  const first = await send({ do: 'factor', password: PASSWORD })
  const [url, codes] = ['url', 'codes'].map((name) => hidden(first.text, name)[0]!.replaceAll('&amp;', '&'))
  const svg = /<svg.*<\/svg>/s.exec(first.text)![0]
  expect(await readQr(svg)).toBe(url)
  // The policy of the page refuses these.
  expect(svg).not.toMatch(/style|script|href|on\w+=/)
  const wrong = await send({ do: 'confirm', code: 'abc', url: url!, codes: codes! })
  expect([wrong.status, wrong.text]).toEqual([403, expect.stringContaining(svg)])
  const secret = new URL(url!).searchParams.get('secret')!
  const right = await send({ do: 'confirm', code: codeAt(secret), url: url!, codes: codes! })
  expect([right.status, right.to]).toEqual([303, './account?done=factor'])
  expect((await new Browser(engine).signIn(EMAIL, PASSWORD)).body).toEqual({ state: 'code_needed' })
})

test.each([
  { url: 'javascript:alert(1)', codes: 'a b' },
  { url: 'otpauth://totp/x"><script>alert(1)</script>', codes: '"><script>' },
  { url: `otpauth://totp/${'x'.repeat(5000)}`, codes: 'a' },
])('a form that was made up shows nothing of $url', async (fields) => {
  await started()
  const { status, text } = await send({ do: 'confirm', code: '000000', ...fields })
  expect([status, text.includes('<svg'), text.includes('<script')]).toEqual([403, false, false])
})

test('somebody who still needs an authenticator app can set one up and sign out, and gets no token that would be a way around it', async () => {
  await started({ require_second_factor: true })
  const text = await get()
  expect(text).toContain('Set up an authenticator app')
  expect(text).not.toContain('New token')
  const wish = { name: 'x', role: 'viewer' }
  expect((await send({ do: 'token', days: 'never', log_types: '', cidrs: '', ...wish })).status).toBe(403)
  expect(await ana.ask('POST', '/api/v1/me/tokens', wish)).toMatchObject({ status: 403, body: { code: 'second_factor_needed' } })
  expect(engine.tokens.list()).toEqual([])
  const { text: setUp } = await send({ do: 'factor', password: PASSWORD })
  const secret = new URL(hidden(setUp, 'url')[0]!.replaceAll('&amp;', '&')).searchParams.get('secret')!
  expect((await send({ do: 'confirm', code: codeAt(secret) })).status).toBe(303)
  expect((await ana.ask('POST', '/api/v1/me/tokens', wish)).status).toBe(200)
})

test('names and agents on the page are text', async () => {
  await started()
  const other = new Browser(engine)
  await other.ask(
    'POST',
    '/api/v1/sign-in',
    { email: EMAIL, password: PASSWORD },
    { 'user-agent': '<img src=x onerror=alert(1)>' },
  )
  const text = await get()
  expect(text).toContain('Ana &lt;b&gt;')
  expect(text).toContain('&lt;img src=x')
  expect(text).not.toContain('<img')
})

/** Reads a QR code from its modules, with the decoder of the same package, which knows nothing of the page. */
async function readQr(svg: string): Promise<string> {
  const { default: decodeQR } = await import('qr/decode.js')
  const size = Number(/viewBox="0 0 (\d+) \d+"/.exec(svg)![1])
  const scale = 4
  const data = new Uint8ClampedArray((size * scale) ** 2 * 4).fill(255)
  let [x, y] = [0, 0]
  // The path is made of squares: `M4 4h1v1H4Z`, or relative to the one before, `m1 0h1v1h-1Z`.
  for (const [, command, dx, dy] of svg.matchAll(/([Mm])(-?\d+)[ ,]?(-?\d+)h1v1/g)) {
    ;[x, y] = command === 'M' ? [Number(dx), Number(dy)] : [x + Number(dx), y + Number(dy)]
    for (let row = y * scale; row < (y + 1) * scale; row++)
      data.fill(0, (row * size * scale + x * scale) * 4, (row * size * scale + (x + 1) * scale) * 4)
  }
  for (let at = 3; at < data.length; at += 4) data[at] = 255
  return decodeQR({ width: size * scale, height: size * scale, data })
}

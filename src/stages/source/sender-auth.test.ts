import { createHmac } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { beforeEach, expect, test } from 'vitest'
import { sendNothing } from '../../util/http/send.ts'
import { http } from './http.ts'
import type { Intake, IntakeDeps } from './source.ts'

const NOW_SECS = 1_700_000_000
const SECRET = 'wholly & secret: ü'
const github = { type: 'hmac', header: 'X-Hub-Signature-256', prefix: 'sha256=', secret: { env: 'S' } }
const slack = {
  ...github,
  header: 'X-Slack-Signature',
  prefix: 'v0=',
  timestamp: { header: 'X-Slack-Request-Timestamp', signed: 'v0:{timestamp}:{body}' },
}

let stored: string[]
beforeEach(() => {
  stored = []
})

async function sourceWith(auth: object): Promise<Intake> {
  const deps: IntakeDeps = {
    append: async (body) => void stored.push(Buffer.from(body).toString()),
    now: () => NOW_SECS * 1000,
    authorised: () => true,
    send: sendNothing,
    secret: (reference) => ('env' in reference && reference.env === 'PLAIN' ? 'plain secret' : SECRET),
  }
  return http.pushes!(http.config.parse({ id: 'hooks', auth }), deps)
}

async function post(auth: object, headers: Record<string, string>, body: string | Uint8Array<ArrayBuffer> = '{"a":1}') {
  const init = { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } }
  const response = await (await sourceWith(auth)).handle!(new Request('http://x/', init), '')
  return { status: response.status, text: await response.text(), challenge: response.headers.get('www-authenticate') }
}

function sign(text: string | Uint8Array, algorithm = 'sha256', encoding: 'hex' | 'base64' = 'hex'): string {
  return createHmac(algorithm, SECRET).update(text).digest(encoding)
}

const basic = (pair: string) => ({ authorization: `Basic ${Buffer.from(pair).toString('base64')}` })
const user = { type: 'basic', username: 'shipper', password: { env: 'S' } }
const shared = { type: 'shared_secret', header: 'X-Token', secret: { env: 'PLAIN' } }

test.each<[string, object, Record<string, string>]>([
  ['a user name and password', user, basic(`shipper:${SECRET}`)],
  ['a signature as GitHub writes it', github, { 'x-hub-signature-256': `sha256=${sign('{"a":1}')}` }],
  ['a signature in capitals', github, { 'x-hub-signature-256': `sha256=${sign('{"a":1}').toUpperCase()}` }],
  [
    'SHA-1 in base64 without a prefix',
    { ...github, prefix: '', algorithm: 'sha1', encoding: 'base64' },
    { 'x-hub-signature-256': sign('{"a":1}', 'sha1', 'base64') },
  ],
  [
    'a signature as Slack writes it',
    slack,
    {
      'x-slack-request-timestamp': String(NOW_SECS - 299),
      'x-slack-signature': `v0=${sign(`v0:${NOW_SECS - 299}:{"a":1}`)}`,
    },
  ],
])('%s is accepted', async (_, auth, headers) => {
  expect(await post(auth, headers)).toMatchObject({ status: 202 })
  expect(stored).toEqual(['{"a":1}'])
})

test('a shared secret in a header is accepted, and nothing else in it', async () => {
  expect((await post(shared, { 'x-token': 'plain secret' })).status).toBe(202)
  for (const headers of [{ 'x-token': 'plain secre' }, { 'x-token': '' }, {}, { authorization: 'Bearer plain secret' }])
    expect((await post(shared, headers as Record<string, string>)).status).toBe(401)
  expect(stored).toEqual(['{"a":1}'])
})

const stale = String(NOW_SECS - 301)
test.each<[string, object, Record<string, string>, RegExp]>([
  ['no user', user, {}, /user name and password/],
  ['the wrong password', user, basic('shipper:wrong'), /user name and password/],
  ['the wrong user', user, basic(`other:${SECRET}`), /user name and password/],
  ['a bearer token', user, { authorization: 'Bearer good' }, /user name and password/],
  ['no signature', github, {}, /X-Hub-Signature-256 with the body's signature is missing/],
  ['another prefix', github, { 'x-hub-signature-256': `sha1=${sign('{"a":1}')}` }, /does not begin with 'sha256='/],
  ['the signature of another body', github, { 'x-hub-signature-256': `sha256=${sign('{"a":2}')}` }, /does not fit the body/],
  ['a part of a signature', github, { 'x-hub-signature-256': `sha256=${sign('{"a":1}').slice(0, 8)}` }, /does not fit/],
  ['an empty signature', github, { 'x-hub-signature-256': 'sha256=' }, /does not fit/],
  [
    'a signature without its time',
    slack,
    { 'x-slack-signature': `v0=${sign('v0::{"a":1}')}` },
    /X-Slack-Request-Timestamp must contain/,
  ],
  [
    'a replayed request',
    slack,
    { 'x-slack-request-timestamp': stale, 'x-slack-signature': `v0=${sign(`v0:${stale}:{"a":1}`)}` },
    /301 s away from the clock here, and 300 s are allowed/,
  ],
  [
    'a replayed request with a new time',
    slack,
    { 'x-slack-request-timestamp': String(NOW_SECS), 'x-slack-signature': `v0=${sign(`v0:${stale}:{"a":1}`)}` },
    /does not fit/,
  ],
  [
    'a signature whose time is in another header',
    slack,
    { 'x-slack-signature': `v0=${sign(`v0:${NOW_SECS}:{"a":1}`)}` },
    /must contain/,
  ],
])('%s: 401, nothing is stored, and the secret is not in the answer', async (_, auth, headers, message) => {
  const answer = await post(auth, headers)
  expect(answer.status).toBe(401)
  expect(answer.text).toMatch(message)
  expect(answer.text).not.toContain(SECRET)
  expect(answer.challenge).toBe(auth === user ? 'Basic realm="caracal", charset="UTF-8"' : null)
  expect(stored).toEqual([])
})

test('what is signed is the body as it was sent, compressed or not', async () => {
  const body = Uint8Array.from(gzipSync('{"a":1}'))
  const sent = (signed: string | Uint8Array) =>
    post(github, { 'x-hub-signature-256': `sha256=${sign(signed)}`, 'content-encoding': 'gzip' }, body)
  expect((await sent(body)).status).toBe(202)
  expect((await sent('{"a":1}')).status).toBe(401)
})

test('the challenge that Slack sends to a new URL is answered and not stored, if it is signed', async () => {
  const body = '{"token":"old","challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P","type":"url_verification"}'
  const time = { 'x-slack-request-timestamp': String(NOW_SECS) }
  const signed = await post(slack, { ...time, 'x-slack-signature': `v0=${sign(`v0:${NOW_SECS}:${body}`)}` }, body)
  expect(signed).toMatchObject({ status: 200, text: '3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P' })
  expect((await post(slack, { ...time, 'x-slack-signature': 'v0=00' }, body)).status).toBe(401)
  expect(stored).toEqual([])
})

test.each<[string, object, RegExp]>([
  ['a secret in the configuration', { ...github, secret: 'abc' }, /a secret is not written in the configuration/],
  ['a text that does not cover the body', { ...slack, timestamp: { header: 'T', signed: '{timestamp}' } }, /\{body\}/],
  ['a user name with a colon', { ...user, username: 'a:b' }, /without a colon/],
  ['an unknown key', { ...shared, sceret: 1 }, /sceret/],
])('%s is refused', (_, auth, message) => {
  expect(http.config.safeParse({ id: 'hooks', auth }).error?.message).toMatch(message)
})

test('a source has a token or another way to authenticate, not both', () => {
  const both = http.config.parse({ id: 'hooks', auth: github, token: { env: 'T' } })
  expect(() => http.listens!(both)).toThrow("source 'hooks' has both `token` and `auth`: remove one")
})

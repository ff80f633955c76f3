import { afterEach, expect, test } from 'vitest'
import { type FakeEngine, fakeEngine, KEY } from '../../../test/support/fake-engine.ts'
import { FORWARDED, forwardedHeader } from '../../util/http/forwarded.ts'
import { createApp } from '../app.ts'

let engine: FakeEngine
afterEach(() => engine.dispose())

const REQUEST = { method: 'POST', url: '/api/v1/sign-in' }
/** Signs in with a wrong password, by way of the node door. */
async function signIn(hop: string, client: { readonly address: string; readonly isTls: boolean }) {
  const header = forwardedHeader(KEY, engine.config.node!, { node: 'door', ...client }, REQUEST)
  const headers = { 'content-type': 'application/json', [FORWARDED]: header }
  const body = JSON.stringify({ email: 'ana@example.com', password: 'wrong wrong wrong' })
  const incoming = { ...REQUEST, socket: { remoteAddress: hop } }
  const response = await createApp(engine).request(REQUEST.url, { ...REQUEST, headers, body }, { incoming })
  return { status: response.status, ...((await response.json()) as { code: string; detail: string }) }
}

const [FAR, NEAR, PROXY] = ['192.0.2.7', '127.0.0.1', '198.51.100.1']
test.each<[string, { tls: boolean }, string, { address: string; isTls: boolean }, RegExp | undefined]>([
  ['both in the clear on one machine', { tls: false }, NEAR, { address: NEAR, isTls: false }, undefined],
  ['to the first node in the clear', { tls: false }, NEAR, { address: FAR, isTls: false }, /comes from 192.0.2.7: /],
  ['to the first node in the clear, then with TLS', { tls: true }, FAR, { address: FAR, isTls: false }, /comes from 192.0.2.7: /],
  ['with TLS, then in the clear', { tls: false }, FAR, { address: FAR, isTls: true }, /comes from the node door at 192.0.2.7: /],
  ['both with TLS', { tls: true }, FAR, { address: FAR, isTls: true }, undefined],
  ['from a trusted proxy, then on one machine', { tls: false }, NEAR, { address: PROXY, isTls: false }, undefined],
  ['from a trusted proxy, then with TLS', { tls: true }, FAR, { address: PROXY, isTls: false }, undefined],
  ['with TLS, then from a trusted node', { tls: false }, PROXY, { address: FAR, isTls: true }, undefined],
])('a password that travels %s', async (_way, { tls }, hop, client, refusal) => {
  const file = { file: '/none.pem' }
  engine = await fakeEngine({ node: 'a', trusted_proxies: [PROXY], ...(tls && { tls: { cert: file, key: file } }) })
  const answer = await signIn(hop, client)
  expect([answer.status, answer.code]).toEqual(refusal ? [403, 'plain_http'] : [401, 'unauthorized'])
  if (refusal) expect(answer.detail).toMatch(refusal)
})

import { generateKeyPairSync, verify } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { TestApi } from '../../../../test/support/api.ts'
import { take } from '../objects/taking.fixture.ts'
import type { BatchSource } from '../source.ts'
import { numbers, recordsOf, until } from './poll.fixture.ts'
import { poll } from './poll.ts'

let api: TestApi
beforeEach(async () => {
  api = await TestApi.create()
})
afterEach(() => api.close())

const open = (config: object) =>
  api.open((deps) => poll.seekable!(poll.config.parse({ id: 'api', ...api.config, ...config }), { ...deps, cursors: [] }))
const read = async (source: BatchSource) => recordsOf(await take(source))

describe('credentials', () => {
  test.each([
    [{ type: 'bearer', token: { env: 'T' } }, 'authorization', 'Bearer s3cr3t'],
    [{ type: 'bearer', scheme: 'SSWS', token: { env: 'T' } }, 'authorization', 'SSWS s3cr3t'],
    [
      { type: 'basic', username: 'me', password: { env: 'T' } },
      'authorization',
      `Basic ${Buffer.from('me:s3cr3t').toString('base64')}`,
    ],
    [{ type: 'header', name: 'X-Api-Key', value: { env: 'T' } }, 'x-api-key', 's3cr3t'],
  ])('%j', async (auth, header, value) => {
    api.answer = () => ({ json: [{ n: 1 }] })
    expect(await read(open({ auth }))).toHaveLength(1)
    expect(api.requests[0]!.headers[header]).toBe(value)
  })

  /** A token server that issues t1, t2, …, and a list that accepts only the newest. */
  function tokens(seconds: number): { issued: number; newest: number; forms: URLSearchParams[] } {
    const state = { issued: 0, newest: 1, forms: [] as URLSearchParams[] }
    api.isFirst = ({ path }) => path !== '/token'
    api.answer = ({ path, body, headers }) => {
      if (path === '/token') {
        state.forms.push(new URLSearchParams(body))
        return { json: { access_token: `t${++state.issued}`, expires_in: seconds, token_type: 'Bearer' } }
      }
      const isGood = headers.authorization === `Bearer t${state.issued}` && state.issued >= state.newest
      return isGood ? { json: [{ n: state.newest }] } : { status: 401 }
    }
    return state
  }
  const oauth2 = () => ({
    type: 'oauth2',
    token_url: `${api.server.url}/token`,
    client_id: 'me',
    client_secret: { env: 'T' },
    scope: 'a b',
  })

  test('a token is requested once, and again when it is refused', async () => {
    const state = tokens(3600)
    const source = open({ auth: oauth2() })
    expect(numbers(await read(source))).toEqual([1])
    expect(state.issued).toBe(1)
    expect(Object.fromEntries(state.forms[0]!)).toEqual({
      grant_type: 'client_credentials',
      scope: 'a b',
      client_id: 'me',
      client_secret: 's3cr3t',
    })
    state.newest = 2
    expect(numbers(await read(source))).toEqual([2])
    expect(state.issued).toBe(2)
    expect(source.status().problems).toEqual([])
  })

  test('a token that expires is renewed', async () => {
    const state = tokens(1)
    const source = open({ auth: oauth2() })
    expect(numbers(await read(source))).toEqual([1])
    while (state.issued < 2) await read(source)
    expect(source.status().problems).toEqual([])
  })

  test('a token that lives for five minutes or less is used for several requests', async () => {
    const state = tokens(300)
    const source = open({ auth: oauth2() })
    expect(numbers(await read(source))).toEqual([1])
    expect(await read(source)).toEqual([])
    expect(state.issued).toBe(1)
  })

  test('a refused client is a problem that does not show the secret', async () => {
    api.answer = () => ({ status: 401, json: { error: 'invalid_client', error_description: 'no s3cr3t' } })
    const source = open({ auth: oauth2() })
    void source.next()
    await until(() => source.status().problems![0])
    expect(source.status().problems).toEqual([
      `records: no token: ${api.server.url} answered 401 (invalid_client): check the id and the secret of the client; the secret may have expired`,
    ])
  })

  test('a service account signs for a user', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const state = tokens(3600)
    api.secret = JSON.stringify({
      client_email: 'a@example.com',
      private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
      token_uri: `${api.server.url}/token`,
    })
    const auth = { type: 'service_account', key: { env: 'K' }, subject: 'admin@example.com', scopes: ['x', 'y'] }
    expect(numbers(await read(open({ auth })))).toEqual([1])
    const [header, claims, signature] = state.forms[0]!.get('assertion')!.split('.') as [string, string, string]
    expect(verify('RSA-SHA256', Buffer.from(`${header}.${claims}`), publicKey, Buffer.from(signature, 'base64url'))).toBe(true)
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({
      iss: 'a@example.com',
      sub: 'admin@example.com',
      scope: 'x y',
      aud: `${api.server.url}/token`,
    })
  })
})

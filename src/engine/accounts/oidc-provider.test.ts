import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { configSchema } from '../../config/config.ts'
import { oidcProvider } from './oidc-provider.ts'

test('a key of a kind that is not known here does not keep people from signing in', async () => {
  const known = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' })
  const server = createServer((request, response) => {
    const isKeys = request.url === '/keys'
    const document = {
      ...{ issuer, authorization_endpoint: `${issuer}/auth`, token_endpoint: `${issuer}/token`, jwks_uri: `${issuer}/keys` },
    }
    const keys = [{ kty: 'AKP', alg: 'ML-DSA-44', kid: 'new', pub: 'AA' }, { kty: 'EC', crv: 'P-999', kid: 'odd' }, known]
    response.end(JSON.stringify(isKeys ? { keys } : document))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  try {
    const oidc = { issuer, client_id: 'caracal', client_secret: { env: 'SECRET' } }
    const { sign_in } = configSchema.parse({ sign_in: { oidc } })
    const provider = oidcProvider({
      ...{ config: sign_in.oidc!, clientSecret: 'x', now: Date.now },
      send: async ({ url }) => {
        const answer = await fetch(url)
        return { status: answer.status, headers: {}, body: new Uint8Array(await answer.arrayBuffer()) } as never
      },
    })
    const wanted = { state: 's', codeVerifier: 'v', redirectURI: 'http://127.0.0.1:4848/back', idTokenNonce: 'n' }
    expect((await provider.createAuthorizationURL(wanted)).pathname).toBe('/auth')
  } finally {
    server.close()
  }
})

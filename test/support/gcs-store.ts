import { createHash, createVerify, generateKeyPairSync } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { part, type StoredObject } from './s3-store.ts'
import type { Received, TestServer } from './servers.ts'

const { privateKey, publicKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
})
const EMAIL = 'reader@example.iam.gserviceaccount.com'

/** The part of Google Cloud Storage that reading needs: a token for a signed statement, lists, and objects by generation. */
export class GcsStore {
  readonly objects = new Map<string, StoredObject>()
  readonly refusals = new Map<string, readonly [status: number, code: string, headers?: Record<string, string>]>()
  pageSize = 1000
  /** Tokens that were given out; only the last one is valid. */
  tokens = 0
  readonly config = { bucket: 'logs', service_account_key: { env: 'KEY' } }
  readonly #server: TestServer

  constructor(server: TestServer) {
    this.#server = server
    server.answer = (response, request) => void this.#answer(response, request)
  }

  /** The key file of the service account. */
  get secret(): string {
    return JSON.stringify({
      type: 'service_account',
      client_email: EMAIL,
      private_key_id: 'k1',
      private_key: privateKey,
      token_uri: `${this.#server.url}/token`,
    })
  }

  listed(query: URLSearchParams): 'first' | 'next' | undefined {
    return query.has('fields') ? (query.has('pageToken') ? 'next' : 'first') : undefined
  }

  #answer(response: ServerResponse, request: Received): unknown {
    const { pathname, searchParams: query } = new URL(request.url, this.#server.url)
    if (pathname === '/token') return this.#token(response, request)
    if (request.headers['authorization'] !== `Bearer token-${this.tokens}`) return response.writeHead(401).end()
    const [, encoded = ''] = /^\/storage\/v1\/b\/logs\/o(?:\/([^/]+))?$/.exec(pathname) ?? []
    const key = decodeURIComponent(encoded)
    const refused = this.refusals.get(key)
    if (refused) return response.writeHead(refused[0], refused[2]).end()
    if (key === '') return response.end(JSON.stringify(this.#list(query)))
    const object = this.objects.get(key)
    if (!object || query.get('generation') !== generationOf(object)) return response.writeHead(404).end()
    return part(response, Buffer.from(object.content), request.headers['range'], {})
  }

  #token(response: ServerResponse, { body }: Received): unknown {
    const assertion = new URLSearchParams(body).get('assertion') ?? ''
    const [header = '', claims = '', signature = ''] = assertion.split('.')
    const isSigned = createVerify('RSA-SHA256').update(`${header}.${claims}`).verify(publicKey, signature, 'base64url')
    const { iss, aud, scope, iat, exp } = JSON.parse(Buffer.from(claims, 'base64url').toString())
    const isGood = isSigned && iss === EMAIL && aud === `${this.#server.url}/token` && exp - iat === 3600
    if (!isGood || !scope.endsWith('devstorage.read_only')) return response.writeHead(400).end('{"error":"invalid_grant"}')
    return response.end(JSON.stringify({ access_token: `token-${++this.tokens}`, expires_in: 3599, token_type: 'Bearer' }))
  }

  #list(query: URLSearchParams): object {
    const from = Number(query.get('pageToken') ?? 0)
    const start = query.get('startOffset') ?? ''
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(query.get('prefix') ?? '') && key >= start).sort()
    const items = keys.slice(from, from + this.pageSize).map((name) => {
      const object = this.objects.get(name)!
      const updated = object.modified ?? '2024-03-12T08:00:00.000Z'
      return { name, generation: generationOf(object), size: String(Buffer.byteLength(object.content)), updated }
    })
    const isMore = from + this.pageSize < keys.length
    return { ...(items.length > 0 && { items }), ...(isMore && { nextPageToken: String(from + this.pageSize) }) }
  }
}

function generationOf({ content, modified = '' }: StoredObject): string {
  return String(createHash('md5').update(content).update(modified).digest().readUIntBE(0, 6))
}

import { generateKeyPairSync } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import type { RunQuery } from '../../src/stages/enrich/provider.ts'
import { zipOf } from '../../src/util/archive/zip.fixture.ts'
import { hash16 } from '../../src/util/hash.ts'
import type { LdapServer } from '../support/ldap-server.ts'
import type { Received, TestServer } from '../support/servers.ts'

/** Where a provider's content is put. */
export interface Place {
  readonly server: TestServer
  readonly ldap: LdapServer
  readonly folder: string
  /** Answers the queries of tables. */
  readonly lake: { runQuery: RunQuery }
}

/** Everything needed to use a provider: keys that point to the content's place, and how to put content there. */
export interface Fitting {
  readonly config: (place: Place) => object
  /** `undefined`: no content exists, or the server fails. */
  readonly put: (place: Place, content: string | Buffer | undefined) => void
  /** What the provider makes of the content. Default: the same. */
  readonly gives?: (content: string) => string
  /** Bytes of the content as its limit counts them. */
  readonly size?: (content: string) => number
  /** Lets the next refresh wait for an answer forever, and says when it has begun. */
  readonly hang?: (place: Place, arrived: () => void) => void
  /** The secret of the key that the provider asks for. */
  readonly secret?: string
}

export const SECRET = 's3cr3t-7a20'

/** A service whose answers are JSON; the content is the id of its only object. */
interface Service {
  readonly config: (url: string) => object
  readonly answer: (id: string) => object
  readonly row: (id: string) => object
  /** The answer to a request for a token. */
  readonly token?: { readonly path: string; readonly secret?: string }
}

const TOKEN = JSON.stringify({ access_token: 'token' })

function serviceFitting({ config, answer, row, token }: Service): Fitting {
  const bodyOf = (content: string) => JSON.stringify(answer(content))
  return {
    config: ({ server }) => config(server.url),
    put: ({ server }, content) => {
      server.answer = (response: ServerResponse, { url, headers }: Received) => {
        if (content === undefined) response.writeHead(500).end(JSON.stringify(headers))
        else response.end(token && url.startsWith(token.path) ? TOKEN : bodyOf(String(content)))
      }
    },
    gives: (content) => `${JSON.stringify(row(content))}\n`,
    size: (content) => Buffer.byteLength(bodyOf(content)) + (token ? TOKEN.length : 0),
    ...(token?.secret !== undefined && { secret: token.secret }),
  }
}

const serviceAccount = JSON.stringify({
  client_email: 'reader@example.iam.gserviceaccount.com',
  private_key: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }),
  note: SECRET,
})

const identity = (id: string) => ({ keys: [id], id })
const archiveOf = (content: string) =>
  zipOf(
    {
      'main/README.md': Buffer.from('A list'),
      'main/lists/a/list.json': Buffer.from(JSON.stringify({ name: 'A', type: 'cidr', version: 1, list: [content] })),
    },
    { stored: true },
  )

/** What the providers that ask services need. */
export const feedFittings: Readonly<Record<string, Fitting>> = {
  greynoise: serviceFitting({
    config: (url) => ({ url, key: 'greynoise' }),
    answer: (ip) => ({ data: [{ ip }], request_metadata: { complete: true } }),
    row: (ip) => ({ ip }),
  }),
  otx: serviceFitting({
    config: (url) => ({ url, key: 'otx' }),
    answer: (indicator) => ({ results: [{ id: '1', indicators: [{ indicator, type: 'IPv4' }] }], next: null }),
    row: (indicator) => ({
      id: '1',
      malware_families: [],
      target_countries: [],
      attack_ids: [],
      indicator,
      indicator_type: 'IPv4',
      indicator_created: null,
    }),
  }),
  misp: {
    config: ({ server }) => ({ url: `${server.url}/main.zip` }),
    put: ({ server }, content) => {
      server.answer = (response) => {
        if (content === undefined) response.writeHead(500).end()
        else response.end(archiveOf(String(content)))
      }
    },
    gives: (content) => `${JSON.stringify({ cidr: content, warning_lists: [{ id: 'a', name: 'A', version: 1 }] })}\n`,
    size: (content) => archiveOf(content).length,
  },
  dbip: {
    config: ({ server }) => ({ database: 'asn', url: server.url }),
    put: ({ server }, content) => {
      server.answer = (response, { headers }) => {
        const etag = `"${hash16(String(content ?? ''))}"`
        if (content === undefined) response.writeHead(500).end()
        else if (headers['if-none-match'] === etag) response.writeHead(304).end()
        else response.writeHead(200, { etag }).end(content)
      }
    },
  },
  okta: serviceFitting({
    config: (url) => ({ url, key: 'okta', list: 'groups' }),
    answer: (id) => [{ id, profile: {} }],
    row: identity,
  }),
  entra: serviceFitting({
    config: (url) => ({ tenant: 't', key: 'entra', list: 'devices', login_url: url, graph_url: url }),
    answer: (id) => ({ value: [{ id }] }),
    row: identity,
    token: { path: '/t/oauth2' },
  }),
  google_workspace: serviceFitting({
    config: (url) => ({ admin: 'a@example.com', key: 'google', list: 'groups', token_url: `${url}/token`, api_url: url }),
    answer: (id) => ({ groups: [{ id }] }),
    row: identity,
    token: { path: '/token', secret: serviceAccount },
  }),
  ldap: {
    config: ({ ldap }) => ({ url: ldap.url, start_tls: false, key: 'ldap', base: 'dc=example,dc=com' }),
    put: ({ ldap }, content) => {
      ldap.password = content === undefined ? 'another' : SECRET
      ldap.entries = content === undefined ? [] : [{ dn: 'cn=x', attributes: { uid: [String(content)] } }]
    },
    gives: (content) => `${JSON.stringify({ keys: [content, 'cn=x'], login: content, dn: 'cn=x' })}\n`,
    size: (content) => JSON.stringify({ keys: [content, 'cn=x'], login: content, dn: 'cn=x' }).length + 1,
    hang: ({ ldap }, arrived) => {
      ldap.answers = false
      ldap.onSearch = arrived
    },
  },
}

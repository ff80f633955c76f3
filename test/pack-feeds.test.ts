import { createVerify, generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { apiKeys } from '../src/config/keys.ts'
import type { JsonObject, JsonValue } from '../src/model/json.ts'
import { months } from '../src/stages/enrich/feeds/dbip.ts'
import { createProvider, type ProviderConfig, providerSchema } from '../src/stages/enrich/index.ts'
import { writeMmdb } from '../src/stages/enrich/mmdb/mmdb.fixture.ts'
import { zipOf } from '../src/util/archive/zip.fixture.ts'
import { createHttp } from '../src/util/http/http.ts'
import { definitionOf, enrich, packs, tableOf } from './support/packs.ts'
import { TestServer } from './support/servers.ts'

let server: TestServer
const http = createHttp({ proxy: { https: undefined, http: undefined, except: [] }, allowPrivate: ['127.0.0.0/8'] })
beforeEach(async () => {
  server = await new TestServer().listen()
})
afterEach(() => server.close())

const account = generateKeyPairSync('rsa', { modulusLength: 2048 })
const SECRETS: Readonly<Record<string, string>> = {
  PLAIN: 's3cr3t',
  ACCOUNT: JSON.stringify({
    client_email: 'reader@example.iam.gserviceaccount.com',
    private_key: account.privateKey.export({ type: 'pkcs8', format: 'pem' }),
  }),
}

/** What a provider fetches from the local server; its key may go there only. */
async function fetched(block: object, variable = 'PLAIN'): Promise<Uint8Array> {
  const config = providerSchema.parse(block) as ProviderConfig
  const entry = { value: { env: variable }, user: 'application', hosts: [server.url] }
  const keys = apiKeys({ okta: entry, entra: entry, google: entry, otx: entry, greynoise: entry }, SECRETS)
  const provider = createProvider(config, { send: http.fromContent, keys, table: 't', folder: '/', dataFolder: '/' })
  return (await provider.refresh({}, new AbortController().signal))!.bytes
}

async function rowsOf(block: object, variable?: string): Promise<JsonObject[]> {
  const text = Buffer.from(await fetched(block, variable)).toString()
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as JsonObject)
}

/** The answers to requests, by path and query; anything else is not found. */
function serve(answers: Readonly<Record<string, JsonValue | Buffer>>, headers: Readonly<Record<string, string>> = {}): void {
  server.answer = (response, { url }) => {
    const answer = answers[url]
    const body = Buffer.isBuffer(answer) ? answer : JSON.stringify(answer)
    response.writeHead(answer === undefined ? 404 : 200, headers[url] === undefined ? {} : { link: headers[url] }).end(body)
  }
}

const sample = (file: string) => JSON.parse(readFileSync(join(packs, file), 'utf8')) as JsonObject

describe('OTX', () => {
  const subscribed = () => server.received.map(({ url }) => url.replace(/modified_since=[^&]*/, 'modified_since=x'))

  async function content(name: string) {
    const page = sample('otx/samples/pulses.json')
    const next = `${server.url}/api/v1/pulses/subscribed?limit=50&page=2`
    server.answer = (response, { url }) =>
      response.end(JSON.stringify(url.includes('page=2') ? page : { ...page, results: [], next }))
    return { bytes: await fetched({ ...definitionOf(name).provider, url: server.url }), fileName: 'rows.jsonl' }
  }

  test('addresses of all pages, each with its newest pulse, as Panther’s rules read them', async () => {
    const bytes = await content('pulses_otx')
    expect(subscribed()).toEqual([
      '/api/v1/pulses/subscribed?limit=50&modified_since=x',
      '/api/v1/pulses/subscribed?limit=50&page=2',
    ])
    expect(server.received[0]!.headers['x-otx-api-key']).toBe('s3cr3t')
    const table = await tableOf('pulses_otx', bytes)
    expect([table.size, table.get('192.0.2.11')]).toEqual([1, undefined])
    const row = {
      id: '0123456789abcdef01234567',
      name: 'Example infrastructure',
      adversary: 'Example Bear',
      malware_families: ['Example'],
      attack_ids: ['T1071 - Application Layer Protocol'],
      target_countries: ['SE'],
      indicator: '192.0.2.10',
      indicator_type: 'IPv4',
      indicator_created: '2024-03-12T08:10:51',
    }
    const event = { p_log_type: 'Custom.Auth', p_any_ip_addresses: ['192.0.2.10', '192.0.2.9'] }
    expect(await enrich('pulses_otx', event, bytes)).toMatchObject({ pulses_otx: { '192.0.2.10': row } })
  })

  test('domains and hashes', async () => {
    expect((await tableOf('domains_otx', await content('domains_otx'))).get('x.bad.example.com')).toMatchObject({
      indicator: 'bad.example.com',
    })
    expect((await tableOf('hashes_otx', await content('hashes_otx'))).get('0123456789ABCDEF'.repeat(4))).toMatchObject({
      indicator_type: 'FileHash-SHA256',
    })
  })
})

test('MISP’s lists of networks are joined: each network has all of its lists', async () => {
  const list = sample('misp/samples/list.json')
  const file = (more: object) => Buffer.from(JSON.stringify({ ...list, ...more }))
  const archive = zipOf({
    'misp-warninglists-main/lists/example-cloud/list.json': file({}),
    'misp-warninglists-main/lists/example-vpn/list.json': file({ name: 'VPN', list: ['192.0.2.0/24'] }),
    'misp-warninglists-main/lists/names/list.json': file({ type: 'hostname', list: ['example.com'] }),
    'misp-warninglists-main/tools/list.json': Buffer.from('no list'),
  })
  serve({ '/main.zip': archive })
  const bytes = await fetched({ ...definitionOf('misp_warning_lists').provider, url: `${server.url}/main.zip` })
  const table = await tableOf('misp_warning_lists', { bytes, fileName: 'rows.jsonl' })
  expect(table.size).toBe(2)
  expect(table.get('192.0.2.77')).toEqual({
    cidr: '192.0.2.0/24',
    warning_lists: [
      {
        id: 'example-cloud',
        name: 'List of networks of an example cloud',
        description: 'A list in the form that MISP publishes',
        version: 20240312,
      },
      { id: 'example-vpn', name: 'VPN', description: 'A list in the form that MISP publishes', version: 20240312 },
    ],
  })
})

describe('DB-IP', () => {
  const block = (table: string) => ({ ...definitionOf(table).provider, url: server.url })

  test('the database of this month, or of the last', async () => {
    const [now, last] = months(new Date())
    const file = gzipSync(writeMmdb([['192.0.2.0/24', { autonomous_system_number: 64496 }]]))
    serve({ [`/dbip-asn-lite-${last}.mmdb.gz`]: file })
    const table = await tableOf('dbip_asn', { bytes: await fetched(block('dbip_asn')) })
    expect(table.get('192.0.2.9')).toEqual({ autonomous_system_number: 64496 })
    expect(server.received.map(({ url }) => url)).toEqual([`/dbip-asn-lite-${now}.mmdb.gz`, `/dbip-asn-lite-${last}.mmdb.gz`])
    serve({})
    await expect(fetched(block('dbip_city'))).rejects.toThrow("there is no database 'city' of this month or the last")
  })

  test('the month before January is December', () => {
    expect(months(new Date('2025-01-31T23:00:00Z'))).toEqual(['2025-01', '2024-12'])
  })
})

describe('GreyNoise', () => {
  const answer = (ip: string) => ({
    ip,
    internet_scanner_intelligence: { found: true, classification: 'malicious', last_seen_timestamp: '2024-03-12 08:10:51' },
    business_service_intelligence: { found: false },
  })

  test('all pages of a query of version 3, as the newer helpers and rules read them', async () => {
    server.answer = (response, { url }) => {
      const isSecond = new URL(url, server.url).searchParams.get('scroll') === 'token'
      const request_metadata = isSecond ? { complete: true } : { complete: false, scroll: 'token' }
      response.end(JSON.stringify({ data: [answer(isSecond ? '192.0.2.11' : '192.0.2.10')], request_metadata }))
    }
    const bytes = await fetched({ ...definitionOf('greynoise_v3_noise').provider, url: server.url })
    const first = new URL(server.received[0]!.url, server.url)
    expect([first.pathname, first.searchParams.get('size'), first.searchParams.get('query')]).toEqual([
      '/v3/gnql',
      '10000',
      'last_seen:1d (classification:malicious OR classification:suspicious)',
    ])
    expect(server.received.map(({ headers }) => headers['key'])).toEqual(['s3cr3t', 's3cr3t'])
    const event = { p_log_type: 'Custom.Auth', p_any_ip_addresses: ['192.0.2.11'] }
    expect(await enrich('greynoise_v3_noise', event, { bytes })).toMatchObject({
      greynoise_v3_noise: { '192.0.2.11': { ip: '192.0.2.11', internet_scanner_intelligence: { classification: 'malicious' } } },
    })
  })

  test('version 2', async () => {
    server.answer = (response, { url }) => {
      const complete = url.includes('scroll=token')
      const data = [
        { ip: complete ? '192.0.2.2' : '192.0.2.1', seen: true, classification: 'malicious', first_seen: '2024-01-01' },
      ]
      response.end(JSON.stringify({ complete, count: 2, data, message: 'ok', ...(!complete && { scroll: 'token' }) }))
    }
    const bytes = await fetched({ type: 'greynoise', key: 'greynoise', version: 2, url: server.url })
    const table = await tableOf('greynoise_noise_advanced', { bytes })
    expect([table.size, table.get('192.0.2.2')?.['classification']]).toEqual([2, 'malicious'])
  })

  test.each([
    [
      'a query that finds too much',
      { max_addresses: 1 },
      () => ({ data: [answer('192.0.2.1'), answer('192.0.2.2')] }),
      /more than 1 addresses/,
    ],
    ['pages without end', {}, () => ({ data: [], request_metadata: { complete: false, scroll: 'same' } }), /names a page again/],
    ['something else', {}, () => ({ data: 'x' }), /has no list 'data'/],
  ])('%s is a failure', async (_, more, body, message) => {
    server.answer = (response) => void response.end(JSON.stringify(body()))
    await expect(fetched({ type: 'greynoise', key: 'greynoise', url: server.url, ...more })).rejects.toThrow(message)
  })

  test.each([
    [401, /answered 401: check the key/],
    [429, /answered 429: too many requests, try again in 30 s/],
    [302, /answered 302/],
  ])('status %d is a failure that names only the host', async (status, message) => {
    server.answer = (response) => void response.writeHead(status, { 'retry-after': '30', location: '/elsewhere' }).end()
    await expect(fetched({ type: 'greynoise', key: 'greynoise', url: server.url })).rejects.toThrow(message)
  })
})

describe('Okta', () => {
  const ada = {
    id: '00u1',
    status: 'ACTIVE',
    created: '2024-01-01T00:00:00.000Z',
    lastLogin: '2024-03-12T08:10:51.000Z',
    profile: {
      login: 'ada@example.com',
      email: 'ada.lovelace@example.com',
      firstName: 'Ada',
      lastName: 'Lovelace',
      title: 'Engineer',
    },
  }

  test('users of all pages', async () => {
    serve(
      { '/api/v1/users?limit=200': [ada], '/api/v1/users?after=x&limit=200': [{ ...ada, id: '00u2' }] },
      {
        '/api/v1/users?limit=200': `<${server.url}/api/v1/users?limit=200>; rel="self", <${server.url}/api/v1/users?after=x&limit=200>; rel="next"`,
      },
    )
    const rows = await rowsOf({ type: 'okta', url: server.url, key: 'okta' })
    expect(rows.map(({ id }) => id)).toEqual(['00u1', '00u2'])
    expect(rows[0]).toEqual({
      keys: ['00u1', 'ada@example.com', 'ada.lovelace@example.com'],
      id: '00u1',
      login: 'ada@example.com',
      email: 'ada.lovelace@example.com',
      name: 'Ada Lovelace',
      status: 'ACTIVE',
      title: 'Engineer',
      created: '2024-01-01T00:00:00.000Z',
      last_login: '2024-03-12T08:10:51.000Z',
    })
    expect(server.received.map(({ headers }) => headers.authorization)).toEqual(['SSWS s3cr3t', 'SSWS s3cr3t'])
  })

  test('groups, and devices with their users', async () => {
    serve({
      '/api/v1/groups?limit=200': [{ id: '00g1', type: 'OKTA_GROUP', profile: { name: 'Staff', description: 'All' } }],
      '/api/v1/devices?limit=200&expand=user': [
        {
          id: 'guo1',
          status: 'ACTIVE',
          profile: { displayName: 'PC1', platform: 'WINDOWS', serialNumber: 'S1', osVersion: '10', registered: true },
          _embedded: { users: [{ managementStatus: 'MANAGED', user: { id: '00u1', profile: ada.profile } }] },
        },
      ],
    })
    const block = { type: 'okta', url: server.url, key: 'okta' }
    expect(await rowsOf({ ...block, list: 'groups' })).toEqual([
      { keys: ['00g1', 'Staff'], id: '00g1', name: 'Staff', description: 'All', type: 'OKTA_GROUP' },
    ])
    expect(await rowsOf({ ...block, list: 'devices' })).toEqual([
      {
        keys: ['guo1', 'PC1', 'S1'],
        id: 'guo1',
        name: 'PC1',
        serial: 'S1',
        platform: 'WINDOWS',
        os_version: '10',
        status: 'ACTIVE',
        managed: true,
        owners: ['ada@example.com'],
      },
    ])
  })

  test('a next page on another host gets no key', async () => {
    serve({ '/api/v1/users?limit=200': [ada] }, { '/api/v1/users?limit=200': '<http://127.0.0.2:1/x>; rel="next"' })
    await expect(fetched({ type: 'okta', url: server.url, key: 'okta' })).rejects.toThrow(
      "the key 'okta' is not meant for http://127.0.0.2:1",
    )
  })
})

test('Entra: a token for the application, then all pages', async () => {
  server.answer = (response, { url, method }) => {
    if (method === 'POST') response.end(JSON.stringify({ token_type: 'Bearer', expires_in: 3599, access_token: 'abc.def' }))
    else if (url.includes('$skiptoken')) response.end(JSON.stringify({ value: [{ id: '2', accountEnabled: false }] }))
    else {
      const value = [
        {
          id: '1',
          userPrincipalName: 'ada@example.com',
          mail: 'ada.lovelace@example.com',
          displayName: 'Ada Lovelace',
          accountEnabled: true,
          department: 'Engines',
          jobTitle: null,
          otherMails: ['ada@example.org'],
          proxyAddresses: ['SMTP:ada.lovelace@example.com', 'smtp:al@example.com', 'X500:/o=x'],
          onPremisesSamAccountName: 'ada',
        },
      ]
      response.end(JSON.stringify({ value, '@odata.nextLink': `${server.url}/v1.0/users?$skiptoken=x` }))
    }
  }
  const block = { type: 'entra', tenant: 'example.com', key: 'entra', login_url: server.url, graph_url: server.url }
  expect(await rowsOf(block)).toEqual([
    {
      keys: ['1', 'ada@example.com', 'ada.lovelace@example.com', 'ada@example.org', 'al@example.com', 'ada'],
      id: '1',
      login: 'ada@example.com',
      email: 'ada.lovelace@example.com',
      name: 'Ada Lovelace',
      status: 'active',
      department: 'Engines',
    },
    { keys: ['2'], id: '2', status: 'disabled' },
  ])
  const [token, page] = server.received
  expect(token!.url).toBe('/example.com/oauth2/v2.0/token')
  expect(Object.fromEntries(new URLSearchParams(token!.body))).toEqual({
    grant_type: 'client_credentials',
    client_id: 'application',
    client_secret: 's3cr3t',
    scope: `${server.url}/.default`,
  })
  expect([page!.headers.authorization, page!.url.startsWith('/v1.0/users?$select=id,userPrincipalName,')]).toEqual([
    'Bearer abc.def',
    true,
  ])
})

test('Entra: neither the secret nor the token goes to a host that the key is not meant for', async () => {
  server.answer = (response) => void response.end(JSON.stringify({ access_token: 'abc' }))
  const block = { type: 'entra', tenant: 't', key: 'entra', login_url: server.url, graph_url: 'http://127.0.0.2:1' }
  await expect(fetched(block)).rejects.toThrow("the key 'entra' is not meant for http://127.0.0.2:1")
})

describe('Google Workspace', () => {
  const block = () => ({
    type: 'google_workspace',
    admin: 'admin@example.com',
    key: 'google',
    token_url: `${server.url}/token`,
    api_url: server.url,
  })

  test('a signed assertion for a read-only token, then all pages of users', async () => {
    server.answer = (response, { url }) => {
      if (url === '/token') response.end(JSON.stringify({ access_token: 'ya29.x' }))
      else if (url.includes('pageToken=p2'))
        response.end(JSON.stringify({ users: [{ id: '2', primaryEmail: 'b@example.com', suspended: true }] }))
      else {
        const user = {
          id: '1',
          primaryEmail: 'ada@example.com',
          name: { fullName: 'Ada Lovelace' },
          emails: [{ address: 'ada@example.com', primary: true }, { address: 'al@example.com' }],
          aliases: ['ada@example.org'],
          isAdmin: true,
          organizations: [{ department: 'Engines', title: 'Engineer' }],
        }
        response.end(JSON.stringify({ users: [user], nextPageToken: 'p2' }))
      }
    }
    expect(await rowsOf(block(), 'ACCOUNT')).toEqual([
      {
        keys: ['1', 'ada@example.com', 'al@example.com', 'ada@example.org'],
        id: '1',
        login: 'ada@example.com',
        email: 'ada@example.com',
        name: 'Ada Lovelace',
        status: 'active',
        department: 'Engines',
        title: 'Engineer',
        admin: true,
      },
      { keys: ['2', 'b@example.com'], id: '2', login: 'b@example.com', email: 'b@example.com', status: 'suspended' },
    ])
    const assertion = new URLSearchParams(server.received[0]!.body).get('assertion')!
    const [head, claims, signature] = assertion.split('.')
    const isSigned = createVerify('RSA-SHA256').update(`${head}.${claims}`).verify(account.publicKey, signature!, 'base64url')
    expect([isSigned, JSON.parse(Buffer.from(claims!, 'base64url').toString())]).toEqual([
      true,
      {
        iss: 'reader@example.iam.gserviceaccount.com',
        sub: 'admin@example.com',
        scope: 'https://www.googleapis.com/auth/admin.directory.user.readonly',
        aud: `${server.url}/token`,
        iat: expect.any(Number),
        exp: expect.any(Number),
      },
    ])
    expect(server.received[1]!.headers.authorization).toBe('Bearer ya29.x')
  })

  test('devices of both kinds; a list that is missing is empty', async () => {
    server.answer = (response, { url }) => {
      if (url === '/token') response.end(JSON.stringify({ access_token: 'x' }))
      else if (url.includes('chromeos'))
        response.end(
          JSON.stringify({
            chromeosdevices: [{ deviceId: 'd1', serialNumber: 'S1', osVersion: '120', annotatedUser: 'a@example.com' }],
          }),
        )
      else response.end(JSON.stringify({ kind: 'x' }))
    }
    expect(await rowsOf({ ...block(), list: 'devices' }, 'ACCOUNT')).toEqual([
      { keys: ['d1', 'S1'], id: 'd1', serial: 'S1', platform: 'ChromeOS', os_version: '120', owners: ['a@example.com'] },
    ])
  })

  test('a key that is no service account is reported without its value', async () => {
    const error = await fetched(block(), 'PLAIN').catch((caught: Error) => caught)
    expect(String(error)).toMatch(/the key 'google' is not the JSON file of a service account/)
    expect(String(error)).not.toContain('s3cr3t')
  })
})

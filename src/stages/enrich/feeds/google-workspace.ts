import { createSign } from 'node:crypto'
import { z } from 'zod'
import { isObject, type JsonObject } from '../../../model/json.ts'
import { targetUrl } from '../../../util/http/target-url.ts'
import { parseJson } from '../../../util/json.ts'
import { defineProvider, type ProviderDeps } from '../provider.ts'
import { TableError } from '../table.ts'
import { tokenOf } from './entra.ts'
import { arrayAt, type IdentityKind, identityRow, kindSchema, objectAt } from './identity.ts'
import { fetchedRows, keyName, listAt, ServiceSession, serviceLimits } from './session.ts'

/** A list of the Admin SDK's Directory API: path, name in the answer, and the scope that it needs. */
interface List {
  readonly path: string
  readonly name: string
  readonly scope: string
  readonly row: (one: JsonObject) => JsonObject
}

const SCOPE = 'https://www.googleapis.com/auth/admin.directory'
const LIFETIME_SECONDS = 3600

/**
 * Google Workspace by the Directory API (https://developers.google.com/admin-sdk/directory): a service account with domain-wide delegation
 * for the read-only scopes. The key's value is the account's JSON file.
 */
export const googleWorkspace = defineProvider({
  type: 'google_workspace',
  summary: 'Lists the users, groups or devices of a Google Workspace, as JSON lines.',
  config: z.object({
    admin: z.email().describe('An administrator for whom the service account acts.'),
    key: keyName.describe("Name of a key in the configuration (`keys`): the service account's JSON file as its value."),
    list: kindSchema,
    customer: z
      .string()
      .regex(/^\w{1,50}$/)
      .default('my_customer')
      .describe("The customer's id."),
    token_url: targetUrl.default('https://oauth2.googleapis.com/token').describe('Where tokens come from.'),
    api_url: targetUrl.default('https://admin.googleapis.com').describe('Address of the Directory API.'),
    ...serviceLimits,
  }),
  example: { admin: 'admin@example.com', key: 'google', list: 'users' },
  isLocal: false,
  periodMinutes: 60,

  create({ admin, key, list, customer, token_url: tokenUrl, api_url: apiUrl, ...limits }, deps) {
    return {
      async refresh(validators, signal) {
        const session = new ServiceSession(deps, limits, signal)
        const lists = LISTS[list](customer)
        const scopes = lists.map(({ scope }) => `${SCOPE}.${scope}.readonly`)
        const token = await tokenFor(session, deps, { admin, key, tokenUrl, scopes })
        const rows: JsonObject[] = []
        for (const { path, name, row } of lists) {
          const request = (pageToken?: string) => {
            const url = new URL(path, apiUrl)
            if (pageToken !== undefined) url.searchParams.set('pageToken', pageToken)
            // The token opens what the key opens, and goes where the key may go.
            deps.keys(key, url)
            return { url, headers: { authorization: `Bearer ${token}`, accept: 'application/json' } }
          }
          const pages = session.pages(request(), ({ json }) => {
            const next = isObject(json) ? json['nextPageToken'] : undefined
            return typeof next === 'string' && next !== '' ? request(next) : undefined
          })
          for await (const { json } of pages) rows.push(...listAt(json, name).map(row))
        }
        return fetchedRows(rows, validators, limits)
      },
    }
  },
})

interface Delegation {
  readonly admin: string
  readonly key: string
  readonly tokenUrl: string
  readonly scopes: readonly string[]
}

/** A token by a signed assertion (RFC 7523). */
async function tokenFor(
  session: ServiceSession,
  { keys }: ProviderDeps,
  { admin, key, tokenUrl, scopes }: Delegation,
): Promise<string> {
  const { email, privateKey } = accountOf(keys(key, tokenUrl).secret, key)
  const now = Math.floor(Date.now() / 1000)
  const claims = { iss: email, sub: admin, scope: scopes.join(' '), aud: tokenUrl, iat: now, exp: now + LIFETIME_SECONDS }
  const body = new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
    assertion: signed(claims, privateKey, key),
  })
  const headers = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' }
  const { json } = await session.json({ url: tokenUrl, method: 'POST', headers, body: body.toString() })
  return tokenOf(json)
}

function accountOf(secret: string, key: string): { readonly email: string; readonly privateKey: string } {
  const read = parseJson(secret, { maxDepth: 4 })
  const { client_email: email, private_key: privateKey } = read.kind === 'ok' && isObject(read.value) ? read.value : {}
  if (typeof email === 'string' && typeof privateKey === 'string') return { email, privateKey }
  throw new TableError(`the key '${key}' is not the JSON file of a service account: it has no client_email and private_key`)
}

function signed(claims: object, privateKey: string, key: string): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const text = `${part({ alg: 'RS256', typ: 'JWT' })}.${part(claims)}`
  try {
    return `${text}.${createSign('RSA-SHA256').update(text).sign(privateKey, 'base64url')}`
  } catch {
    throw new TableError(`the private_key in the key '${key}' cannot be used for signing`)
  }
}

const LISTS: Readonly<Record<IdentityKind, (customer: string) => readonly List[]>> = {
  users: (customer) => [
    { path: `/admin/directory/v1/users?customer=${customer}&maxResults=500`, name: 'users', scope: 'user', row: user },
  ],
  groups: (customer) => [
    { path: `/admin/directory/v1/groups?customer=${customer}&maxResults=200`, name: 'groups', scope: 'group', row: group },
  ],
  devices: (customer) => [
    {
      path: `/admin/directory/v1/customer/${customer}/devices/chromeos?maxResults=300`,
      name: 'chromeosdevices',
      scope: 'device.chromeos',
      row: chromeDevice,
    },
    {
      path: `/admin/directory/v1/customer/${customer}/devices/mobile?maxResults=100`,
      name: 'mobiledevices',
      scope: 'device.mobile',
      row: mobileDevice,
    },
  ],
}

function user(one: JsonObject): JsonObject {
  const emails = arrayAt(one, 'emails').map((entry) => (isObject(entry) ? entry['address'] : undefined))
  const [organisation] = arrayAt(one, 'organizations').filter(isObject)
  return identityRow([one['id'], one['primaryEmail'], ...emails, ...arrayAt(one, 'aliases')], {
    id: one['id'],
    login: one['primaryEmail'],
    email: one['primaryEmail'],
    name: objectAt(one, 'name')['fullName'],
    status: one['suspended'] === true ? 'suspended' : one['archived'] === true ? 'archived' : 'active',
    department: organisation?.['department'],
    title: organisation?.['title'],
    admin: one['isAdmin'],
    created: one['creationTime'],
    last_login: one['lastLoginTime'],
  })
}

function group(one: JsonObject): JsonObject {
  return identityRow([one['id'], one['email'], one['name'], ...arrayAt(one, 'aliases')], {
    id: one['id'],
    name: one['name'],
    email: one['email'],
    description: one['description'],
    members: one['directMembersCount'],
  })
}

function chromeDevice(one: JsonObject): JsonObject {
  return identityRow([one['deviceId'], one['serialNumber']], {
    id: one['deviceId'],
    name: one['model'],
    serial: one['serialNumber'],
    platform: 'ChromeOS',
    os_version: one['osVersion'],
    status: one['status'],
    owners: one['annotatedUser'] === undefined ? [] : [one['annotatedUser']],
    last_seen: one['lastSync'],
  })
}

function mobileDevice(one: JsonObject): JsonObject {
  return identityRow([one['deviceId'], one['resourceId'], one['serialNumber']], {
    id: one['deviceId'],
    name: one['model'],
    serial: one['serialNumber'],
    platform: one['type'],
    os_version: one['os'],
    status: one['status'],
    owners: one['email'],
    last_seen: one['lastSync'],
  })
}

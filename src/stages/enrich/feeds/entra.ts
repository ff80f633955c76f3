import { z } from 'zod'
import type { JsonObject, JsonValue } from '../../../model/json.ts'
import { isObject } from '../../../model/json.ts'
import { targetUrl } from '../../../util/http/target-url.ts'
import { keyWithUser } from '../api-keys.ts'
import { defineProvider, type ProviderDeps } from '../provider.ts'
import { TableError } from '../table.ts'
import { arrayAt, type IdentityKind, identityRow, kindSchema } from './identity.ts'
import { fetchedRows, keyName, listAt, ServiceSession, serviceLimits } from './session.ts'

const FIELDS: Readonly<Record<IdentityKind, readonly string[]>> = {
  users: [
    'id',
    'userPrincipalName',
    'mail',
    'displayName',
    'accountEnabled',
    'department',
    'jobTitle',
    'employeeId',
    'otherMails',
    'proxyAddresses',
    'onPremisesSamAccountName',
    'userType',
    'createdDateTime',
  ],
  groups: ['id', 'displayName', 'mail', 'description', 'securityEnabled', 'proxyAddresses', 'createdDateTime'],
  devices: [
    'id',
    'deviceId',
    'displayName',
    'operatingSystem',
    'operatingSystemVersion',
    'accountEnabled',
    'isManaged',
    'isCompliant',
    'approximateLastSignInDateTime',
  ],
}

/**
 * Microsoft Entra ID by Microsoft Graph (https://learn.microsoft.com/graph): an app registration with the application permissions
 * User.Read.All, Group.Read.All or Device.Read.All. The key's user is the application's id, its value a client secret.
 */
export const entra = defineProvider({
  type: 'entra',
  summary: 'Lists the users, groups or devices of a Microsoft Entra tenant, as JSON lines.',
  config: z.object({
    tenant: z
      .string()
      .regex(/^[\w.-]{1,255}$/)
      .describe("The tenant's id or domain."),
    key: keyName.describe(
      'Name of a key in the configuration (`keys`): the application id as its user, a client secret as its value.',
    ),
    list: kindSchema,
    login_url: targetUrl.default('https://login.microsoftonline.com').describe('Where tokens come from; national clouds differ.'),
    graph_url: targetUrl.default('https://graph.microsoft.com').describe('Address of Microsoft Graph; national clouds differ.'),
    ...serviceLimits,
  }),
  example: { tenant: 'example.onmicrosoft.com', key: 'entra', list: 'users' },
  isLocal: false,
  periodMinutes: 60,

  create({ tenant, key, list, login_url: loginUrl, graph_url: graphUrl, ...limits }, deps) {
    return {
      async refresh(validators, signal) {
        const session = new ServiceSession(deps, limits, signal)
        const token = await tokenFor(session, deps, { tenant, key, loginUrl, graphUrl })
        const request = (url: string | URL) => {
          // The token opens what the key opens, and goes where the key may go.
          deps.keys(key, url)
          return { url, headers: { authorization: `Bearer ${token}`, accept: 'application/json' } }
        }
        const first = new URL(`/v1.0/${list}?$select=${FIELDS[list].join(',')}&$top=999`, graphUrl)
        const pages = session.pages(request(first), ({ json }) => {
          const next = isObject(json) ? json['@odata.nextLink'] : undefined
          return typeof next === 'string' ? request(next) : undefined
        })
        const rows: JsonObject[] = []
        for await (const { json } of pages) rows.push(...listAt(json, 'value').map(ROWS[list]))
        return fetchedRows(rows, validators, limits)
      },
    }
  },
})

interface Application {
  readonly tenant: string
  readonly key: string
  readonly loginUrl: string
  readonly graphUrl: string
}

/** A token by the grant for applications (OAuth 2.0 client credentials). */
async function tokenFor(session: ServiceSession, { keys }: ProviderDeps, app: Application): Promise<string> {
  const url = new URL(`/${app.tenant}/oauth2/v2.0/token`, app.loginUrl)
  const { user, secret } = keyWithUser(keys, app.key, url, "the application's id")
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: user,
    client_secret: secret,
    scope: new URL('/.default', app.graphUrl).href,
  })
  const headers = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' }
  const { json } = await session.json({ url, method: 'POST', headers, body: body.toString() })
  return tokenOf(json)
}

/** The token in the answer of an OAuth 2.0 server. */
export function tokenOf(json: JsonValue): string {
  const token = isObject(json) ? json['access_token'] : undefined
  if (typeof token !== 'string' || !/^[\w.~+/=-]+$/.test(token)) throw new TableError('the answer has no access_token')
  return token
}

/** `SMTP:ada@example.com`, the primary address, and `smtp:…`, the others. */
function mailAddresses(one: JsonObject): string[] {
  return arrayAt(one, 'proxyAddresses').flatMap((text) => /^smtp:(.+)$/i.exec(String(text))?.[1] ?? [])
}

const ROWS: Readonly<Record<IdentityKind, (one: JsonObject) => JsonObject>> = {
  users: (one) =>
    identityRow(
      [
        one['id'],
        one['userPrincipalName'],
        one['mail'],
        ...arrayAt(one, 'otherMails'),
        ...mailAddresses(one),
        one['onPremisesSamAccountName'],
      ],
      {
        id: one['id'],
        login: one['userPrincipalName'],
        email: one['mail'],
        name: one['displayName'],
        status: statusOf(one),
        department: one['department'],
        title: one['jobTitle'],
        employee_id: one['employeeId'],
        type: one['userType'],
        created: one['createdDateTime'],
      },
    ),
  groups: (one) =>
    identityRow([one['id'], one['displayName'], one['mail'], ...mailAddresses(one)], {
      id: one['id'],
      name: one['displayName'],
      email: one['mail'],
      description: one['description'],
      type: one['securityEnabled'] === true ? 'security' : 'distribution',
      created: one['createdDateTime'],
    }),
  devices: (one) =>
    identityRow([one['id'], one['deviceId'], one['displayName']], {
      id: one['id'],
      name: one['displayName'],
      platform: one['operatingSystem'],
      os_version: one['operatingSystemVersion'],
      status: statusOf(one),
      managed: one['isManaged'],
      compliant: one['isCompliant'],
      last_seen: one['approximateLastSignInDateTime'],
    }),
}

function statusOf(one: JsonObject): string | undefined {
  const enabled = one['accountEnabled']
  return enabled === true ? 'active' : enabled === false ? 'disabled' : undefined
}

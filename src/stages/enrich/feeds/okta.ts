import { z } from 'zod'
import type { JsonObject } from '../../../model/json.ts'
import { targetUrl } from '../../../util/http/target-url.ts'
import { authorize } from '../auth.ts'
import { defineProvider } from '../provider.ts'
import { TableError } from '../table.ts'
import { arrayAt, type IdentityKind, identityRow, kindSchema, objectAt } from './identity.ts'
import { fetchedRows, keyName, ServiceSession, serviceLimits } from './session.ts'

/** `devices` includes the users of each. The largest pages that each list allows. */
const PATHS: Readonly<Record<IdentityKind, string>> = {
  users: '/api/v1/users?limit=200',
  groups: '/api/v1/groups?limit=200',
  devices: '/api/v1/devices?limit=200&expand=user',
}

/** Okta's core API (https://developer.okta.com/docs/api): lists, page by page. Deactivated users are not in its list of users. */
export const okta = defineProvider({
  type: 'okta',
  summary: 'Lists the users, groups or devices of an Okta organisation, as JSON lines.',
  config: z.object({
    url: targetUrl.describe("The organisation's address."),
    key: keyName.describe('Name of a key in the configuration (`keys`): an API token of a read-only administrator.'),
    list: kindSchema,
    ...serviceLimits,
  }),
  example: { url: 'https://example.okta.com', key: 'okta', list: 'users' },
  isLocal: false,
  periodMinutes: 60,

  create({ url, key, list, ...limits }, deps) {
    return {
      async refresh(validators, signal) {
        const session = new ServiceSession(deps, limits, signal)
        const request = (page: string | URL) =>
          authorize({ url: String(page), headers: { accept: 'application/json' } }, { key, scheme: 'SSWS' }, deps.keys)
        const pages = session.pages(request(new URL(PATHS[list], url)), ({ headers }) => {
          const next = nextLink(headers.get('link'))
          return next === undefined ? undefined : request(next)
        })
        const rows: JsonObject[] = []
        for await (const { json } of pages) {
          if (!Array.isArray(json)) throw new TableError('the answer of Okta is not a list')
          for (const one of json as JsonObject[]) rows.push(ROWS[list](one))
        }
        return fetchedRows(rows, validators, limits)
      },
    }
  },
})

/** The page after this one: `<https://…>; rel="next"` among others. */
function nextLink(link: string | undefined): string | undefined {
  return /<([^<>]*)>\s*;\s*rel="?next"?/.exec(link ?? '')?.[1]
}

const ROWS: Readonly<Record<IdentityKind, (one: JsonObject) => JsonObject>> = {
  users(one) {
    const { login, email, secondEmail, firstName, lastName, displayName, department, title, manager, employeeNumber } = objectAt(
      one,
      'profile',
    )
    const name = displayName ?? [firstName, lastName].filter(Boolean).join(' ')
    return identityRow([one['id'], login, email, secondEmail], {
      id: one['id'],
      login,
      email,
      name,
      status: one['status'],
      department,
      title,
      manager,
      employee_id: employeeNumber,
      created: one['created'],
      last_login: one['lastLogin'],
    })
  },
  groups(one) {
    const { name, description } = objectAt(one, 'profile')
    return identityRow([one['id'], name], { id: one['id'], name, description, type: one['type'], created: one['created'] })
  },
  devices(one) {
    const { displayName, platform, serialNumber, osVersion, registered } = objectAt(one, 'profile')
    const users = arrayAt(objectAt(one, '_embedded'), 'users') as JsonObject[]
    return identityRow([one['id'], displayName, serialNumber], {
      id: one['id'],
      name: displayName,
      serial: serialNumber,
      platform,
      os_version: osVersion,
      status: one['status'],
      managed: registered,
      owners: users.map((user) => objectAt(objectAt(user, 'user'), 'profile')['login'] ?? null).filter((login) => login !== null),
      last_seen: one['lastUpdated'],
    })
  },
}

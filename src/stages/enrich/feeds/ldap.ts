import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Client, Entry } from 'ldapts'
import { z } from 'zod'
import type { JsonObject } from '../../../model/json.ts'
import { messageOf } from '../../../util/errors.ts'
import { shownUrl } from '../../../util/http/send.ts'
import { keyWithUser } from '../api-keys.ts'
import { tooLarge } from '../content.ts'
import { defineProvider } from '../provider.ts'
import { TableError } from '../table.ts'
import { type IdentityKind, identityRow, kindSchema } from './identity.ts'
import { fetchedRows, keyName, serviceLimits } from './session.ts'

const PAGE = 500
const INVALID_CREDENTIALS = 49

/**
 * What is listed unless the configuration names a filter: entries of the usual schemas and of Active Directory. Without `!`: a comparison with
 * a class that the server does not know is neither true nor false, and neither is its opposite.
 */
const FILTERS: Readonly<Record<IdentityKind, string>> = {
  users: '(|(objectClass=inetOrgPerson)(objectClass=posixAccount)(&(objectClass=user)(objectCategory=person)))',
  groups: '(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)(objectClass=posixGroup)(objectClass=group))',
  devices: '(|(objectClass=computer)(objectClass=device))',
}

/** Attributes that are asked for, so that the server sends no photographs. */
const ATTRIBUTES: Readonly<Record<IdentityKind, readonly string[]>> = {
  users: [
    'entryUUID',
    'objectGUID',
    'uid',
    'sAMAccountName',
    'userPrincipalName',
    'mail',
    'proxyAddresses',
    'displayName',
    'cn',
    'title',
    'department',
    'ou',
    'departmentNumber',
    'employeeNumber',
    'employeeID',
    'manager',
    'memberOf',
    'userAccountControl',
  ],
  groups: [
    'entryUUID',
    'objectGUID',
    'cn',
    'sAMAccountName',
    'mail',
    'description',
    'gidNumber',
    'member',
    'uniqueMember',
    'memberUid',
  ],
  devices: [
    'entryUUID',
    'objectGUID',
    'cn',
    'sAMAccountName',
    'dNSHostName',
    'serialNumber',
    'operatingSystem',
    'operatingSystemVersion',
    'owner',
    'description',
    'userAccountControl',
  ],
}

/** A directory by LDAP version 3, in pages (RFC 2696). A key is required: it says which server may be asked. */
export const ldap = defineProvider({
  type: 'ldap',
  summary: 'Lists the users, groups or devices of an LDAP directory or Active Directory, as JSON lines.',
  config: z.object({
    url: z.url({ protocol: /^ldaps?$/ }).describe('The server: `ldaps://host` or, with `start_tls`, `ldap://host`.'),
    start_tls: z
      .boolean()
      .default(true)
      .describe('With `ldap://`: switch to TLS before the password is sent. False only on networks where nobody listens.'),
    key: keyName.describe(
      'Name of a key in the configuration (`keys`): the DN to bind with as its user, the password as its value.',
    ),
    base: z.string().min(1).describe('DN below which entries are listed: `dc=example,dc=com`.'),
    filter: z.string().min(3).optional().describe('LDAP filter of the entries. Default: the usual object classes.'),
    list: kindSchema,
    ...serviceLimits,
  }),
  example: { url: 'ldaps://ldap.example.com', key: 'ldap', base: 'dc=example,dc=com', list: 'users' },
  isLocal: false,
  periodMinutes: 60,

  create({ url, start_tls: startTls, key, base, filter, list, timeout_secs: seconds, max_bytes: maxBytes }, { keys }) {
    const host = shownUrl(url)
    return {
      async refresh(validators, signal) {
        signal.throwIfAborted()
        const { user, secret } = keyWithUser(keys, key, url, 'the DN to bind with')
        const until = AbortSignal.any([signal, AbortSignal.timeout(seconds * 1000)])
        const { client, end } = await open(url, until)
        try {
          if (startTls && new URL(url).protocol === 'ldap:') await client.startTLS({ host: new URL(url).hostname })
          await client.bind(user, secret)
          const rows: JsonObject[] = []
          let bytes = 0
          const pages = client.searchPaginated(base, {
            scope: 'sub',
            filter: filter ?? FILTERS[list],
            attributes: [...ATTRIBUTES[list]],
            explicitBufferAttributes: ['objectGUID'],
            paged: { pageSize: PAGE },
          })
          for await (const { searchEntries } of pages) {
            for (const entry of searchEntries) {
              const row = ROWS[list](entry)
              bytes += JSON.stringify(row).length + 1
              if (bytes > maxBytes) throw tooLarge(maxBytes)
              rows.push(row)
            }
          }
          return fetchedRows(rows, validators, { max_bytes: maxBytes })
        } catch (error) {
          signal.throwIfAborted()
          if (error instanceof TableError) throw error
          throw new TableError(
            `cannot list ${base} on ${host}: ${until.aborted ? `not done within ${seconds} s` : reason(error)}`,
            {
              cause: error,
            },
          )
        } finally {
          end()
        }
      },
    }
  },
})

/** A client whose connection ends with the signal. */
async function open(url: string, signal: AbortSignal): Promise<{ readonly client: Client; readonly end: () => void }> {
  // Only who uses it waits for it to load.
  const { Client } = await import('ldapts')
  let socket: Socket | undefined
  const kept = <S extends Socket>(made: S): S => {
    socket = made
    return made
  }
  const client = new Client({
    url,
    createConnection: ((...args: Parameters<typeof connect>) => kept(connect(...args))) as typeof connect,
    createSecureConnection: ((...args: Parameters<typeof connectTls>) => kept(connectTls(...args))) as typeof connectTls,
  })
  const end = () => {
    signal.removeEventListener('abort', end)
    socket?.destroy()
  }
  signal.addEventListener('abort', end)
  return { client, end }
}

/** What went wrong, without what the server says: it may repeat the request. */
function reason(error: unknown): string {
  const { code, name } = error as { code?: unknown; name?: string }
  if (code === INVALID_CREDENTIALS) return 'it refuses the DN or the password (49)'
  return typeof code === 'number' ? `it answered with code ${code} (${name})` : messageOf(error)
}

/** The first value of the first attribute that the entry has, as text. */
function first(entry: Entry, ...names: string[]): string | undefined {
  return names.flatMap((name) => all(entry, name)).find((text) => text !== '')
}

/** All values of an attribute. Servers write its name as they like. */
function all(entry: Entry, name: string): string[] {
  const found = Object.keys(entry).find((other) => other.toLowerCase() === name.toLowerCase())
  const value = found === undefined ? [] : entry[found]!
  return (Array.isArray(value) ? value : [value]).flatMap((one) => (typeof one === 'string' ? [one] : [guid(one)]))
}

/** The id of an object in Active Directory: the first three parts are little-endian. */
function guid(bytes: Buffer): string {
  if (bytes.length !== 16) return ''
  const swapped = Buffer.from(bytes)
  swapped.subarray(0, 4).reverse()
  swapped.subarray(4, 6).reverse()
  swapped.subarray(6, 8).reverse()
  return swapped.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

/** Set in `userAccountControl` of an account that is disabled. */
const DISABLED = 2

function statusOf(entry: Entry): string | undefined {
  const control = first(entry, 'userAccountControl')
  return control === undefined ? undefined : Number(control) & DISABLED ? 'disabled' : 'active'
}

/** Without the `$` that Active Directory puts behind the names of computers. */
function nameOf(text: string | undefined): string | undefined {
  return text?.replace(/\$$/, '')
}

const ROWS: Readonly<Record<IdentityKind, (entry: Entry) => JsonObject>> = {
  users(entry) {
    const id = first(entry, 'entryUUID', 'objectGUID')
    const logins = ['uid', 'sAMAccountName', 'userPrincipalName'].flatMap((name) => all(entry, name))
    const others = all(entry, 'proxyAddresses').flatMap((text) => /^smtp:(.+)$/i.exec(text)?.[1] ?? [])
    return identityRow([id, ...logins, ...all(entry, 'mail'), ...others, entry.dn], {
      id,
      login: logins[0],
      email: first(entry, 'mail'),
      name: first(entry, 'displayName', 'cn'),
      status: statusOf(entry),
      department: first(entry, 'department', 'departmentNumber', 'ou'),
      title: first(entry, 'title'),
      manager: first(entry, 'manager'),
      employee_id: first(entry, 'employeeNumber', 'employeeID'),
      groups: all(entry, 'memberOf'),
      dn: entry.dn,
    })
  },
  groups(entry) {
    const id = first(entry, 'entryUUID', 'objectGUID')
    const name = first(entry, 'cn', 'sAMAccountName')
    return identityRow([id, name, ...all(entry, 'mail'), ...all(entry, 'gidNumber'), entry.dn], {
      id,
      name,
      email: first(entry, 'mail'),
      description: first(entry, 'description'),
      members: ['member', 'uniqueMember', 'memberUid'].flatMap((one) => all(entry, one)).filter(Boolean).length,
      dn: entry.dn,
    })
  },
  devices(entry) {
    const id = first(entry, 'entryUUID', 'objectGUID')
    const name = nameOf(first(entry, 'cn', 'sAMAccountName'))
    return identityRow([id, name, ...all(entry, 'dNSHostName'), ...all(entry, 'serialNumber'), entry.dn], {
      id,
      name,
      hostname: first(entry, 'dNSHostName'),
      serial: first(entry, 'serialNumber'),
      platform: first(entry, 'operatingSystem'),
      os_version: first(entry, 'operatingSystemVersion'),
      status: statusOf(entry),
      owners: all(entry, 'owner'),
      description: first(entry, 'description'),
      dn: entry.dn,
    })
  },
}

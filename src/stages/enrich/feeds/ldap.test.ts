import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { LdapServer } from '../../../../test/support/ldap-server.ts'
import { sendNothing } from '../../../util/http/send.ts'
import { TableError } from '../table.ts'
import { ldap } from './ldap.ts'

let server: LdapServer
beforeEach(async () => {
  server = await new LdapServer().listen()
  server.password = 'right'
})
afterEach(() => server.close())

const ada = {
  dn: 'uid=ada,ou=people,dc=example,dc=com',
  attributes: {
    entryUUID: ['7e3c1c2e-0000-4000-8000-000000000001'],
    uid: ['ada'],
    mail: ['ada@example.com', 'ada@example.org'],
    cn: ['Ada Lovelace'],
    title: ['Engineer'],
    memberOf: ['cn=staff,ou=groups,dc=example,dc=com'],
  },
}
const grace = {
  dn: 'CN=Grace,DC=example,DC=com',
  attributes: {
    objectGUID: [Buffer.from('33221100554477668899aabbccddeeff', 'hex')],
    SAMAccountName: ['grace'],
    userPrincipalName: ['grace@example.com'],
    proxyAddresses: ['SMTP:grace@example.com', 'smtp:g@example.com', 'x500:/o=x'],
    displayName: ['Grace Hopper'],
    department: ['Navy'],
    userAccountControl: ['514'],
  },
}

async function rowsOf(list: string, more: object = {}, secret = 'right') {
  const config = ldap.config.parse({ url: server.url, start_tls: false, key: 'ldap', base: 'dc=example,dc=com', list, ...more })
  const keys = () => ({ user: 'cn=reader,dc=example,dc=com', secret })
  const provider = ldap.create(config, { send: sendNothing, keys, table: 'users', folder: '/', dataFolder: '/' })
  const fetched = await provider.refresh({}, new AbortController().signal)
  return Buffer.from(fetched!.bytes)
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown)
}

describe('users', () => {
  test('of OpenLDAP and of Active Directory, found by id, login and every address', async () => {
    server.entries = [ada, grace]
    expect(await rowsOf('users')).toEqual([
      {
        keys: ['7e3c1c2e-0000-4000-8000-000000000001', 'ada', 'ada@example.com', 'ada@example.org', ada.dn],
        id: '7e3c1c2e-0000-4000-8000-000000000001',
        login: 'ada',
        email: 'ada@example.com',
        name: 'Ada Lovelace',
        title: 'Engineer',
        groups: ['cn=staff,ou=groups,dc=example,dc=com'],
        dn: ada.dn,
      },
      {
        keys: ['00112233-4455-6677-8899-aabbccddeeff', 'grace', 'grace@example.com', 'g@example.com', grace.dn],
        id: '00112233-4455-6677-8899-aabbccddeeff',
        login: 'grace',
        name: 'Grace Hopper',
        status: 'disabled',
        department: 'Navy',
        dn: grace.dn,
      },
    ])
  })

  test('of several pages', async () => {
    server.entries = Array.from({ length: 7 }, (_, i) => ({ dn: `uid=u${i},dc=example,dc=com`, attributes: { uid: [`u${i}`] } }))
    expect((await rowsOf('users')).map((row) => (row as { login: string }).login)).toEqual(
      Array.from({ length: 7 }, (_, i) => `u${i}`),
    )
    expect(server.bound).toEqual(['cn=reader,dc=example,dc=com'])
  })
})

test('groups count their members, devices have the name without the sign of a computer account', async () => {
  server.entries = [
    { dn: 'cn=staff,dc=example,dc=com', attributes: { cn: ['staff'], gidNumber: ['500'], memberUid: ['ada', 'grace'] } },
  ]
  expect(await rowsOf('groups')).toEqual([
    { keys: ['staff', '500', 'cn=staff,dc=example,dc=com'], name: 'staff', members: 2, dn: 'cn=staff,dc=example,dc=com' },
  ])
  server.entries = [
    {
      dn: 'CN=PC1,DC=example,DC=com',
      attributes: { sAMAccountName: ['PC1$'], dNSHostName: ['pc1.example.com'], operatingSystem: ['Windows'] },
    },
  ]
  expect(await rowsOf('devices')).toEqual([
    {
      keys: ['PC1', 'pc1.example.com', 'CN=PC1,DC=example,DC=com'],
      name: 'PC1',
      hostname: 'pc1.example.com',
      platform: 'Windows',
      dn: 'CN=PC1,DC=example,DC=com',
    },
  ])
})

test.each([
  ['a wrong password', {}, 'wrong', /refuses the DN or the password/],
  ['a server that does not answer in time', { timeout_secs: 1 }, 'right', /not done within 1 s/],
  ['a server without TLS', { start_tls: true }, 'right', /cannot list dc=example,dc=com on ldap:\/\/127.0.0.1/],
])('%s is reported', async (what, more, secret, message) => {
  server.answers = !what.includes('in time')
  server.entries = [ada]
  const change = what.includes('without TLS') ? { ...more, timeout_secs: 1 } : more
  const error = await rowsOf('users', change, secret).catch((caught: unknown) => caught)
  expect(error).toBeInstanceOf(TableError)
  expect((error as Error).message).toMatch(message)
})

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { freePort } from '../../../../test/support/caracal.ts'
import { sendNothing } from '../../../util/http/send.ts'
import { ldap } from './ldap.ts'

const SLAPD = '/usr/sbin/slapd'
const SCHEMAS = '/etc/ldap/schema'
const USERS = 1203

/** OpenLDAP's own server, where it is installed. */
describe.skipIf(!existsSync(SLAPD) || !existsSync(SCHEMAS))('OpenLDAP', () => {
  const folder = mkdtempSync(join(tmpdir(), 'slapd-'))
  const config = join(folder, 'slapd.conf')
  let server: ChildProcess
  let url: string

  beforeAll(async () => {
    mkdirSync(join(folder, 'data'))
    const schemas = ['core', 'cosine', 'nis', 'inetorgperson'].map((name) => `include ${SCHEMAS}/${name}.schema`)
    writeFileSync(
      config,
      `${schemas.join('\n')}\nmodulepath /usr/lib/ldap\nmoduleload back_mdb\ndatabase mdb\nsuffix "dc=example,dc=com"\n` +
        `rootdn "cn=admin,dc=example,dc=com"\nrootpw right\ndirectory ${join(folder, 'data')}\nmaxsize 104857600\ndbnosync\n`,
    )
    const users = Array.from(
      { length: USERS },
      (_, i) =>
        `dn: uid=u${i},dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: u${i}\ncn: User ${i}\nsn: ${i}\nmail: u${i}@example.com\n\n`,
    )
    const others =
      'dn: cn=staff,dc=example,dc=com\nobjectClass: groupOfNames\ncn: staff\nmember: uid=u1,dc=example,dc=com\n\n' +
      'dn: cn=pc1,dc=example,dc=com\nobjectClass: device\ncn: pc1\nserialNumber: S1\n\n'
    const base = 'dn: dc=example,dc=com\nobjectClass: dcObject\nobjectClass: organization\no: Example\ndc: example\n\n'
    const added = spawnSync(SLAPD, ['-T', 'add', '-f', config], { input: base + users.join('') + others, encoding: 'utf8' })
    expect(added.status, added.stderr).toBe(0)
    const port = await freePort()
    url = `ldap://127.0.0.1:${port}`
    server = spawn(SLAPD, ['-d', '0', '-h', url, '-f', config])
    await vi.waitFor(() => answers(port), { timeout: 60_000, interval: 50 })
  }, 120_000)
  afterAll(() => {
    server?.kill()
    rmSync(folder, { recursive: true })
  })

  async function rowsOf(list: string) {
    const block = ldap.config.parse({ url, start_tls: false, key: 'ldap', base: 'dc=example,dc=com', list })
    const keys = () => ({ user: 'cn=admin,dc=example,dc=com', secret: 'right' })
    const provider = ldap.create(block, { send: sendNothing, keys, table: 't', folder: '/', dataFolder: '/' })
    const { bytes } = (await provider.refresh({}, new AbortController().signal))!
    const lines = Buffer.from(bytes).toString().trim().split('\n')
    return lines.map((line) => JSON.parse(line) as { keys: string[] })
  }

  test('all users in pages, groups and devices', { timeout: 60_000 }, async () => {
    const users = await rowsOf('users')
    expect([users.length, new Set(users.flatMap(({ keys }) => keys)).size]).toEqual([USERS, USERS * 4])
    expect(users[7]).toMatchObject({ login: 'u7', email: 'u7@example.com', name: 'User 7' })
    expect(await rowsOf('groups')).toMatchObject([{ name: 'staff', members: 1 }])
    expect(await rowsOf('devices')).toMatchObject([{ name: 'pc1', serial: 'S1' }])
  })
})

function answers(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve()
    })
    socket.once('error', reject)
  })
}

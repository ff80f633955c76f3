import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { KeyError, keyWithUser } from '../stages/enrich/api-keys.ts'
import { apiKeys, keysSchema } from './keys.ts'

const ENV = { ABUSE: 's3cr3t', ACCOUNT: '123' }
const keysOf = (config: object, env: Record<string, string> = ENV) => apiKeys(keysSchema.parse(config), env)
const entry = (...hosts: string[]) => ({ one: { value: { env: 'ABUSE' }, hosts } })

function isSent(hosts: string[], url: string): boolean {
  try {
    return keysOf(entry(...hosts))('one', url).secret === 's3cr3t'
  } catch (error) {
    expect(error).toBeInstanceOf(KeyError)
    expect((error as Error).message).not.toContain('s3cr3t')
    return false
  }
}

test.each([
  ['api.example.com', 'https://api.example.com/list?a=b', true],
  ['API.example.com', 'https://api.EXAMPLE.com:443/', true],
  ['api.example.com', 'http://api.example.com/', false],
  ['api.example.com', 'https://api.example.com:8443/', false],
  ['api.example.com:8443', 'https://api.example.com:8443/', true],
  ['api.example.com', 'https://api.example.com.evil.test/', false],
  ['api.example.com', 'https://xapi.example.com/', false],
  ['api.example.com', 'https://api.example.com./', false],
  ['api.example.com', 'https://api.example.com@evil.test/', false],
  ['api.example.com', 'https://evil.test/api.example.com', false],
  ['api.example.com', 'https://evil.test\\@api.example.com/', false],
  ['*.example.com', 'https://a.b.example.com/', true],
  ['*.example.com', 'https://example.com/', false],
  ['*.example.com', 'https://notexample.com/', false],
  ['*.example.com', 'https://a.example.com:8443/', false],
  ['http://127.0.0.1:9000', 'http://127.0.0.1:9000/bucket', true],
  ['http://127.0.0.1:9000', 'https://127.0.0.1:9000/bucket', false],
  ['http://127.0.0.1:9000', 'http://127.0.0.1:9001/bucket', false],
  ['[::1]:9000', 'https://[0:0::1]:9000/', true],
  ['ldaps://dir.example.com', 'ldaps://DIR.example.com/dc=example', true],
])('a key for %s is available for %s: %s', (host, url, expected) => {
  expect(isSent([host], url)).toBe(expected)
})

test('whatever a definition writes as its URL, the key is only available if the parsed host is listed', () => {
  const part = fc.constantFrom(
    'api.example.com',
    'evil.test',
    '@',
    ':',
    '/',
    '\\',
    '#',
    '?',
    '.',
    '%2e',
    '%00',
    'https://',
    '443',
    '*',
  )
  fc.assert(
    fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
      const url = `https://${parts.join('')}`
      if (!URL.canParse(url)) return
      expect(isSent(['api.example.com'], url)).toBe(new URL(url).origin === 'https://api.example.com')
    }),
    { numRuns: 500, seed: 11 },
  )
})

test('an entry must name a secret by reference, and hosts that can exist', () => {
  const refused = (one: object) => keysSchema.safeParse({ one }).error?.issues[0]?.message
  expect(refused({ value: 's3cr3t', hosts: ['a.example.com'] })).toMatch(/not written in the configuration/)
  expect(refused({ value: { env: 'A' }, hosts: [] })).toBeDefined()
  for (const host of ['*', '*.', 'a b', 'https://a.example.com/path', 'user@a.example.com', 'https://', '[:]:1'])
    expect(refused({ value: { env: 'A' }, hosts: [host] }), host).toMatch(/a host/)
})

test('a missing key is reported with the lines to add', () => {
  const message = (config: object, env = ENV) => {
    try {
      keysOf(config, env)('abuseipdb', 'https://api.abuseipdb.com/blacklist?x=1')
    } catch (error) {
      expect(error).toBeInstanceOf(KeyError)
      return (error as Error).message
    }
    return ''
  }
  expect(message({})).toBe(
    'it needs the key \'abuseipdb\': add `keys: { abuseipdb: { value: {env: ABUSEIPDB_KEY}, hosts: ["api.abuseipdb.com"] } }` to caracal.yml and restart',
  )
  const hosts = ['api.abuseipdb.com']
  expect(message({ abuseipdb: { value: { env: 'NOT_SET' }, hosts } })).toMatch(/'abuseipdb' cannot be used.*NOT_SET.*is not set/)
  expect(message({ abuseipdb: { value: { env: 'ABUSE' }, hosts: ['other.example.com'] } })).toMatch(
    /'abuseipdb' is not meant for https:\/\/api\.abuseipdb\.com: if it is, add "api\.abuseipdb\.com" to keys\.abuseipdb\.hosts/,
  )
  expect(() => keysOf({})('constructor', 'https://a.example.com')).toThrow(KeyError)
})

test('a service that needs a user besides the secret says so in both cases', () => {
  const url = 'https://a.example.com/x'
  const message = (config: object) => {
    try {
      keyWithUser(keysOf(config), 'one', url, 'the account id')
    } catch (error) {
      expect(error).toBeInstanceOf(KeyError)
      return (error as Error).message
    }
    return ''
  }
  expect(message({})).toContain('keys: { one: { user: "<the account id>", value: {env: ONE_KEY}, hosts: ["a.example.com"] } }')
  const one = { value: { env: 'ABUSE' }, hosts: ['a.example.com'] }
  expect(message({ one })).toBe("the key 'one' has no user: write the account id as keys.one.user in caracal.yml")
  expect(message({ one: { ...one, user: 'ada' } })).toBe('')
})

test('a secret file is read again at each call, and the user may be a secret as well', () => {
  const folder = mkdtempSync(join(tmpdir(), 'caracal-keys-'))
  try {
    const file = join(folder, 'key')
    const key = keysOf({ one: { value: { file }, user: { env: 'ACCOUNT' }, hosts: ['a.example.com'] } })
    writeFileSync(file, 'first\n')
    expect(key('one', 'https://a.example.com')).toEqual({ user: '123', secret: 'first' })
    writeFileSync(file, 'second\n')
    expect(key('one', 'https://a.example.com').secret).toBe('second')
  } finally {
    rmSync(folder, { recursive: true })
  }
})

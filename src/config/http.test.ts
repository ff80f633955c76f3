import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { testAuthority } from '../../test/support/certificates.ts'
import { httpSchema, httpSettings } from './http.ts'

const folder = mkdtempSync(join(tmpdir(), 'caracal-http-'))
afterAll(() => rmSync(folder, { recursive: true }))

const settings = (config: object, env: Record<string, string> = {}) => httpSettings(httpSchema.parse(config), env)

test('without an http block, the environment decides which proxy to use', () => {
  expect(settings({})).toEqual({ proxy: { https: undefined, http: undefined, except: [] }, ca: undefined, allowPrivate: [] })
  const env = { HTTPS_PROXY: 'http://a.test:1', http_proxy: 'b.test:2', NO_PROXY: 'x.test, 10.0.0.0/8' }
  expect(settings({}, env).proxy).toEqual({
    https: 'http://a.test:1',
    http: 'http://b.test:2',
    except: ['x.test', '10.0.0.0/8'],
  })
})

test('the http block takes precedence over the environment', () => {
  const env = { HTTPS_PROXY: 'http://a.test:1', NO_PROXY: 'x.test', SECRET: 'http://u:p@c.test:3' }
  expect(settings({ proxy: { env: 'SECRET' }, no_proxy: [] }, env).proxy).toEqual({
    https: 'http://u:p@c.test:3',
    http: 'http://u:p@c.test:3',
    except: [],
  })
})

test('an invalid proxy is refused without quoting it', () => {
  expect(() => settings({}, { HTTPS_PROXY: 'socks5://u:hidden@c.test' })).toThrow(
    /^HTTPS_PROXY is not the URL of an HTTP proxy; it should look like http:\/\/proxy\.example\.com:3128$/,
  )
  expect(() => settings({ proxy: { env: 'S' } }, { S: 'http://[hidden' })).toThrow(/^http\.proxy is not the URL/)
})

test('the CA file must contain certificates', () => {
  const file = join(folder, 'ca.pem')
  writeFileSync(file, testAuthority().certificate)
  expect(settings({ ca_file: file }).ca).toContain('BEGIN CERTIFICATE')
  writeFileSync(file, 'no certificate')
  expect(() => settings({ ca_file: file })).toThrow(/http\.ca_file: .*ca\.pem cannot be used as a PEM certificate file/)
  expect(() => settings({ ca_file: join(folder, 'none') })).toThrow(/there is no such file/)
})

test.each(['10.0.0.0/33', '10.0', 'lan', ''])("'%s' is not a private range", (range) => {
  expect(httpSchema.safeParse({ allow_private: [range] }).success).toBe(false)
})

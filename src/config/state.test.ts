import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { isLoopback } from '../util/loopback.ts'
import { configSchema } from './config.ts'
import { databaseSettings, databaseUrl, type StateConfig } from './state.ts'

const folder = mkdtempSync(join(tmpdir(), 'caracal-state-config-'))
afterAll(() => rmSync(folder, { recursive: true }))
const URL = 'postgres://caracal@db.example.com/siem'
const parsed = (state: object) => configSchema.safeParse({ state })
const settingsOf = (state: object, env = {}) =>
  databaseSettings(configSchema.parse({ state }).state as Extract<StateConfig, { type: 'postgres' }>, env)

test('without the block, the state is a file in the data folder', () => {
  expect(configSchema.parse({}).state).toEqual({ type: 'sqlite' })
})

test.each([
  ['a server', URL, { user: 'caracal', host: 'db.example.com', port: 5432, database: 'siem' }],
  ['a port', 'postgresql://a@db:6432/b', { user: 'a', host: 'db', port: 6432, database: 'b' }],
  ['an address of version 6', 'postgres://a@[2001:db8::1]/b', { user: 'a', host: '2001:db8::1', port: 5432, database: 'b' }],
  ['escaped names', 'postgres://a%40b@db/c%20d', { user: 'a@b', host: 'db', port: 5432, database: 'c d' }],
])('a URL names %s', (_, url, parts) => {
  expect(databaseUrl(url)).toEqual(parts)
})

test.each([
  ['another protocol', 'mysql://a@db/b', /not the URL of a database: it should look like postgres:/],
  ['no user', 'postgres://db/b', /must name user, server and database/],
  ['no database', 'postgres://a@db/', /must name user, server and database/],
  ['a path', 'postgres://a@db/b/c', /must name user, server and database/],
  ['options', 'postgres://a@db/b?sslmode=disable', /the URL has options: leave them out/],
  ['a broken escape', 'postgres://a@db/%zz', /must name user, server and database/],
])('a URL with %s is refused', (_, url, message) => {
  expect(parsed({ type: 'postgres', url }).error?.issues[0]).toMatchObject({
    path: ['state', 'url'],
    message: expect.stringMatching(message),
  })
})

test('a password in the URL is refused, and not quoted', () => {
  const message = parsed({ type: 'postgres', url: 'postgres://a:hunter2@db/b' }).error!.message
  expect(message).toContain('refer to it with `password`')
  expect(message).not.toContain('hunter2')
})

test.each([
  ['an unknown type', { type: 'mysql' }],
  ['an unknown key', { type: 'postgres', url: URL, sslmode: 'off' }],
  ['a key of another type', { type: 'sqlite', url: URL }],
  ['a password that is written out', { type: 'postgres', url: URL, password: 'hunter2' }],
])('%s is refused', (_, state) => {
  expect(parsed(state).success).toBe(false)
})

test.each([
  ['a server elsewhere is used with TLS', {}, { tls: {} }],
  ['TLS can be turned off', { tls: 'off' }, {}],
  ['a server on this machine is used without TLS', { url: 'postgres://a@localhost/b' }, {}],
  ['TLS can be asked for on this machine', { url: 'postgres://a@127.0.0.1/b', tls: 'verify' }, { tls: {} }],
])('%s', (_, part, tls) => {
  const { url, ...more } = { url: URL, ...part }
  expect(settingsOf({ type: 'postgres', url, ...more })).toEqual({ ...(databaseUrl(url) as object), ...tls })
})

test('the password comes from where the reference says, and one that is missing is named', () => {
  const state = { type: 'postgres', url: URL, password: { env: 'STATE_PASSWORD' } }
  expect(settingsOf(state, { STATE_PASSWORD: 'secret' }).password).toBe('secret')
  expect(() => settingsOf(state)).toThrow(/STATE_PASSWORD/)
})

test('a file of authorities that has none is refused with its name', () => {
  const file = join(folder, 'ca.pem')
  writeFileSync(file, 'no certificate')
  expect(() => settingsOf({ type: 'postgres', url: URL, ca_file: file })).toThrow(
    /ca\.pem cannot be used as a PEM certificate file/,
  )
})

test.each([
  ['localhost', true],
  ['127.0.0.1', true],
  ['127.8.9.1', true],
  ['::1', true],
  ['0:0:0:0:0:0:0:1', true],
  ['127.0.0.1.example.com', false],
  ['10.0.0.1', false],
  ['2001:db8::1', false],
  ['localhost.example.com', false],
])('what is sent to %s stays on this machine: %s', (host, stays) => {
  expect(isLoopback(host)).toBe(stays)
})

import { expect, test } from 'vitest'
import type { JsonObject } from '../../../model/json.ts'
import { buildTable } from '../build.ts'
import { defineTable } from '../definition.ts'

const tableOf = (format: string, content: string | object, more: object = {}) => {
  const document = {
    AnalysisType: 'lookup_table',
    LookupName: 't',
    Filename: 't',
    Format: format,
    LogTypeMap: { PrimaryKey: 'key' },
    ...more,
  }
  const bytes = Buffer.from(typeof content === 'string' ? content : JSON.stringify(content))
  return buildTable(defineTable(document, { file: '/content/t.yml' }), undefined, { bytes })
}

test('a hosts file: names match themselves and everything below them, and the local host’s names are left out', async () => {
  const table = await tableOf(
    'hosts',
    '127.0.0.1 localhost\n::1 ip6-localhost\n# x\n0.0.0.0 ads.example.com tracker.example # both\nfe80::1%lo0 localhost\n',
  )
  expect([table.match, table.size]).toEqual(['domain', 2])
  expect(table.get('x.ads.example.com')).toEqual({ address: '0.0.0.0', key: 'ads.example.com' })
  expect([table.get('tracker.example')?.['address'], table.get('localhost')]).toEqual(['0.0.0.0', undefined])
})

test.each([
  ['cidr', ['10.0.0.0/8', '2001:db8::/32'], 'cidr', '10.1.2.3', '10.0.0.0/8'],
  ['hostname', ['example.com'], 'domain', 'www.example.com', 'example.com'],
  ['string', ['one', 'two'], 'exact', 'two', 'two'],
])('a warning list of type %s is compared according to its type', async (type, list, match, asked, key) => {
  const table = await tableOf('misp', { name: 'A list', version: 3, type, list })
  expect(table.match).toBe(match)
  expect(table.get(asked)).toEqual({ list: 'A list', key })
})

test('a warning list of substrings is compared according to the definition, or refused', async () => {
  const content = { name: 'Disposable', type: 'substring', list: ['0-mail.com'] }
  await expect(tableOf('misp', content)).rejects.toThrow('of type "substring": add `Match:`')
  expect((await tableOf('misp', content, { Match: 'domain' })).get('x.0-mail.com')).toEqual({
    list: 'Disposable',
    key: '0-mail.com',
  })
})

const indicator = (pattern: string, more: JsonObject = {}): JsonObject => ({
  type: 'indicator',
  id: 'indicator--1',
  name: 'Bad',
  valid_from: '2024-01-01T00:00:00Z',
  pattern_type: 'stix',
  pattern,
  ...more,
})

test('a STIX bundle: a row for each value that can be looked up, with the details of the indicator', async () => {
  const hash = 'a'.repeat(64)
  const objects = [
    { type: 'identity', id: 'identity--1' },
    indicator("[ipv4-addr:value = '192.0.2.1' OR ipv6-addr:value='2001:db8::1'] AND [domain-name:value = 'bad.example']"),
    indicator(`[file:hashes.'SHA-256' = '${hash}' AND file:name = 'x']`),
    indicator("[url:value = 'http://bad.example/it\\'s?a=b']", { confidence: 90 }),
    indicator("[ipv4-addr:value = '192.0.2.9']", { revoked: true }),
    indicator("[process:name = 'x']"),
    indicator('rule x {}', { pattern_type: 'yara' }),
  ]
  const table = await tableOf('stix', { type: 'bundle', id: 'bundle--1', objects })
  const about = { id: 'indicator--1', name: 'Bad', valid_from: '2024-01-01T00:00:00Z' }
  expect(table.get('192.0.2.1')).toEqual({ ...about, type: 'ip', key: '192.0.2.1' })
  expect([table.get('2001:db8::1')?.['type'], table.get('bad.example')?.['type'], table.get(hash)?.['type']]).toEqual([
    'ip',
    'domain',
    'sha256',
  ])
  expect(table.get("http://bad.example/it's?a=b")).toMatchObject({ type: 'url', confidence: 90 })
  expect(table.get('192.0.2.9')).toBeUndefined()
  expect([table.size, table.skipped.count]).toEqual([5, 2])
  expect(table.skipped.examples.join()).toMatch(/compares with nothing that can be looked up.*no pattern in the language of STIX/)
})

test('a pattern that almost matches does not slow the table down', async () => {
  const objects = [
    ...Array.from({ length: 5 }, () => `[${'a'.repeat(2400)}:${' '.repeat(2500)}]`),
    `[${'a:'.repeat(2400)}]`,
    `[a:${'a '.repeat(2400)}]`,
    `[${"a:b='\\".repeat(800)}]`,
    "[file:hashes.'SHA 256' = '1' OR domain-name:value   =   'bad.example']",
    ...[1, 2, 3, 4, 5, 6, 7, 8].map((i) => `[ipv4-addr:value = '192.0.2.${i}']`),
  ].map((pattern) => indicator(pattern))
  const table = await tableOf('stix', { objects })
  expect([table.size, table.skipped.count, table.get('bad.example')?.['type']]).toEqual([9, 8, 'domain'])
})

test('content that is neither a warning list nor a bundle is refused', async () => {
  await expect(tableOf('misp', '{"name":"x"}')).rejects.toThrow('it has no `list`')
  await expect(tableOf('misp', '[')).rejects.toThrow('not a MISP warning list')
  await expect(tableOf('stix', '{"type":"bundle"}')).rejects.toThrow('it has no `objects`')
  const pattern = `[${'a'.repeat(6000)}]`
  await expect(tableOf('stix', { objects: [indicator(pattern)] })).rejects.toThrow('more than 5000 characters')
})

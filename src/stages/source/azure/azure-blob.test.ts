import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { AzureStore } from '../../../../test/support/azure-store.ts'
import { TestBucket } from '../../../../test/support/bucket.ts'
import { lettersOf, linesOf, take } from '../objects/taking.fixture.ts'
import { azureBlob } from './azure-blob.ts'
import { blobListingOf } from './blob-listing.ts'

let bucket: TestBucket<AzureStore>
beforeEach(async () => {
  bucket = await TestBucket.with((server) => new AzureStore(server))
})
afterEach(() => bucket.close())

const open = (config: object = {}, secret?: string) =>
  bucket.watched((deps) => {
    const outside = secret === undefined ? deps.outside : { ...deps.outside, secret: () => secret }
    const parsed = azureBlob.config.parse({ id: 'container', ...bucket.config, ...config })
    return azureBlob.seekable!(parsed, { ...deps, outside, cursors: [] })
  })
const put = (key: string, content: string | Buffer, modified = '2024-03-12T08:00:00Z') =>
  bucket.store.objects.set(key, { content, modified })
const SAS = { auth: { sas_token: { env: 'SAS' } } }

test.each<[string, object, string | undefined]>([
  ['signed with the key of the account', {}, undefined],
  ['with a shared access signature', SAS, '?sv=2021-12-02&sp=rl&sig=a%2Bb%2Fc%3D'],
])('blobs are read oldest first, %s, whatever their names and however many pages the list has', async (_, config, secret) => {
  bucket.store.pageSize = 2
  put('logs/b c+d?#%é&<.gz', gzipSync('{"n":1}\n{"n":2}\n'))
  put('logs/a\uffff', '{"n":4}', '2024-03-12T09:00:00Z')
  put('logs/c', '{"n":3}\n', '2024-03-12T08:30:00Z')
  put('logs/excluded/a', '{"n":0}')
  put('logs/folder/', '')
  put('other', '{"n":0}')
  const prefixes = [{ prefix: 'logs/', log_types: ['Custom.App'], exclude: ['logs/excluded/'] }]
  const taken = await take(open({ prefixes, ...config }, secret))
  expect(linesOf(taken)).toEqual(['{"n":1}', '{"n":2}', '{"n":3}', '{"n":4}'])
  expect(taken.chunks[0]!.logTypes).toEqual(['Custom.App'])
})

test('an append blob is read when nothing was appended to it for an hour', async () => {
  put('PT1H.json', '{"n":1}\n', '2024-03-12T08:00:00Z')
  put('whole', '{"n":0}\n', '2024-03-12T08:40:00Z')
  bucket.store.appended.add('PT1H.json')
  bucket.store.now = '2024-03-12T08:59:59Z'
  const source = open({ window_hours: 1 })
  expect(linesOf(await take(source))).toEqual(['{"n":0}'])
  put('PT1H.json', '{"n":1}\n{"n":2}\n', '2024-03-12T08:59:00Z')
  bucket.store.now = '2024-03-12T09:59:00Z'
  expect(linesOf(await take(source))).toEqual(['{"n":1}', '{"n":2}'])
})

test('a blob that is replaced before it is read is a dead letter, and its new content is read', async () => {
  put('a', 'one\n')
  bucket.store.refusals.set('a', [412, 'ConditionNotMet'])
  const source = open()
  expect(lettersOf(await take(source))).toEqual([
    expect.stringMatching(/^truncated azure:\/\/logsaccount\/logs\/a was deleted or replaced/),
  ])
  bucket.store.refusals.clear()
  put('a', 'two\n')
  expect(linesOf(await take(source))).toEqual(['two'])
})

test('a name that would lead to another object is a dead letter', async () => {
  put('..', 'one\n')
  put('a/../../secret', 'two\n')
  const letters = lettersOf(await take(open()))
  expect(letters).toEqual(Array(2).fill(expect.stringMatching(/^decoding .* cannot be read: its name has a part '.' or '..'/)))
  expect(bucket.server.received.filter(({ headers }) => headers.range)).toEqual([])
})

test.each<[string, [number, string], RegExp]>([
  ['', [403, 'AuthorizationPermissionMismatch'], /cannot be listed: answered 403 \(Auth.*\): check `account_key`, or that/],
  ['', [404, 'ContainerNotFound'], /\(ContainerNotFound\): check the name of the container/],
  ['', [503, 'ServerBusy'], /answered 503 \(ServerBusy\)$/],
  ['a', [409, 'BlobArchived'], /logs\/a cannot be fetched: answered 409 \(BlobArchived\): move the blob to another access tier/],
])('a refusal of %j with %j is a problem until it is over', async (key, refusal, message) => {
  put('a', 'one\n')
  put('b', 'two\n', '2024-03-12T09:00:00Z')
  bucket.store.refusals.set(key, refusal)
  const source = open()
  expect(linesOf(await take(source))).toEqual(key === '' ? [] : ['two'])
  expect(source.status().problems).toEqual([expect.stringMatching(message)])
})

test.each<[string, object, string, RegExp]>([
  ['key', {}, 'aHVzaC03YTIw', /answered 403 \(AuthenticationFailed\): check `account_key`/],
  ['signature', SAS, 'hush-7a20', /the secret of `sas_token` is not a shared access signature: it contains no `sig`$/],
])('a wrong %s is a problem that says so, without quoting it', async (_, config, secret, message) => {
  const source = open(config, secret)
  void source.next()
  await expect.poll(() => source.status().problems).toEqual([expect.stringMatching(message)])
  expect(JSON.stringify(source.status())).not.toContain(secret)
})

test.each<[string, string]>([
  ['a page of something else', '<html>'],
  ['a blob without a name', '<EnumerationResults><Blob><Properties/></Blob></EnumerationResults>'],
  ['many blobs that nothing closes', `<EnumerationResults>${'<Blob>'.repeat(100_000)}`],
])('%s is refused', (_, xml) => {
  expect(() => blobListingOf(xml)).toThrow(/^the store (answers with a blob without|does not answer with a list)/)
})

test.each<[string, object, RegExp]>([
  ['two kinds of credentials', { auth: { account_key: { env: 'A' }, sas_token: { env: 'B' } } }, /auth/],
  ['a secret in the configuration', { auth: { account_key: 'plain' } }, /a secret is not written in the configuration/],
  ['a container with a wrong name', { container: 'Logs_' }, /the name of a container/],
])('%s is refused', (_, config, message) => {
  const given = { id: 'container', account: 'examplelogs', container: 'logs', ...config }
  expect(JSON.stringify(azureBlob.config.safeParse(given).error?.issues)).toMatch(message)
})

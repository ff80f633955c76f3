import { afterEach, beforeEach, expect, test } from 'vitest'
import { S3Store } from '../../../../test/support/s3-store.ts'
import { TestServer } from '../../../../test/support/servers.ts'
import { apiKeys, keysSchema } from '../../../config/keys.ts'
import { createHttp, type Http } from '../../../util/http/http.ts'
import { listingOf } from '../../../util/s3/listing.ts'
import { KeyError } from '../api-keys.ts'
import { s3 } from './s3.ts'

let server: TestServer
let store: S3Store
let http: Http
beforeEach(async () => {
  server = await new TestServer().listen()
  store = new S3Store(server, 'lists')
  http = createHttp({ proxy: { https: undefined, http: undefined, except: [] }, allowPrivate: ['127.0.0.0/8'] })
})
afterEach(async () => {
  await http.close()
  await server.close()
})

const KEY = { value: { env: 'SECRET' }, user: 'AKIDTEST' }
const refresh = (config: object, validators = {}, key: object = {}, env = { SECRET: 's3cr3t-7a20' }) =>
  s3
    .create(s3.config.parse({ bucket: 'lists', endpoint: server.url, auth: { key: 'aws' }, ...config }), {
      send: http.fromContent,
      keys: apiKeys(keysSchema.parse({ aws: { ...KEY, hosts: [server.url], ...key } }), env),
      table: 'list',
      folder: '/',
      dataFolder: '/',
    })
    .refresh(validators, new AbortController().signal)
const textOf = async (fetched: ReturnType<typeof refresh>) => Buffer.from((await fetched)!.bytes).toString()

test.each(['list.csv', 'a/b c/list+1.csv', "d'é(1)!*~/x=y&z?#%41.csv", 'a//b'])(
  'the object %j is fetched with a valid signature',
  async (key) => {
    store.objects.set(key, { content: 'a\n' })
    expect(await textOf(refresh({ key }))).toBe('a\n')
    expect(JSON.stringify(server.received)).not.toContain('s3cr3t')
  },
)

test('the newest object under a prefix is found through all pages, and is fetched again only if another is newer', async () => {
  store.pageSize = 2
  for (let day = 1; day <= 5; day++)
    store.objects.set(`export/2024-03-0${day} & <x>.csv`, {
      content: `${day}\n`,
      modified: `2024-03-0${day === 3 ? 9 : day}T00:00:00Z`,
    })
  store.objects.set('export/', { content: '', modified: '2024-04-01T00:00:00Z' })
  store.objects.set('other.csv', { content: 'x', modified: '2024-05-01T00:00:00Z' })
  const first = await refresh({ prefix: 'export/' })
  expect(Buffer.from(first!.bytes).toString()).toBe('3\n')
  expect(first!.validators['object']).toBe('export/2024-03-03 & <x>.csv')
  expect(await refresh({ prefix: 'export/' }, first!.validators)).toBeUndefined()
  // The same content in another object: its ETag must not hide the change of name.
  store.objects.set('export/new.csv', { content: '3\n', modified: '2024-03-10T00:00:00Z' })
  const second = await refresh({ prefix: 'export/' }, first!.validators)
  expect(second!.validators['object']).toBe('export/new.csv')
})

test('if the store names another region, the request is repeated with that', async () => {
  store.region = 'eu-central-1'
  store.objects.set('list.csv', { content: 'a\n' })
  expect(await textOf(refresh({ key: 'list.csv' }))).toBe('a\n')
})

test('a public bucket needs no key', async () => {
  store.isPublic = true
  store.objects.set('list.csv', { content: 'a\n' })
  expect(await textOf(refresh({ key: 'list.csv', auth: undefined }))).toBe('a\n')
  store.isPublic = false
  await expect(refresh({ key: 'list.csv', auth: undefined })).rejects.toThrow(/403 \(AccessDenied\).*name a key with `auth/)
})

test.each<[string, object, object, RegExp]>([
  ['no such object', { key: 'other.csv' }, {}, /bucket lists answered 404 \(NoSuchKey\) for the object other\.csv/],
  ['no such bucket', { key: 'list.csv', bucket: 'other' }, {}, /bucket other answered 404 \(NoSuchBucket\)/],
  ['an empty object', { key: 'empty.csv' }, {}, /empty\.csv is empty/],
  ['nothing under the prefix', { prefix: 'none/' }, {}, /no object under none\/ yet/],
  ['a wrong secret', { key: 'list.csv' }, { value: { env: 'OTHER' } }, /403 \(SignatureDoesNotMatch\).*key 'aws' may read it/],
  ['a key for another host', { key: 'list.csv' }, { hosts: ['s3.example.com'] }, /'aws' is not meant for http:\/\/127/],
  ['a key without an id', { key: 'list.csv' }, { user: undefined }, /has no user: write the access key id as keys\.aws\.user/],
  ['neither key nor prefix', {}, {}, /needs either `key` or `prefix`/],
  ['too much', { key: 'list.csv', max_bytes: 1 }, {}, /larger than 1 bytes/],
])('%s is reported', async (_, config, key, message) => {
  store.objects.set('list.csv', { content: 'a\n' }).set('empty.csv', { content: '' })
  const failed = refresh(config, {}, key, { SECRET: 's3cr3t-7a20', ...({ OTHER: 'wr0ng-secret' } as object) })
  await expect(failed).rejects.toThrow(message)
  await expect(failed).rejects.not.toThrow(/s3cr3t|wr0ng|AKIDTEST/)
  await expect(failed).rejects.toMatchObject({ code: 'table' })
})

test('what is wrong with a key waits for the operator', async () => {
  await expect(refresh({ key: 'a' }, {}, { user: undefined })).rejects.toThrow(KeyError)
})

test('the token of temporary credentials is sent', async () => {
  await refresh({ key: 'a' }, {}, { session: { env: 'TOKEN' } }, { SECRET: 'x', ...({ TOKEN: 'temporary' } as object) }).catch(
    () => {},
  )
  expect(server.received[0]!.headers['x-amz-security-token']).toBe('temporary')
})

test('a path that a URL cannot contain is refused', () => {
  for (const key of ['../other/list.csv', 'a/./b', 'a/..'])
    expect(s3.config.safeParse({ bucket: 'lists', key }).error?.issues[0]?.message).toMatch(/must not contain \. or \.\./)
})

test('what is not a list of objects is refused', () => {
  expect(() => listingOf('<html></html>')).toThrow(/does not answer with a list of objects/)
  expect(() => listingOf('<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>')).toThrow(/without key or time/)
  expect(() =>
    listingOf(
      '<ListBucketResult><Contents><Key>%</Key><LastModified>2024-01-01T00:00:00Z</LastModified></Contents></ListBucketResult>',
    ),
  ).toThrow(/not URL-encoded/)
})

// From each tag to the end of the text would be 50 thousand million steps.
test('a listing that only opens tags ends soon', () => {
  expect(() => listingOf(`<ListBucketResult>${'<Contents>'.repeat(100_000)}`)).toThrow(/without key or time/)
})

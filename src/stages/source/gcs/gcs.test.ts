import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { TestBucket } from '../../../../test/support/bucket.ts'
import { GcsStore } from '../../../../test/support/gcs-store.ts'
import { lettersOf, linesOf, take } from '../objects/taking.fixture.ts'
import { gcs } from './gcs.ts'

let bucket: TestBucket<GcsStore>
beforeEach(async () => {
  bucket = await TestBucket.with((server) => new GcsStore(server))
})
afterEach(() => bucket.close())

const open = (config: object = {}, secret?: string) =>
  bucket.watched((deps) => {
    const outside = secret === undefined ? deps.outside : { ...deps.outside, secret: () => secret }
    return gcs.seekable!(gcs.config.parse({ id: 'bucket', ...bucket.config, ...config }), { ...deps, outside, cursors: [] })
  })
const put = (key: string, content: string | Buffer, modified = '2024-03-12T08:00:00Z') =>
  bucket.store.objects.set(key, { content, modified })

test('objects are read oldest first, with one token, whatever their names and however many pages the list has', async () => {
  bucket.store.pageSize = 2
  put('logs/b c+d?#%é.gz', gzipSync('{"n":1}\n{"n":2}\n'))
  put('logs/a', '{"n":4}', '2024-03-12T09:00:00Z')
  put('logs/c', '{"n":3}\n', '2024-03-12T08:30:00Z')
  put('logs/excluded/a', '{"n":0}')
  put('logs/folder/', '')
  put('other', '{"n":0}')
  const prefixes = [{ prefix: 'logs/', log_types: ['Custom.App'], exclude: ['logs/excluded/'] }]
  const taken = await take(open({ prefixes }))
  expect(linesOf(taken)).toEqual(['{"n":1}', '{"n":2}', '{"n":3}', '{"n":4}'])
  expect(taken.chunks[0]!.logTypes).toEqual(['Custom.App'])
  expect(bucket.store.tokens).toBe(1)
})

test('compressed objects are asked for as they are stored', async () => {
  put('a', 'one\n')
  await take(open())
  const [read] = bucket.server.received.filter(({ url }) => url.includes('alt=media'))
  expect(read!.headers).toMatchObject({ 'accept-encoding': 'gzip', range: 'bytes=0-8388607' })
})

test('an object that appears late, with a smaller key and an earlier time, is found; a replaced one is another', async () => {
  put('2024/03/12/10', 'new\n', '2024-03-12T10:00:00Z')
  const source = open({ window_hours: 2 })
  await take(source)
  put('2024/03/12/09', 'late\n', '2024-03-12T08:00:01Z')
  put('2024/03/12/01', 'too late\n', '2024-03-12T07:59:59Z')
  put('2024/03/12/10', 'replaced\n', '2024-03-12T10:00:00Z')
  expect(linesOf(await take(source))).toEqual(['late', 'replaced'])
})

test('an object that is gone before it is read is a dead letter', async () => {
  put('a', 'one\n')
  const source = open()
  bucket.store.refusals.set('a', [404, ''])
  const taken = await take(source)
  expect(lettersOf(taken)).toEqual([expect.stringMatching(/^truncated gs:\/\/logs\/a was deleted or replaced/)])
})

test('a token that is refused is replaced by a new one', async () => {
  put('a', 'one\n')
  const source = open()
  await take(source)
  bucket.store.tokens++
  await expect
    .poll(() => source.status().problems)
    .toEqual([expect.stringMatching(/^gs:\/\/logs cannot be listed: answered 401/)])
  put('b', 'two\n')
  await expect.poll(async () => linesOf(await take(source))).toEqual(['two'])
  expect(source.status().problems).toEqual([])
})

test('a name that would lead to another object is a dead letter', async () => {
  put('..', 'one\n')
  put('a/../../secret', 'two\n')
  const letters = lettersOf(await take(open()))
  expect(letters).toEqual(Array(2).fill(expect.stringMatching(/^decoding .* cannot be read: its name has a part '.' or '..'/)))
  expect(bucket.server.received.filter(({ headers }) => headers.range)).toEqual([])
})

test.each<[string, [number, string], RegExp]>([
  ['', [403, ''], /gs:\/\/logs cannot be listed: answered 403: give the service account the permissions storage.objects.list/],
  ['', [404, ''], /answered 404: check the name of the bucket/],
  ['', [503, ''], /answered 503$/],
  ['a', [403, ''], /gs:\/\/logs\/a cannot be fetched: answered 403/],
])('a refusal of %j with %j is a problem until it is over', async (key, refusal, message) => {
  put('a', 'one\n')
  put('b', 'two\n', '2024-03-12T09:00:00Z')
  bucket.store.refusals.set(key, refusal)
  const source = open()
  expect(linesOf(await take(source))).toEqual(key === '' ? [] : ['two'])
  expect(source.status().problems).toEqual([expect.stringMatching(message)])
})

test.each<[string, (key: Record<string, string>) => string, RegExp]>([
  ['is not JSON', () => 'hush-7a20', /not the key file of a service account: it is not a JSON object$/],
  ['lacks a member', ({ private_key: _, ...rest }) => JSON.stringify(rest), /its member `private_key` is missing or wrong$/],
  [
    'holds no key',
    (key) => JSON.stringify({ ...key, private_key: 'hush-7a20' }),
    /nothing can be signed with the `private_key` of reader@example/,
  ],
  [
    'is of somebody else',
    (key) => JSON.stringify({ ...key, client_email: 'other@example.com' }),
    /no token for other@example.com: the token server answered 400 \(invalid_grant\): check that the key was not deleted/,
  ],
])('a key file that %s is a problem that says so, without quoting it', async (_, change, message) => {
  const source = open({}, change(JSON.parse(bucket.store.secret)))
  void source.next()
  await expect.poll(() => source.status().problems).toEqual([expect.stringMatching(message)])
  expect(JSON.stringify(source.status())).not.toContain('hush-7a20')
})

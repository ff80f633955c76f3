import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { TestBucket } from '../../../../test/support/bucket.ts'
import type { Cursor } from '../../../model/batch.ts'
import { packageRoot } from '../../../util/entry.ts'
import { lettersOf, linesOf, take } from '../objects/taking.fixture.ts'
import { s3 } from './s3.ts'

let bucket: TestBucket
beforeEach(async () => {
  bucket = await TestBucket.create()
})
afterEach(() => bucket.close())

const open = (config: object = {}, cursors: readonly Cursor[] = []) =>
  bucket.watched((deps) => s3.seekable!(s3.config.parse({ id: 'bucket', ...bucket.config, ...config }), { ...deps, cursors }))

const put = (key: string, content: string | Buffer, modified = '2024-03-12T08:00:00Z') =>
  bucket.store.objects.set(key, { content, modified })

test('objects are read oldest first, compressed or not, whatever their names', async () => {
  put('b.gz', gzipSync('{"n":1}\n{"n":2}\n'), '2024-03-12T08:00:00Z')
  put('a.log', '{"n":4}', '2024-03-12T09:00:00Z')
  put('c', '{"n":3}\n', '2024-03-12T08:30:00Z')
  put('folder/', '', '2024-03-12T08:30:00Z')
  put('named/like/a/folder/', '{"n":5}', '2024-03-12T10:00:00Z')
  expect(linesOf(await take(open()))).toEqual(['{"n":1}', '{"n":2}', '{"n":3}', '{"n":4}', '{"n":5}'])
})

test('NUL bytes between records are skipped, and the source says so', async () => {
  put('a.log', `{"n":1}\n${'\0'.repeat(5000)}{"n":2}\n`)
  const source = open()
  await take(source)
  expect(source.status().notices).toEqual([
    expect.stringMatching(/^5000 NUL bytes between records were skipped, the last of them in .*a\.log: /),
  ])
})

test('an object is read as it is stored, even if the store says that it is compressed', async () => {
  const all = Array.from({ length: 500_000 }, (_, i) => `{"n":${i},"text":"${(i * 7919 * 104_729) % 1e15} ${i ** 3}"}`)
  const content = gzipSync(`${all.join('\n')}\n`, { level: 1 })
  expect(content.length).toBeGreaterThan(8 * 1024 * 1024)
  bucket.store.objects.set('AWSLogs/trail.json.gz', { content, encoding: 'gzip' })
  expect(linesOf(await take(open()))).toEqual(all)
})

test('each prefix has its log types; excluded keys and those under no prefix are left alone', async () => {
  put('app/1', 'app\n')
  put('app/nginx/1', 'nginx\n')
  put('app/debug/1', 'debug\n')
  put('other/1', 'other\n')
  const prefixes = [
    { prefix: 'app/', log_types: ['Custom.App'], exclude: ['app/debug/'] },
    { prefix: 'app/nginx/', log_types: ['Nginx.Access', 'Custom.Nginx'] },
  ]
  const { chunks } = await take(open({ prefixes }))
  const types = Object.fromEntries(chunks.map(({ bytes, logTypes }) => [Buffer.from(bytes).toString().trim(), logTypes]))
  expect(types).toEqual({ app: ['Custom.App'], nginx: ['Nginx.Access', 'Custom.Nginx'] })
})

test('an object that appears late, with a smaller key and an earlier time, is found; one outside the window is not', async () => {
  put('2024/03/12/10.log', 'new\n', '2024-03-12T10:00:00Z')
  const source = open({ window_hours: 2 })
  await take(source)
  put('2024/03/12/09.log', 'late\n', '2024-03-12T08:00:01Z')
  put('2024/03/12/01.log', 'too late\n', '2024-03-12T07:59:59Z')
  expect(linesOf(await take(source))).toEqual(['late'])
})

test('an object whose content is replaced is another object; the same content again is not', async () => {
  put('a', 'one\n')
  const source = open()
  await take(source)
  put('a', 'one\n', '2024-03-12T08:10:00Z')
  expect(linesOf(await take(source))).toEqual([])
  put('a', 'two\n', '2024-03-12T08:20:00Z')
  expect(linesOf(await take(source))).toEqual(['two'])
})

test('a large object is read in several batches, and goes on in its middle after a restart', async () => {
  const all = Array.from({ length: 60_000 }, (_, i) => `{"n":${i},"text":"${'x'.repeat(50)}"}`)
  put('large.gz', gzipSync(`${all.join('\n')}\n`))
  const first = await take(open(), 2)
  const rest = await take(open({}, [...first.cursors.values()]))
  expect(rest.extents.length).toBeGreaterThan(1)
  expect([...linesOf(first), ...linesOf(rest)]).toEqual(all)
})

test('if the object of a batch in progress is gone after a restart, that is a dead letter and the next object is read', async () => {
  put('a', 'one\n')
  const { extents } = await take(open())
  bucket.store.objects.clear()
  put('a', 'two\n')
  const source = open()
  const [chunk] = await source.read(extents[0]!)
  expect(chunk!.faults).toMatchObject([
    { reason: 'truncated', message: expect.stringContaining('s3://logs/a was deleted or replaced') },
  ])
  source.parsed(extents[0]!, '')
  expect(linesOf(await take(source))).toEqual(['two'])
})

test('the rows of Parquet and Avro objects are records, with 64-bit integers exact, and damaged ones are dead letters', async () => {
  const parquet = readFileSync(join(packageRoot(), 'test/fixtures/parquet/snappy.parquet'))
  put('rows.parquet', parquet)
  put('damaged.parquet', parquet.subarray(0, 400), '2024-03-12T09:00:00Z')
  put('rows.avro', readFileSync(join(packageRoot(), 'test/fixtures/avro/snappy.avro')), '2024-03-12T10:00:00Z')
  put('damaged.avro', 'Obj\u0001…', '2024-03-12T11:00:00Z')
  const taken = await take(open())
  expect(linesOf(taken)).toHaveLength(5)
  for (const row of [0, 3]) expect(linesOf(taken)[row]).toContain('"id":9223372036854775807')
  expect(lettersOf(taken)).toEqual([
    expect.stringMatching(/^decoding s3:\/\/logs\/damaged\.parquet: it begins like a Parquet file, but does not end like one$/),
    expect.stringMatching(/^decoding s3:\/\/logs\/damaged\.avro: the Avro file cannot be read: it breaks off/),
  ])
})

test('an object above the limit is a dead letter that says so, and is not fetched', async () => {
  put('large', 'x'.repeat(5000))
  const { chunks } = await take(open({ max_object_bytes: 4096 }))
  expect(chunks[0]!.faults).toMatchObject([
    { reason: 'too_long', length: 5000, message: expect.stringMatching(/max_object_bytes/) },
  ])
  expect(bucket.server.received.filter(({ url }) => url.includes('large'))).toEqual([])
})

test('a key that a URL would resolve to another object is a dead letter, and nothing else is asked for', async () => {
  put('a/../../other/secret', 'one\n')
  put('b/./c', 'two\n')
  put('d/..e/f', 'three\n')
  const taken = await take(open())
  expect(linesOf(taken)).toEqual(['three'])
  const letters = taken.chunks.flatMap(({ faults }) => faults.map(({ message }) => message))
  expect(letters.sort()).toEqual([
    expect.stringMatching(/^s3:\/\/logs\/a\/\.\.\/\.\.\/other\/secret cannot be read: its key has a part/),
    expect.stringMatching(/^s3:\/\/logs\/b\/\.\/c cannot be read: its key has a part/),
  ])
  expect(bucket.server.received.filter(({ url }) => !url.includes('list-type')).map(({ url }) => url)).toEqual(['/logs/d/..e/f'])
})

test('a damaged object yields what precedes the damage, then a dead letter', async () => {
  const whole = gzipSync(Array.from({ length: 5000 }, (_, i) => `line ${i} ${i * 7919}\n`).join(''))
  put('broken.gz', whole.subarray(0, whole.length / 2))
  put('whole', 'next\n', '2024-03-12T09:00:00Z')
  const taken = await take(open())
  expect(linesOf(taken)[0]).toBe('line 0 0')
  expect(linesOf(taken).at(-1)).toBe('next')
  expect(taken.chunks.flatMap(({ faults }) => faults)).toMatchObject([{ reason: 'compression' }])
})

test.each<[string, [number, string], RegExp]>([
  [
    '',
    [403, 'AccessDenied'],
    /s3:\/\/logs cannot be listed: answered 403 \(AccessDenied\): give its credentials the permissions/,
  ],
  ['', [403, 'RequestTimeTooSkewed'], /set the clock of this machine/],
  ['', [404, 'NoSuchBucket'], /check bucket, region and endpoint/],
  ['', [503, 'SlowDown'], /answered 503 \(SlowDown\)/],
  ['a', [403, 'AccessDenied'], /s3:\/\/logs\/a cannot be fetched: answered 403 \(AccessDenied\).*kms:Decrypt/],
])('a refusal of %j with %j is a problem until it is over', async (key, refusal, message) => {
  put('a', 'one\n')
  put('b', 'two\n', '2024-03-12T09:00:00Z')
  bucket.store.refusals.set(key, refusal)
  const source = open()
  const taken = await take(source)
  expect(linesOf(taken)).toEqual(key === '' ? [] : ['two'])
  expect(source.status().problems).toEqual([expect.stringMatching(message)])
  expect(JSON.stringify(source.status())).not.toContain('s3cr3t')
})

test('a secret that is not there is a problem that names the reference', async () => {
  const config = s3.config.parse({ id: 'bucket', ...bucket.config })
  const source = bucket.watched((deps) => {
    const secret = () => {
      throw new Error('the environment variable KEY, which should contain a secret, is not set')
    }
    return s3.seekable!(config, { ...deps, outside: { ...deps.outside, secret }, cursors: [] })
  })
  void source.next()
  await expect
    .poll(() => source.status().problems)
    .toEqual([expect.stringMatching(/^s3:\/\/logs cannot be listed: the environment variable KEY.*is not set/)])
})

test.each<[string, object, RegExp]>([
  [
    'prefixes',
    { prefixes: [{ prefix: 'a', log_types: ['A.B'] }, { prefix: 'b' }] },
    /either every prefix names its `log_types` or none does/,
  ],
  ['role_arn', { role_arn: 'logs' }, /as in arn:aws:iam/],
  ['endpoint', { endpoint: 'http://u:p@127.0.0.1/' }, /holds a user name or password/],
  [
    'secret_access_key',
    { auth: { access_key_id: 'A', secret_access_key: 'plain' } },
    /a secret is not written in the configuration/,
  ],
])('a wrong %s is refused', (_, config, message) => {
  expect(JSON.stringify(s3.config.safeParse({ id: 'bucket', bucket: 'logs', ...config }).error?.issues)).toMatch(message)
})

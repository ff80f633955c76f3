import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { archiveSchema } from '../../config/archive.ts'
import { Refused, RetryLater } from '../../util/errors.ts'
import { createHttp, type Http } from '../../util/http/http.ts'
import { hashOf } from './archiver.ts'
import { ArchiveFileMissing, type ArchivePlace } from './place.ts'
import { S3Place } from './s3-place.ts'

const folder = mkdtempSync(join(tmpdir(), 'caracal-s3-place-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const signal = new AbortController().signal

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}

/** Answers as S3 documents PutObject, GetObject with a range, and ListObjectsV2 with two keys per page. */
let server: Server
const objects = new Map<string, Buffer>()
let failing: { status: number; code: string } | undefined
let http: Http
let place: ArchivePlace

beforeEach(async () => {
  objects.clear()
  failing = undefined
  server = createServer(async (request, response) => {
    const body = Buffer.concat(await all(request as AsyncIterable<Buffer>))
    const url = new URL(request.url!, 'http://x')
    const key = decodeURIComponent(url.pathname).replace(/^\/bucket\//, '')
    const { authorization = '', 'x-amz-content-sha256': sha256, range } = request.headers
    const isSigned = authorization.includes('Credential=AKID/') && sha256 === createHash('sha256').update(body).digest('hex')
    if (failing && request.method === 'PUT')
      return response.writeHead(failing.status, { 'retry-after': '7' }).end(`<Error><Code>${failing.code}</Code></Error>`)
    if (!isSigned) return response.writeHead(403).end('<Error><Code>SignatureDoesNotMatch</Code></Error>')
    if (request.method === 'PUT') {
      objects.set(key, body)
      return response.end()
    }
    if (url.searchParams.has('list-type')) {
      const after = url.searchParams.get('continuation-token') ?? url.searchParams.get('start-after') ?? ''
      const keys = [...objects.keys()].sort().filter((one) => one.startsWith(url.searchParams.get('prefix')!) && one > after)
      const page = keys.slice(0, 2)
      const contents = page.map(
        (one) =>
          `<Contents><Key>${encodeURIComponent(one)}</Key><LastModified>2026-01-01T00:00:00Z</LastModified><Size>${objects.get(one)!.length}</Size></Contents>`,
      )
      const more = keys.length > 2
      const next = more ? `<NextContinuationToken>${page[1]}</NextContinuationToken>` : ''
      return response.end(`<ListBucketResult><IsTruncated>${more}</IsTruncated>${next}${contents.join('')}</ListBucketResult>`)
    }
    const object = objects.get(key)
    if (!object) return response.writeHead(404).end('<Error><Code>NoSuchKey</Code></Error>')
    const [, from = '0', to = ''] = /bytes=(\d+)-(\d+)/.exec(range ?? '') ?? []
    const part = object.subarray(Number(from), Number(to) + 1)
    return response
      .writeHead(206, { 'content-range': `bytes ${from}-${Number(from) + part.length - 1}/${object.length}` })
      .end(part)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const auth = { access_key_id: 'AKID', secret_access_key: { env: 'SECRET' } }
  const { s3 } = archiveSchema.parse({ s3: { bucket: 'bucket', prefix: 'a b/c', endpoint, auth } })
  http = createHttp({ proxy: { except: [] }, allowPrivate: [] })
  place = new S3Place(s3!, { send: http.configured, secret: () => 'secret' })
})
afterEach(async () => {
  await http.close()
  await new Promise((resolve) => server.close(resolve))
})

function file(bytes: Buffer): string {
  const path = join(folder, 'file')
  writeFileSync(path, bytes)
  return path
}

test('a file is stored as it is, signed with its content, and read back in pieces', async () => {
  const bytes = Buffer.alloc(20 * 1024 * 1024, 'caracal')
  await place.put('logs/a/x', file(bytes), signal)
  expect([...objects.keys()]).toEqual(['a b/c/logs/a/x'])
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  expect(await hashOf(place.read('logs/a/x', signal))).toBe(sha256)
  await expect(hashOf(place.read('logs/a/y', signal))).rejects.toThrow(ArchiveFileMissing)
})

test('a list has all pages, from a key on', async () => {
  for (const key of ['logs/a/1', 'logs/a/2', 'logs/a/3', 'logs/b/1']) await place.put(key, file(Buffer.from(key)), signal)
  const keys = async (after?: string) => (await all(place.list('logs/a/', { after, signal }))).map(({ key }) => key)
  expect(await keys()).toEqual(['logs/a/1', 'logs/a/2', 'logs/a/3'])
  expect(await keys('logs/a/1')).toEqual(['logs/a/2', 'logs/a/3'])
})

test('an overloaded store is tried again later, and a refusal says which permissions are needed', async () => {
  failing = { status: 503, code: 'SlowDown' }
  const later = await place.put('k', file(Buffer.from('x')), signal).catch((error: unknown) => error)
  expect(later).toBeInstanceOf(RetryLater)
  expect(later).toMatchObject({
    afterMs: 7000,
    message: 'the archive s3://bucket/a b/c/ cannot be written to: answered 503 (SlowDown)',
  })
  failing = { status: 403, code: 'AccessDenied' }
  const refused = await place.put('k', file(Buffer.from('x')), signal).catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(Refused)
  expect(refused).toMatchObject({ message: expect.stringContaining('s3:PutObject') })
  expect(objects.size).toBe(0)
})

test('a store that does not answer is tried again later', async () => {
  await new Promise((resolve) => server.close(resolve))
  await expect(place.put('k', file(Buffer.from('x')), signal)).rejects.toThrow(RetryLater)
  server = createServer().listen(0)
})

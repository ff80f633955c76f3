import { createHash, createHmac } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { part, type StoredObject } from './s3-store.ts'
import type { Received, TestServer } from './servers.ts'

const ACCOUNT = 'logsaccount'
const KEY = Buffer.from('a key of 64 bytes, which signs the requests of the test suite ....')

/** The part of Azure Blob Storage that reading needs: a container with lists and blobs, for requests with the right signature. */
export class AzureStore {
  readonly objects = new Map<string, StoredObject>()
  readonly refusals = new Map<string, readonly [status: number, code: string, headers?: Record<string, string>]>()
  pageSize = 5000
  /** When the store says that it answers. */
  now = '2024-03-12T12:00:00Z'
  /** Keys of blobs that others append to. */
  readonly appended = new Set<string>()
  readonly config = { account: ACCOUNT, container: 'logs', auth: { account_key: { env: 'KEY' } } }
  readonly secret = KEY.toString('base64')
  readonly #server: TestServer

  constructor(server: TestServer) {
    this.#server = server
    server.answer = (response, request) => void this.#answer(response, request)
  }

  listed(query: URLSearchParams): 'first' | 'next' | undefined {
    return query.get('comp') === 'list' ? (query.has('marker') ? 'next' : 'first') : undefined
  }

  #answer(response: ServerResponse, request: Received): unknown {
    const url = new URL(request.url, this.#server.url)
    const fail = (status: number, code: string, headers = {}) =>
      response.writeHead(status, { 'x-ms-error-code': code, ...headers }).end()
    const isSas = url.searchParams.get('sig') === 'a+b/c='
    if (!isSas && request.headers['authorization'] !== expected(url, request)) return fail(403, 'AuthenticationFailed')
    const [, container, ...parts] = url.pathname.split('/')
    if (container !== 'logs') return fail(404, 'ContainerNotFound')
    const key = decodeURIComponent(parts.join('/'))
    const refused = this.refusals.get(key)
    if (refused) return fail(...(refused as [number, string]))
    if (key === '') return response.writeHead(200, { date: new Date(this.now).toUTCString() }).end(this.#list(url.searchParams))
    const object = this.objects.get(key)
    if (!object) return fail(404, 'BlobNotFound')
    const etag = `"${etagOf(object)}"`
    if (request.headers['if-match'] !== etag) return fail(412, 'ConditionNotMet')
    return part(response, Buffer.from(object.content), request.headers['range'], { etag })
  }

  #list(query: URLSearchParams): string {
    const from = Number(query.get('marker') ?? 0)
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(query.get('prefix') ?? '')).sort()
    const blobs = keys.slice(from, from + this.pageSize).map((key) => {
      const object = this.objects.get(key)!
      const modified = new Date(object.modified ?? '2024-03-12T08:00:00Z').toUTCString()
      const type = this.appended.has(key) ? 'AppendBlob' : 'BlockBlob'
      const properties = `<Last-Modified>${modified}</Last-Modified><Etag>${etagOf(object)}</Etag><Content-Length>${Buffer.byteLength(object.content)}</Content-Length><BlobType>${type}</BlobType>`
      return `<Blob>${nameOf(key)}<Properties>${properties}</Properties></Blob>`
    })
    const next = from + this.pageSize < keys.length ? `<NextMarker>${from + this.pageSize}</NextMarker>` : '<NextMarker />'
    return `\ufeff<?xml version="1.0" encoding="utf-8"?><EnumerationResults><Blobs>${blobs.join('')}</Blobs>${next}</EnumerationResults>`
  }
}

function nameOf(key: string): string {
  const isEncoded = key.includes('\uffff')
  return isEncoded
    ? `<Name Encoded="true">${encodeURIComponent(key)}</Name>`
    : `<Name>${key.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</Name>`
}

function etagOf({ content, modified = '' }: StoredObject): string {
  return `0x${createHash('md5').update(content).update(modified).digest('hex').slice(0, 15).toUpperCase()}`
}

/** As the documentation of Shared Key spells a GET request out, written apart from what is tested. */
function expected(url: URL, { headers }: Received): string {
  const text =
    `GET\n\n\n\n\n\n\n\n${headers['if-match'] ?? ''}\n\n\n${headers['range'] ?? ''}\n` +
    `x-ms-date:${headers['x-ms-date']}\nx-ms-version:${headers['x-ms-version']}\n` +
    `/${ACCOUNT}${url.pathname}` +
    ['comp', 'marker', 'prefix', 'restype']
      .filter((name) => url.searchParams.has(name))
      .map((name) => `\n${name}:${url.searchParams.get(name)}`)
      .join('')
  return `SharedKey ${ACCOUNT}:${createHmac('sha256', KEY).update(text).digest('base64')}`
}

import { createHash } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { signed } from '../../src/util/http/aws-signature.ts'
import type { Received, TestServer } from './servers.ts'

export interface StoredObject {
  readonly content: string | Buffer
  readonly modified?: string
  /** `Content-Encoding`, as some writers set it for compressed objects. */
  readonly encoding?: string
}

/** The part of S3 that reading needs, on a test server: objects and lists of them, for requests with the right signature. */
export class S3Store {
  readonly objects = new Map<string, StoredObject>()
  /** Objects per page of a list. */
  pageSize = 1000
  region = 'us-east-1'
  /** By key, or '' for lists: status, error code and headers to answer with. */
  readonly refusals = new Map<string, [status: number, code: string, headers?: Record<string, string>]>()
  readonly credentials = { accessKeyId: 'AKIDTEST', secretAccessKey: 's3cr3t-7a20' }
  readonly config = { bucket: 'logs', auth: { access_key_id: 'AKIDTEST', secret_access_key: { env: 'KEY' } } }
  /** Whether requests without a signature are answered. */
  isPublic = false
  readonly #server: TestServer
  readonly #bucket: string

  constructor(server: TestServer, bucket: string) {
    this.#server = server
    this.#bucket = bucket
    server.answer = (response, request) => void this.#answer(response, request)
  }

  get secret(): string {
    return this.credentials.secretAccessKey
  }

  listed(query: URLSearchParams): 'first' | 'next' | undefined {
    return query.has('list-type') ? (query.has('continuation-token') ? 'next' : 'first') : undefined
  }

  #answer(response: ServerResponse, request: Received): unknown {
    const url = new URL(request.url, this.#server.url)
    const fail = (status: number, code: string, headers = {}) =>
      void response
        .writeHead(status, headers)
        .end(`<Error><Code>${code}</Code><Key>${request.headers['authorization'] ?? ''}</Key></Error>`)
    const authorization = request.headers['authorization']
    if (!authorization && !this.isPublic) return fail(403, 'AccessDenied')
    if (authorization) {
      const [, region = ''] = /Credential=[^/]+\/\d{8}\/([^/]+)\//.exec(authorization) ?? []
      if (region !== this.region) return fail(400, 'AuthorizationHeaderMalformed', { 'x-amz-bucket-region': this.region })
      if (authorization !== this.#expected(url, request, region)) return fail(403, 'SignatureDoesNotMatch')
    }
    const [, bucket, ...key] = url.pathname.split('/')
    if (bucket !== this.#bucket) return fail(404, 'NoSuchBucket')
    const name = decodeURIComponent(key.join('/'))
    const unlisted = name === '' && this.refusals.get('')
    if (unlisted) return fail(...unlisted)
    if (name === '') return response.end(this.#list(url.searchParams))
    const refused = this.refusals.get(name)
    if (refused) return fail(...refused)
    const object = this.objects.get(name)
    if (!object) return fail(404, 'NoSuchKey')
    const etag = etagOf(object)
    if (request.headers['if-none-match'] === etag) return response.writeHead(304, { etag }).end()
    const wanted = request.headers['if-match']
    if (wanted !== undefined && wanted !== etag) return fail(412, 'PreconditionFailed')
    return part(response, Buffer.from(object.content), request.headers['range'], {
      etag,
      ...(object.encoding && { 'content-encoding': object.encoding }),
    })
  }

  /** The signature over the headers that the request says it has signed. */
  #expected(url: URL, { headers, method }: Received, region: string): string {
    const names = /SignedHeaders=([^,]+)/.exec(String(headers['authorization']))?.[1]?.split(';') ?? []
    const own = ['host', 'x-amz-content-sha256', 'x-amz-date']
    const others = Object.fromEntries(names.filter((name) => !own.includes(name)).map((name) => [name, String(headers[name])]))
    const [, year, month, day, hour, minute, second] =
      /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(String(headers['x-amz-date'])) ?? []
    const nowMs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
    return signed({ method, url, headers: others, region, service: 's3', nowMs }, this.credentials)['authorization']!
  }

  #list(query: URLSearchParams): string {
    const from = Number(query.get('continuation-token') ?? 0)
    const after = query.get('start-after') ?? ''
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(query.get('prefix') ?? '') && key > after).sort()
    const page = keys.slice(from, from + this.pageSize).map((key) => {
      const object = this.objects.get(key)!
      const modified = `<LastModified>${object.modified ?? '2024-03-12T08:00:00.000Z'}</LastModified>`
      const rest = `<ETag>${etagOf(object).replaceAll('"', '&quot;')}</ETag><Size>${Buffer.byteLength(object.content)}</Size>`
      return `<Contents><Key>${encodeURIComponent(key)}</Key>${modified}${rest}</Contents>`
    })
    const isMore = from + this.pageSize < keys.length
    const next = isMore ? `<NextContinuationToken>${from + this.pageSize}</NextContinuationToken>` : ''
    return `<?xml version="1.0"?><ListBucketResult><IsTruncated>${isMore}</IsTruncated>${next}${page.join('')}</ListBucketResult>`
  }
}

function etagOf({ content }: StoredObject): string {
  return `"${createHash('md5').update(content).digest('hex')}"`
}

/** The object, or the part of it that is asked for. */
export function part(response: ServerResponse, content: Buffer, range: string | undefined, headers: object): unknown {
  const [, from = '', to = ''] = /^bytes=(\d+)-(\d+)$/.exec(range ?? '') ?? []
  if (from === '') return response.writeHead(200, { ...headers }).end(content)
  if (Number(from) >= content.length) return response.writeHead(416).end()
  const bytes = content.subarray(Number(from), Number(to) + 1)
  const place = `bytes ${from}-${Number(from) + bytes.length - 1}/${content.length}`
  return response.writeHead(206, { ...headers, 'content-range': place }).end(bytes)
}

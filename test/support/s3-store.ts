import { createHash } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { signed } from '../../src/util/http/aws-signature.ts'
import type { Received, TestServer } from './servers.ts'

export interface StoredObject {
  readonly content: string | Buffer
  readonly modified?: string
}

/** The part of S3 that reading needs, on a test server: objects and lists of them, for requests with the right signature. */
export class S3Store {
  readonly objects = new Map<string, StoredObject>()
  /** Objects per page of a list. */
  pageSize = 1000
  region = 'us-east-1'
  readonly credentials = { accessKeyId: 'AKIDTEST', secretAccessKey: 's3cr3t-7a20' }
  /** Whether requests without a signature are answered. */
  isPublic = false
  readonly #server: TestServer
  readonly #bucket: string

  constructor(server: TestServer, bucket: string) {
    this.#server = server
    this.#bucket = bucket
    server.answer = (response, request) => void this.#answer(response, request)
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
    if (name === '') return response.end(this.#list(url.searchParams))
    const object = this.objects.get(name)
    if (!object) return fail(404, 'NoSuchKey')
    const etag = `"${createHash('md5').update(object.content).digest('hex')}"`
    if (request.headers['if-none-match'] === etag) return response.writeHead(304, { etag }).end()
    return response.writeHead(200, { etag }).end(object.content)
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
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(query.get('prefix') ?? '')).sort()
    const page = keys.slice(from, from + this.pageSize).map((key) => {
      const modified = this.objects.get(key)!.modified ?? '2024-03-12T08:00:00.000Z'
      return `<Contents><Key>${encodeURIComponent(key)}</Key><LastModified>${modified}</LastModified></Contents>`
    })
    const isMore = from + this.pageSize < keys.length
    const next = isMore ? `<NextContinuationToken>${from + this.pageSize}</NextContinuationToken>` : ''
    return `<?xml version="1.0"?><ListBucketResult><IsTruncated>${isMore}</IsTruncated>${next}${page.join('')}</ListBucketResult>`
  }
}

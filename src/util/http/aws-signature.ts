import { createHash, createHmac } from 'node:crypto'

export interface AwsCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Of temporary credentials. */
  readonly sessionToken?: string | undefined
}

export interface AwsRequest {
  readonly method: string
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly region: string
  readonly service: string
  /** Default: none. */
  readonly body?: string | Uint8Array | undefined
  readonly nowMs: number
}

/**
 * The headers of a request with its signature (AWS Signature Version 4, as S3, SQS, STS and everything compatible check it). All given
 * headers are signed.
 */
export function signed(
  { method, url, headers, region, service, body = '', nowMs }: AwsRequest,
  credentials: AwsCredentials,
): Record<string, string> {
  const time = new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d{3}/g, '')
  const scope = `${time.slice(0, 8)}/${region}/${service}/aws4_request`
  const { accessKeyId, secretAccessKey, sessionToken } = credentials
  const content = sha256(body)
  const all: Record<string, string> = {
    ...headers,
    'x-amz-content-sha256': content,
    'x-amz-date': time,
    ...(sessionToken !== undefined && { 'x-amz-security-token': sessionToken }),
  }
  const sorted = Object.entries({ ...all, host: url.host })
    .map(([name, value]) => [name.toLowerCase(), value.trim().replaceAll(/ +/g, ' ')] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  const names = sorted.map(([name]) => name).join(';')
  const canonical = [
    method,
    pathOf(url),
    queryOf(url),
    ...sorted.map(([name, value]) => `${name}:${value}`),
    '',
    names,
    content,
  ].join('\n')
  const text = ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n')
  const key = scope.split('/').reduce<string | Buffer>((secret, part) => hmac(secret, part), `AWS4${secretAccessKey}`)
  const authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${hmac(key, text).toString('hex')}`
  return { ...all, authorization }
}

/** A text in a path or query: everything but the unreserved characters of RFC 3986 is escaped. */
export function awsEncoded(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`)
}

function pathOf({ pathname }: URL): string {
  return pathname
    .split('/')
    .map((part) => awsEncoded(decodeURIComponent(part)))
    .join('/')
}

function queryOf({ searchParams }: URL): string {
  return [...searchParams]
    .map(([name, value]) => `${awsEncoded(name)}=${awsEncoded(value)}`)
    .sort()
    .join('&')
}

function sha256(text: string | Uint8Array): string {
  return createHash('sha256').update(text).digest('hex')
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

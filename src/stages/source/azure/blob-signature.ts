import { createHmac } from 'node:crypto'

export interface BlobRequest {
  readonly url: URL
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly account: string
  /** In base64, as the portal shows it. */
  readonly key: string
  readonly nowMs: number
}

/** Standard headers in the order in which they are signed; the first ones belong to requests with a body. */
const SIGNED = [
  'content-encoding',
  'content-language',
  'content-length',
  'content-md5',
  'content-type',
  'date',
  'if-modified-since',
  'if-match',
  'if-none-match',
  'if-unmodified-since',
  'range',
]

/** The headers of a GET request with its signature (Shared Key of Azure Storage, since version 2015-02-21). */
export function sharedKeySigned({ url, headers, account, key, nowMs }: BlobRequest): Record<string, string> {
  const all: Record<string, string> = { ...headers, 'x-ms-date': new Date(nowMs).toUTCString() }
  const own = Object.keys(all)
    .filter((name) => name.startsWith('x-ms-'))
    .sort()
    .map((name) => `${name}:${all[name]}`)
  const query = [...url.searchParams].map(([name, value]) => `${name.toLowerCase()}:${value}`).sort()
  const resource = [`/${account}${url.pathname}`, ...query]
  const text = ['GET', ...SIGNED.map((name) => all[name] ?? ''), ...own, ...resource].join('\n')
  const signature = createHmac('sha256', Buffer.from(key, 'base64')).update(text).digest('base64')
  return { ...all, authorization: `SharedKey ${account}:${signature}` }
}

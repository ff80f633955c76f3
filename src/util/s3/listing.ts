import { Refused } from '../errors.ts'

export interface ListedObject {
  readonly key: string
  readonly modifiedMs: number
  /** Without its quotes; empty if the store sends none. */
  readonly etag: string
  readonly size: number
}

/** One page of a bucket's objects. */
export interface Listing {
  readonly objects: readonly ListedObject[]
  /** Token of the next page. */
  readonly next: string | undefined
}

/**
 * Reads the XML of ListObjectsV2, with keys in URL encoding. Folders, which some tools store as empty objects, are left out. Throws
 * `Refused` for anything else.
 */
export function listingOf(xml: string): Listing {
  if (!xml.includes('<ListBucketResult')) throw new Refused('the store does not answer with a list of objects: check `endpoint`')
  // Split rather than matched as pairs of tags: from each of many tags that nothing closes, a search would read to the end.
  const [, ...contents] = xml.split('<Contents>')
  const objects = contents.flatMap((rest) => {
    const content = rest.slice(0, Math.max(0, rest.indexOf('</Contents>')))
    const [key, modified] = [textIn(content, 'Key'), textIn(content, 'LastModified')]
    const modifiedMs = Date.parse(modified ?? '')
    if (key === undefined || Number.isNaN(modifiedMs)) throw new Refused('the store answers with an object without key or time')
    const name = keyOf(key)
    const size = Number(textIn(content, 'Size') ?? 0)
    if (size === 0 && name.endsWith('/')) return []
    const etag = (textIn(content, 'ETag') ?? '').replaceAll('"', '')
    return [{ key: name, modifiedMs, etag, size }]
  })
  const isMore = textIn(xml, 'IsTruncated') === 'true'
  return { objects, next: isMore ? textIn(xml, 'NextContinuationToken') : undefined }
}

/** The code of an error, as in AccessDenied. */
export function errorCodeIn(xml: string): string | undefined {
  return /<Code>([A-Za-z]{1,60})<\/Code>/.exec(xml.slice(0, 10_000))?.[1]
}

/** The text of the first element of this name that contains nothing but text. */
export function textIn(xml: string, name: string): string | undefined {
  const text = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1]
  return text?.replaceAll(
    /&(amp|lt|gt|quot|apos|#\d{1,7}|#x[\da-f]{1,6});/gi,
    (_, name: string) => ENTITIES[name.toLowerCase()] ?? numbered(name),
  )
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

function numbered(name: string): string {
  const code = name[1]?.toLowerCase() === 'x' ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1))
  return code <= 0x10ffff ? String.fromCodePoint(code) : ''
}

/** In URL encoding a blank may be a plus sign. */
function keyOf(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '))
  } catch {
    throw new Refused('the store answers with a key that is not URL-encoded')
  }
}

import { Refused } from '../../../util/errors.ts'
import { textIn } from '../../../util/s3/listing.ts'
import type { StoredObject } from '../objects/store.ts'

export interface ListedBlob extends StoredObject {
  /** It may still grow. */
  readonly isAppended: boolean
}

export interface BlobListing {
  readonly blobs: readonly ListedBlob[]
  /** Marker of the next page. */
  readonly next: string | undefined
}

const ENCODED = '<Name Encoded="true">'

/** Reads the XML of List Blobs. Empty blobs that are named like a folder are left out. Throws `Refused` for anything else. */
export function blobListingOf(xml: string): BlobListing {
  if (!xml.includes('<EnumerationResults')) throw new Refused('the store does not answer with a list of blobs: check `endpoint`')
  // Split rather than matched as pairs of tags: from each of many tags that nothing closes, a search would read to the end.
  const [, ...rests] = xml.split('<Blob>')
  const blobs = rests.flatMap((rest) => {
    const blob = rest.slice(0, Math.max(0, rest.indexOf('</Blob>')))
    const [key, modifiedMs] = [nameIn(blob), Date.parse(textIn(blob, 'Last-Modified') ?? '')]
    if (key === undefined || Number.isNaN(modifiedMs)) throw new Refused('the store answers with a blob without name or time')
    const size = Number(textIn(blob, 'Content-Length') ?? 0)
    if (size === 0 && key.endsWith('/')) return []
    const etag = (textIn(blob, 'Etag') ?? '').replaceAll('"', '')
    const isAppended = textIn(blob, 'BlobType') === 'AppendBlob'
    return [{ key, etag, size, modifiedMs, isAppended }]
  })
  return { blobs, next: textIn(xml, 'NextMarker') || undefined }
}

/** A name with characters that XML does not allow is URL-encoded, and says so. */
function nameIn(blob: string): string | undefined {
  if (!blob.includes(ENCODED)) return textIn(blob, 'Name')
  try {
    return decodeURIComponent(textIn(blob.replace(ENCODED, '<Name>'), 'Name') ?? '')
  } catch {
    throw new Refused('the store answers with a name that is not URL-encoded as announced')
  }
}

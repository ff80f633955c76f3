import { promisify } from 'node:util'
import { crc32, inflateRaw } from 'node:zlib'
import { type ArchiveEntry, ArchiveError, MAX_ENTRIES } from './entry.ts'

const inflate = promisify(inflateRaw)

const LOCAL = 0x04034b50
const CENTRAL = 0x02014b50
const END = 0x06054b50
const END_BYTES = 22
const MAX_COMMENT_BYTES = 0xffff
const ZIP64 = 0xffffffff
const ENCRYPTED = 1
const STORED = 0
const DEFLATED = 8

/** True if the bytes begin with the header of a zip archive's first file. */
export function isZip(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && viewOf(bytes).getUint32(0, true) === LOCAL
}

/** The files of a zip archive, by its directory. Throws `ArchiveError`. */
export function zipEntries(bytes: Uint8Array): ArchiveEntry[] {
  const view = viewOf(bytes)
  const end = endOf(view)
  const count = view.getUint16(end + 10, true)
  const entries: ArchiveEntry[] = []
  if (count > MAX_ENTRIES) throw new ArchiveError(`has more than ${MAX_ENTRIES} files`)
  for (let i = 0, at = view.getUint32(end + 16, true); i < count; i++) {
    if (at + 46 > end || view.getUint32(at, true) !== CENTRAL) throw new ArchiveError('is damaged: its directory is wrong')
    const nameBytes = view.getUint16(at + 28, true)
    const next = at + 46 + nameBytes + view.getUint16(at + 30, true) + view.getUint16(at + 32, true)
    if (next > end) throw new ArchiveError('is damaged: its directory is wrong')
    const name = Buffer.from(bytes.subarray(at + 46, at + 46 + nameBytes)).toString()
    if (!name.endsWith('/')) entries.push(entryAt(bytes, view, at, name))
    at = next
  }
  return entries
}

function entryAt(bytes: Uint8Array, view: DataView, at: number, name: string): ArchiveEntry {
  const [flags, method] = [view.getUint16(at + 8, true), view.getUint16(at + 10, true)]
  const number = (offset: number) => view.getUint32(at + offset, true)
  const [crc, packed, size, local] = [number(16), number(20), number(24), number(42)]
  return {
    name,
    async read(maxBytes) {
      if ((flags & ENCRYPTED) !== 0) throw new ArchiveError('is encrypted')
      if ([packed, size, local].includes(ZIP64)) throw new ArchiveError('is a zip64 archive, which is not supported')
      if (method !== STORED && method !== DEFLATED)
        throw new ArchiveError(`is compressed with method ${method}; only deflate is supported`)
      if (size > maxBytes) throw new ArchiveError(`is larger than ${maxBytes} bytes`, true)
      if (local + 30 > bytes.length || view.getUint32(local, true) !== LOCAL)
        throw new ArchiveError('is damaged: a file is missing')
      const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true)
      if (start + packed > bytes.length) throw new ArchiveError('is cut off in the middle of a file')
      const data = bytes.subarray(start, start + packed)
      const content = method === STORED ? data : await inflated(data, size)
      if (content.length !== size || crc32(content) !== crc) throw new ArchiveError('is damaged: a file has a wrong checksum')
      return content
    },
  }
}

/** The directory's size is the limit, so no more than that is ever inflated. */
async function inflated(data: Uint8Array, size: number): Promise<Uint8Array> {
  try {
    return await inflate(data, { maxOutputLength: Math.max(1, size) })
  } catch {
    throw new ArchiveError('is damaged: a file cannot be decompressed')
  }
}

/** Where the record that ends the archive is; only a comment may follow it. */
function endOf(view: DataView): number {
  const least = Math.max(0, view.byteLength - END_BYTES - MAX_COMMENT_BYTES)
  for (let at = view.byteLength - END_BYTES; at >= least; at--)
    if (view.getUint32(at, true) === END && at + END_BYTES + view.getUint16(at + 20, true) === view.byteLength) return at
  throw new ArchiveError('is cut off: its directory is missing')
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

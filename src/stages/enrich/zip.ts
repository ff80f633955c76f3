import { promisify } from 'node:util'
import { crc32, inflateRaw } from 'node:zlib'
import { TableError } from './table.ts'

const inflate = promisify(inflateRaw)

const END = 0x06054b50
const ENTRY = 0x02014b50
const LOCAL = 0x04034b50
/** Size of the last record without its comment, which may have 64 KiB. */
const END_SIZE = 22
const MAX_COMMENT = 0xffff
const STORED = 0
const DEFLATED = 8

/** True for content that starts with the signature of a ZIP archive. */
export function isZip(bytes: Uint8Array): boolean {
  return bytes.length >= END_SIZE && Buffer.from(bytes.buffer, bytes.byteOffset, 4).readUInt32LE() === LOCAL
}

/** A file in a ZIP archive. */
export interface ZipEntry {
  readonly name: string
  readonly method: number
  readonly isEncrypted: boolean
  /** The compressed data. */
  readonly data: Buffer
  readonly checksum: number
}

/**
 * The only file of a ZIP archive, decompressed up to `maxBytes`.
 *
 * @throws {TableError} for archives with several files, encrypted, damaged or very large ones; errors of zlib pass through.
 */
export async function unzip(bytes: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  const [only, ...more] = zipEntries(bytes)
  if (!only || more.length > 0) {
    const count = only ? more.length + 1 : 0
    throw new TableError(`the ZIP archive has ${count} files, and a table has one: unpack it and use the right file`)
  }
  return contentOf(only, maxBytes)
}

/** The content of one file, with the same errors. */
export async function contentOf({ name, method, isEncrypted, data, checksum }: ZipEntry, maxBytes: number): Promise<Uint8Array> {
  if (isEncrypted) throw new TableError('the ZIP archive is encrypted: unpack it first')
  if (method !== STORED && method !== DEFLATED) {
    throw new TableError(`${name} in the ZIP archive is compressed with method ${method}: use deflate`)
  }
  const content = method === STORED ? data : await inflate(data, { maxOutputLength: maxBytes })
  if (crc32(content) !== checksum) throw damaged(`${name} does not have its checksum`)
  return content
}

/** The files of an archive, by its directory. Format: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT. */
export function zipEntries(bytes: Uint8Array): ZipEntry[] {
  const zip = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const end = endOf(zip)
  const count = zip.readUInt16LE(end + 10)
  let at = zip.readUInt32LE(end + 16)
  const entries: ZipEntry[] = []
  for (let i = 0; i < count; i++) {
    if (at + 46 > zip.length || zip.readUInt32LE(at) !== ENTRY) throw damaged('its directory is broken')
    const name = zip.toString('utf8', at + 46, at + 46 + zip.readUInt16LE(at + 28))
    const start = dataAt(zip, zip.readUInt32LE(at + 42))
    const data = zip.subarray(start, start + zip.readUInt32LE(at + 20))
    if (data.length < zip.readUInt32LE(at + 20)) throw damaged(`${name} is cut off`)
    const isEncrypted = (zip.readUInt16LE(at + 8) & 1) !== 0
    if (!name.endsWith('/'))
      entries.push({ name, method: zip.readUInt16LE(at + 10), isEncrypted, data, checksum: zip.readUInt32LE(at + 16) })
    at += 46 + zip.readUInt16LE(at + 28) + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32)
  }
  return entries
}

function endOf(zip: Buffer): number {
  for (let at = zip.length - END_SIZE; at >= Math.max(0, zip.length - END_SIZE - MAX_COMMENT); at--) {
    if (zip.readUInt32LE(at) === END) return at
  }
  throw damaged('it has no directory: it is cut off')
}

/** Where the data of the file begins whose local header is at `at`. */
function dataAt(zip: Buffer, at: number): number {
  if (at + 30 > zip.length || zip.readUInt32LE(at) !== LOCAL) throw damaged('a file is not where the directory says')
  return at + 30 + zip.readUInt16LE(at + 26) + zip.readUInt16LE(at + 28)
}

function damaged(why: string): TableError {
  return new TableError(`the ZIP archive is broken: ${why}; fetch it again`)
}

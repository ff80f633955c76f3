import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { messageOf } from '../../util/errors.ts'
import { TableError } from './table.ts'
import { isZip, unzip } from './zip.ts'

/** Default of the provider's `max_bytes`: larger content, after decompression, is refused. */
export const DEFAULT_MAX_BYTES = 64 * 1024 * 1024

const inflate = promisify(gunzip)

/** Decompresses content that starts with the signature of gzip or of a ZIP archive (with one file), whatever its name, up to the limit. */
export async function unpack(bytes: Uint8Array, maxBytes = DEFAULT_MAX_BYTES): Promise<Uint8Array> {
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b
  if (!isGzip && !isZip(bytes)) {
    if (bytes.length > maxBytes) throw tooLarge(maxBytes)
    return bytes
  }
  try {
    const unpacked = isGzip ? await inflate(bytes, { maxOutputLength: maxBytes }) : await unzip(bytes, maxBytes)
    if (unpacked.length > maxBytes) throw tooLarge(maxBytes)
    return unpacked
  } catch (error) {
    if (error instanceof TableError) throw error
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(maxBytes)
    throw new TableError(`the ${isGzip ? 'gzip' : 'ZIP'} content is broken (${messageOf(error)}): fetch it again`, {
      cause: error,
    })
  }
}

/** UTF-8 text without a byte order mark. */
export function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    throw new TableError('the content is not UTF-8 text', { cause: error })
  }
}

/** Hash of unpacked content: 12 hex digits, after the content's date if that is known. */
export function versionOf(unpacked: Uint8Array, date?: string): string {
  const hash = createHash('sha256').update(unpacked).digest('hex').slice(0, 12)
  return date === undefined ? hash : `${date}-${hash}`
}

/** The error about content beyond a limit. */
export function tooLarge(maxBytes: number): TableError {
  return new TableError(`the content is larger than ${maxBytes} bytes: raise the provider's max_bytes if that is right`)
}

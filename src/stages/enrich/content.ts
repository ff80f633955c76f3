import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { z } from 'zod'
import { type ArchiveEntry, ArchiveError } from '../../util/archive/entry.ts'
import { isTar, tarEntries } from '../../util/archive/tar.ts'
import { isZip, zipEntries } from '../../util/archive/zip.ts'
import { messageOf } from '../../util/errors.ts'
import { isParquet, parquetLines } from '../../util/parquet/parquet.ts'
import { createSlice } from '../../util/slice.ts'
import { unzstdInSlices } from '../../util/unzstd.ts'
import { fits } from './associations.ts'
import { RefusedAnswer, TableError } from './table.ts'

/** Default of the provider's `max_bytes`: larger content, after decompression, is refused. */
export const DEFAULT_MAX_BYTES = 64 * 1024 * 1024

/** Its maximum: more would fill the memory of a usual machine, whoever wrote the table's definition. */
export const MOST_BYTES = 2 ** 31

/** No list of any kind compresses so well; what does is made to fill memory. */
const MAX_RATIO = 250
/** Small content may compress by more. */
const ALWAYS_ALLOWED = 1024 * 1024
const MAX_PARQUET_ROWS = 2_000_000
const PARQUET_TIMEOUT_MS = 120_000
/** Names that a message lists. */
const EXAMPLES = 5

/** The keys of a provider about its content. */
export const contentKeys = {
  max_bytes: z
    .int()
    .min(1)
    .max(MOST_BYTES)
    .default(DEFAULT_MAX_BYTES)
    .describe('Maximum size of the content in bytes, after decompression; of a tar archive, of the whole archive.'),
  member: z
    .string()
    .min(1)
    .max(500)
    .optional()
    .describe('The file to read in a zip or tar archive; `*` stands for any characters (`*.mmdb`). Default: the only one.'),
}

export interface Unpacking {
  /** Default: 64 MiB. */
  readonly max_bytes?: number | undefined
  readonly member?: string | undefined
}

const inflate = promisify(gunzip)

/**
 * The content itself: decompressed (gzip, zstd) and taken out of its archive (zip, tar), as its first bytes require, whatever its name.
 *
 * @throws {TableError} if it is larger than the limit, damaged, or has no such member.
 */
export async function unpack(
  bytes: Uint8Array,
  { max_bytes: maxBytes = DEFAULT_MAX_BYTES, member }: Unpacking = {},
): Promise<Uint8Array> {
  const plain = await decompress(bytes, maxBytes)
  const entries = entriesOf(plain)
  if (!entries) {
    if (member !== undefined)
      throw new RefusedAnswer(`the content is not a zip or tar archive, so it has no member ${member}: remove \`member\``)
    return plain
  }
  const entry = choose(entries, member)
  try {
    return await decompress(await entry.read(maxBytes), maxBytes)
  } catch (error) {
    throw explained(error, maxBytes)
  }
}

/** What to store of received content that can be unpacked: the bytes as received, or the member that the provider names. */
export async function received(bytes: Uint8Array, unpacking: Unpacking): Promise<Uint8Array> {
  const unpacked = await unpack(bytes, unpacking)
  return unpacking.member === undefined ? bytes : unpacked
}

async function decompress(bytes: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  const mayBecome = Math.min(maxBytes, Math.max(ALWAYS_ALLOWED, bytes.length * MAX_RATIO))
  const beyond = () =>
    mayBecome === maxBytes
      ? tooLarge(maxBytes)
      : new RefusedAnswer(
          `the content expands to more than ${MAX_RATIO} times its size, as no list does: check what the provider serves`,
        )
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    try {
      return await inflate(bytes, { maxOutputLength: mayBecome })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw beyond()
      throw new RefusedAnswer(`the gzip content is broken (${messageOf(error)}): fetch it again`, { cause: error })
    }
  }
  if (bytes[0] === 0x28 && bytes[1] === 0xb5 && bytes[2] === 0x2f && bytes[3] === 0xfd) {
    const result = await unzstdInSlices(bytes, mayBecome, createSlice())
    if (result.kind === 'too-much') throw beyond()
    if (result.kind === 'broken') throw new RefusedAnswer(`the zstd content is broken (${result.message}): fetch it again`)
    return Buffer.concat(result.parts)
  }
  if (bytes.length > maxBytes) throw tooLarge(maxBytes)
  return bytes
}

function entriesOf(bytes: Uint8Array): readonly ArchiveEntry[] | undefined {
  try {
    return isZip(bytes) ? zipEntries(bytes) : isTar(bytes) ? tarEntries(bytes) : undefined
  } catch (error) {
    throw explained(error, 0)
  }
}

function choose(entries: readonly ArchiveEntry[], member: string | undefined): ArchiveEntry {
  const found = entries.filter(
    ({ name }) => member === undefined || fits(member, name) || fits(member, name.slice(name.lastIndexOf('/') + 1)),
  )
  const [only] = found
  if (only && found.length === 1) return only
  const names = (found.length > 0 ? found : entries).slice(0, EXAMPLES).map(({ name }) => JSON.stringify(name.slice(0, 100)))
  const listed = `${names.join(', ')}${(found.length || entries.length) > EXAMPLES ? ' …' : ''}`
  if (entries.length === 0) throw new RefusedAnswer('the archive contains no file')
  if (member === undefined)
    throw new RefusedAnswer(`the archive contains several files (${listed}): name one with the provider's \`member\``)
  throw new RefusedAnswer(
    `${found.length === 0 ? 'no' : 'more than one'} file of the archive fits \`member: ${member}\`: ${listed}`,
  )
}

function explained(error: unknown, maxBytes: number): unknown {
  if (!(error instanceof ArchiveError)) return error
  return error.isTooLarge
    ? tooLarge(maxBytes)
    : new RefusedAnswer(`the archive ${error.message}: fetch it again`, { cause: error })
}

/** Formats have text: UTF-8 without a byte order mark, or the rows of a Parquet file as lines of JSON. */
export async function textOf(
  unpacked: Uint8Array,
  { format, provider }: { readonly format: string | undefined; readonly provider: Unpacking | undefined },
): Promise<string> {
  if (!isParquet(unpacked)) {
    if (format === 'parquet') throw new TableError('the content is not a Parquet file: check `Format`')
    return decode(unpacked)
  }
  if (format !== undefined && format !== 'parquet')
    throw new TableError(`the content is a Parquet file, not ${format}: check \`Format\``)
  const maxBytes = provider?.max_bytes ?? DEFAULT_MAX_BYTES
  const result = await parquetLines(unpacked, { maxBytes, maxRows: MAX_PARQUET_ROWS, timeoutMs: PARQUET_TIMEOUT_MS })
  if (result.kind === 'too-much') throw tooLarge(maxBytes)
  if (result.kind === 'broken') throw new TableError(`the Parquet file cannot be read: ${result.message}`)
  return decode(result.lines)
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
  return new RefusedAnswer(`the content is larger than ${maxBytes} bytes: raise the provider's max_bytes if that is right`)
}

import { createHash } from 'node:crypto'
import type { Stats } from 'node:fs'
import type { Extent } from '../../model/batch.ts'
import type { Chunk, Fault } from '../../model/chunk.ts'
import { MAX_DEAD_LETTER_BYTES } from '../../model/outcome.ts'
import { hash16 } from '../../util/hash.ts'
import type { ByteReader } from './byte-reader.ts'

/** Bytes of a file that tell it from others, wherever it is moved or packed. */
export const FINGERPRINT_BYTES = 1024

/** One file as the cursor in state keeps it. */
export interface FileCursor {
  readonly fileId: string
  readonly path: string
  readonly ino: number
  /** When the inode was made, epoch ms (0 where the file system does not know): inode numbers are used again. */
  readonly birthMs: number
  /** When the file was first seen, epoch ms. */
  readonly seenMs: number
  /** Bytes on disk when this was read. */
  readonly size: number
  /** Hash of the first `fingerprintBytes` uncompressed bytes. */
  readonly fingerprint: string
  readonly fingerprintBytes: number
  readonly offset: number
  readonly context: string
  /** The compressed data broke off: nothing more can come while the file has this size. */
  readonly complete: boolean
}

export interface FileExtent extends Extent {
  readonly kind: 'file'
  readonly fileId: string
  readonly path: string
  readonly ino: number
  readonly birthMs: number
  readonly seenMs: number
  readonly size: number
  readonly fingerprint: string
  readonly fingerprintBytes: number
  readonly from: number
  readonly to: number
  readonly context: string
  /** A last line without newline counts. */
  readonly final: boolean
  /** One record longer than a window: only its hash and head are read. */
  readonly oversize: boolean
  /** The compressed data breaks off at `to`; why. */
  readonly broken: string | null
  /** Where reading goes on: `to`, or, when the data broke off within a record, where that record begins. */
  readonly resume: number
}

/** A file being read. `reader` stays open while there may be more. */
export interface TrackedFile {
  cursor: FileCursor
  /** Where reading is, ahead of the committed cursor. */
  offset: number
  context: string
  path: string
  ino: number
  gzip: boolean
  reader: ByteReader
  size: number
  /** When it last grew, epoch ms. */
  grewMs: number
  /** Since when no name of it is known, epoch ms. */
  goneMs: number | undefined
  complete: boolean
  /** Where the search for the end of an over-long line has come to. */
  scanned: number
  problem: string | undefined
}

/** Hash of the first bytes of a file. */
export function fingerprintOf(head: Uint8Array): string {
  return hash16('file', head)
}

/** A file's name for all time: from its first KiB, or, while it is shorter, from its inode too (short files look alike). */
export function fileIdOf(sourceId: string, head: Uint8Array, stat: Stats): string {
  if (head.length >= FINGERPRINT_BYTES) return hash16(sourceId, head.subarray(0, FINGERPRINT_BYTES))
  return hash16(sourceId, head, `${stat.dev}:${stat.ino}:${Math.trunc(stat.birthtimeMs)}`)
}

/** Records of one extent at most: each costs far more in memory than its bytes (a line may be a byte long). */
const MAX_LINES = 50_000

/** Where the last whole line of `bytes` ends, or the last that one extent may have. */
function endOfLines(bytes: Buffer): number {
  let end = 0
  for (let lines = 0; lines < MAX_LINES; lines++) {
    const newline = bytes.indexOf(10, end)
    if (newline < 0) break
    end = newline + 1
  }
  return end
}

/**
 * The next run of whole lines of a file, at most about `windowBytes`, or `undefined` when there is none yet. `idle`: the
 * file has not grown for a while, so a last line without newline counts.
 */
export async function nextExtent(file: TrackedFile, windowBytes: number, idle: boolean): Promise<FileExtent | undefined> {
  const window = await file.reader.read(file.offset, windowBytes)
  const atEnd = window.end || window.fault !== undefined
  const whole = endOfLines(window.bytes)
  if (window.bytes.length === 0 && !window.fault) {
    if (file.gzip) file.complete = true
    return undefined
  }
  if (whole > 0 && !(window.fault && whole === window.bytes.length)) return extent(file, file.offset + whole, {})
  if (window.fault) {
    const to = file.offset + window.bytes.length
    return extent(file, to, { broken: window.fault, final: true, resume: file.offset + whole })
  }
  if (atEnd) return file.gzip || idle ? extent(file, file.offset + window.bytes.length, { final: true }) : undefined
  return oversizeExtent(file, windowBytes, idle)
}

async function oversizeExtent(file: TrackedFile, windowBytes: number, idle: boolean): Promise<FileExtent | undefined> {
  file.scanned = Math.max(file.scanned, file.offset + windowBytes)
  for (;;) {
    const window = await file.reader.read(file.scanned, windowBytes)
    const newline = window.bytes.indexOf(10)
    if (newline >= 0) return extent(file, file.scanned + newline + 1, { oversize: true })
    file.scanned += window.bytes.length
    if (window.fault || (window.end && (file.gzip || idle))) return extent(file, file.scanned, { oversize: true, final: true })
    if (window.end) return undefined
  }
}

function extent(
  file: TrackedFile,
  to: number,
  flags: { final?: boolean; oversize?: boolean; broken?: string; resume?: number },
): FileExtent {
  return {
    kind: 'file',
    fileId: file.cursor.fileId,
    path: file.path,
    ino: file.ino,
    birthMs: file.cursor.birthMs,
    seenMs: file.cursor.seenMs,
    size: file.size,
    fingerprint: file.cursor.fingerprint,
    fingerprintBytes: file.cursor.fingerprintBytes,
    from: file.offset,
    to,
    context: file.context,
    final: flags.final ?? false,
    oversize: flags.oversize ?? false,
    broken: flags.broken ?? null,
    resume: flags.resume ?? to,
  }
}

/** An extent's records. Bytes that are gone since the extent was recorded become a `truncated` fault. */
export async function readExtent(sourceId: string, reader: ByteReader, extent: FileExtent): Promise<Chunk> {
  const { from, to } = extent
  const chunk = {
    framing: 'lines',
    place: hash16(sourceId, extent.fileId),
    offset: from,
    context: extent.context,
    final: extent.final,
  } as const
  if (extent.oversize) return { ...chunk, bytes: new Uint8Array(), faults: [await oversizeFault(reader, extent)] }
  const { bytes } = await reader.read(from, to - from)
  const faults: Fault[] = []
  if (bytes.length < to - from) {
    const whole = bytes.lastIndexOf(10) + 1
    const message = `${extent.path}: bytes ${from + whole} to ${to} of a batch begun before are gone; was the file cut? Let the rotation rename files, not cut them.`
    faults.push(faultOf('truncated', message, from + whole, bytes.subarray(whole)))
    return { ...chunk, bytes: bytes.subarray(0, whole), faults }
  }
  if (extent.broken === null) return { ...chunk, bytes, faults }
  const whole = bytes.lastIndexOf(10) + 1
  const rest = bytes.subarray(whole)
  const message = `${extent.path}: the compressed data breaks off (${extent.broken}); lines before it were kept. Send the file again if a whole copy exists.`
  faults.push(faultOf('compression', message, from + whole, rest))
  return { ...chunk, bytes: bytes.subarray(0, whole), faults }
}

async function oversizeFault(reader: ByteReader, { from, to, path }: FileExtent): Promise<Fault> {
  const hash = createHash('sha256')
  let head: Buffer = Buffer.alloc(0)
  for (let at = from; at < to; ) {
    const { bytes } = await reader.read(at, Math.min(1024 * 1024, to - at))
    if (bytes.length === 0) break
    hash.update(bytes)
    if (at === from) head = Buffer.from(bytes.subarray(0, MAX_DEAD_LETTER_BYTES))
    at += bytes.length
  }
  const message = `${path}: a line of ${to - from} bytes is longer than a record may be; its first ${head.length} bytes are kept. Raise max_record_bytes if such records are real.`
  return { reason: 'too_long', message, offset: from, length: to - from, sha256: hash.digest('hex'), raw: head }
}

function faultOf(reason: Fault['reason'], message: string, offset: number, bytes: Buffer): Fault {
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  return { reason, message, offset, length: bytes.length, sha256, raw: Buffer.from(bytes.subarray(0, MAX_DEAD_LETTER_BYTES)) }
}

import { createHash } from 'node:crypto'
import type { Stats } from 'node:fs'
import type { Extent } from '../../model/batch.ts'
import type { Chunk, Fault } from '../../model/chunk.ts'
import { MAX_DEAD_LETTER_BYTES } from '../../model/outcome.ts'
import type { Encoding } from '../../util/encoding.ts'
import { hash16 } from '../../util/hash.ts'
import type { ByteReader, ReadBytes } from './byte-reader.ts'
import { decodeText } from './decoders/decode.ts'
import { deliveriesApart } from './decoders/deliveries.ts'
import { HOLE_ENDING, type TextState } from './decoders/text-walk.ts'
import { LongRecord, tooLongFault } from './long-record.ts'
import { addBytes, matchEnds, type Print, Printer } from './print.ts'
import { BUSY } from './source.ts'

/** Number of bytes that identify a file after it was moved or compressed. */
export const FINGERPRINT_BYTES = 1024

/** A file's cursor in state. */
export interface FileCursor {
  readonly fileId: string
  readonly path: string
  readonly ino: number
  /** Missing in cursors of earlier versions. */
  readonly dev?: number | undefined
  /** When the inode was created, epoch ms (0 if the file system does not record it): inode numbers are reused. */
  readonly birthMs: number
  /** When the file was first seen, epoch ms. */
  readonly seenMs: number
  /** Size on disk when this was read. */
  readonly size: number
  /** Hash of the first `fingerprintBytes` uncompressed bytes. */
  readonly fingerprint: string
  readonly fingerprintBytes: number
  readonly offset: number
  /** Of the bytes before `offset`. Missing in cursors of earlier versions. */
  readonly print?: Print | undefined
  readonly context: string
  /** The decoder state at `offset`: missing in cursors of earlier versions, which only knew lines. */
  readonly framing?: TextState
  /** The compressed data broke off: nothing more can come while the file has this size. */
  readonly complete: boolean
}

export interface FileExtent extends Extent {
  readonly kind: 'file'
  readonly fileId: string
  readonly path: string
  readonly ino: number
  readonly dev?: number | undefined
  readonly birthMs: number
  readonly seenMs: number
  readonly size: number
  readonly fingerprint: string
  readonly fingerprintBytes: number
  /** Of the bytes before `resume`. Missing in extents of earlier versions. */
  readonly print?: Print
  readonly from: number
  readonly to: number
  readonly context: string
  /** The decoder state at `from`: missing in extents of earlier versions, which only contain lines. */
  readonly framing?: TextState
  /** The decoder state at `resume`. */
  readonly framingAfter?: TextState
  /** Parameters of how the text is split. Missing in extents of earlier versions. */
  readonly stream?: string
  /** Of its text. Missing if that is UTF-8 or begins with a byte order mark. */
  readonly encoding?: Encoding
  /** A member of an archive begins at `from`. */
  readonly isPart?: boolean
  /** An incomplete last record counts. */
  readonly final: boolean
  /** Number of NUL bytes skipped between records. */
  readonly nulBytes?: number
  /** Nothing but NULs. */
  readonly isHole?: boolean
  /** One record longer than a window: only its head is stored. */
  readonly oversize: boolean
  /** Of the record that is longer than a window. Missing in extents of earlier versions. */
  readonly sha256?: string
  /** Why the compressed data breaks off at `to`. */
  readonly broken: string | null
  /** Where reading continues: `to`, or, if the data broke off within a record, where that record begins. */
  readonly resume: number
}

/** The part of an extent that says which bytes of a file are in it, and how they are read. */
export type Run = Pick<
  FileExtent,
  | 'from'
  | 'to'
  | 'context'
  | 'framing'
  | 'framingAfter'
  | 'stream'
  | 'encoding'
  | 'isPart'
  | 'final'
  | 'nulBytes'
  | 'isHole'
  | 'oversize'
  | 'sha256'
  | 'broken'
  | 'resume'
>

/** A file being read. `reader` stays open while there may be more. */
export interface TrackedFile {
  cursor: FileCursor
  /** The read position, ahead of the committed cursor. */
  offset: number
  context: string
  framing: TextState
  /** Parameters of how its text is split. */
  readonly stream: string
  readonly encoding?: Encoding | undefined
  path: string
  ino: number
  reader: ByteReader
  /** Has hashed the bytes before `offset`; created on demand. */
  printer: Printer | undefined
  /** Has hashed the bytes before the `resume` of the latest extent. */
  nextPrinter: Printer | undefined
  size: number
  /** When it last grew, epoch ms. */
  grewMs: number
  /** Its size when everything in it had been read. */
  drained?: number
  /** Since when it has no known name, epoch ms. */
  goneMs: number | undefined
  complete: boolean
  /** The records of the latest extent, so that it is not framed twice. */
  framed: { readonly from: number; readonly to: number; readonly records: Uint32Array | undefined } | undefined
  /** The part read so far of an over-long record at `offset`, and the printer of everything before the read position. */
  long: { readonly record: LongRecord; readonly printer: Printer; sha256?: string } | undefined
  /** Number of NUL bytes skipped. */
  nulBytes: number
  problem: string | undefined
}

/** The extent with the print of everything before its `resume`. */
export async function withPrint(file: TrackedFile, extent: FileExtent): Promise<FileExtent> {
  let printer = extent.oversize ? file.long?.printer : undefined
  if (!printer) {
    file.printer ??= await printerOf(file)
    printer = file.printer.copy()
    await addBytes(printer, file.reader, extent.from, extent.resume)
  }
  file.nextPrinter = printer
  return { ...extent, print: printer.print() }
}

async function printerOf({ reader, offset, cursor }: TrackedFile): Promise<Printer> {
  if (cursor.print && cursor.offset === offset) {
    const printer = await matchEnds(reader, cursor.print, offset)
    if (printer) return printer
  }
  // For a cursor of an earlier version, everything that was read is read again, once.
  const printer = new Printer()
  await addBytes(printer, reader, 0, offset)
  return printer
}

/** True if the same bytes are still in the file, possibly with more after them: it was not truncated or rewritten in place. */
export async function isContinued(file: TrackedFile, info: Stats): Promise<boolean> {
  const { reader, offset, cursor, printer } = file
  if (reader.isPacked) return true
  if (info.size < (reader.isPlain ? offset : file.size)) return false
  if (!printer && cursor.print && cursor.offset === offset) return (await matchEnds(reader, cursor.print, offset)) !== undefined
  const { bytes: head } = await reader.read(0, cursor.fingerprintBytes)
  if (fingerprintOf(head) !== cursor.fingerprint) return false
  if (!printer) return true
  const { recent } = printer
  return (await reader.read(offset - recent.length, recent.length)).bytes.equals(recent)
}

/** Hash of the first bytes of a file. */
export function fingerprintOf(head: Uint8Array): string {
  return hash16('file', head)
}

/** A file's permanent id: from its first KiB, and for a shorter one also from its inode, since short files look alike. */
export function fileIdOf(sourceId: string, head: Uint8Array, stat: Stats): string {
  if (head.length >= FINGERPRINT_BYTES) return hash16(sourceId, head.subarray(0, FINGERPRINT_BYTES))
  return hash16(sourceId, head, `${stat.dev}:${stat.ino}:${Math.trunc(stat.birthtimeMs)}`)
}

/** Maximum number of records per extent. A line may be a single byte long, but each record costs far more in memory. */
const MAX_RECORDS = 50_000

/**
 * The next run of complete records of a file, at most about `windowBytes`; `undefined` if there are none, `BUSY` if more must be read to
 * find out. `idle`: the file has not grown for a while, so an incomplete last record (a line without a newline) counts.
 */
export async function nextExtent(
  file: TrackedFile,
  windowBytes: number,
  idle: boolean,
): Promise<FileExtent | typeof BUSY | undefined> {
  if (file.long) return longExtent(file, file.long, windowBytes, idle)
  const { offset, stream, reader } = file
  const read = await reader.read(offset, windowBytes)
  if (read.bytes.length === 0 && read.fault === undefined) {
    file.drained = file.size
    if (reader.isPacked) file.complete = true
    return undefined
  }
  const { bytes, end, fault, isPart, isPartEnd } = partOf(read, offset)
  // A member of an archive is read as if it were a file.
  if (isPart) Object.assign(file, { context: '', framing: 'lines' })
  const final = isPartEnd || (end && (reader.isPacked || idle))
  const isStart = offset === 0 || isPart
  const framed = decodeText(bytes, { state: file.framing, stream, isStart, final, maxRecords: MAX_RECORDS })
  const { state: framingAfter, nulBytes } = framed
  const resume = offset + framed.end
  file.framed = { from: offset, to: resume, records: framed.records }
  if (nulBytes > 0 && nulBytes === framed.end)
    return extent(file, isPartEnd ? resume : await endOfHole(file, resume, windowBytes), { framingAfter, isHole: true, isPart })
  if (framed.end > 0 && !(fault !== undefined && framed.end === bytes.length))
    return extent(file, resume, { framingAfter, nulBytes, final, isPart })
  if (fault !== undefined)
    return extent(file, offset + bytes.length, { framingAfter, nulBytes, broken: fault, final: true, resume, isPart })
  if (end) return undefined
  file.printer ??= await printerOf(file)
  file.long = { record: new LongRecord(framed.pending), printer: file.printer.copy() }
  return longExtent(file, file.long, windowBytes, idle)
}

/** What was read, up to where the next member of an archive begins. */
function partOf({ bytes, end, fault, parts = [] }: ReadBytes, offset: number) {
  const isPart = parts.includes(offset)
  const next = parts.find((part) => part > offset)
  if (next === undefined) return { bytes, end, fault, isPart, isPartEnd: false }
  return { bytes: bytes.subarray(0, next - offset), end: false, fault: undefined, isPart, isPartEnd: true }
}

/**
 * An over-long record or a hole may have any size: this many bytes of it are read per turn, so that other files and sources are not
 * blocked.
 */
const MAX_STEP_BYTES = 32 * 1024 * 1024

/** Continues reading an over-long record, one step. */
async function longExtent(
  file: TrackedFile,
  long: NonNullable<TrackedFile['long']>,
  windowBytes: number,
  idle: boolean,
): Promise<FileExtent | typeof BUSY | undefined> {
  const { record, printer } = long
  const stepEnd = record.length + MAX_STEP_BYTES
  for (let final = false; !record.isWhole && !final; ) {
    if (record.length >= stepEnd) return BUSY
    const at = file.offset + record.length
    const read = await file.reader.read(at, windowBytes)
    const { end, fault, isPart, isPartEnd, ...part } = partOf(read, at)
    // The member of the archive ended where the read before this one did.
    const isOver = isPart && record.length > 0
    const bytes = isOver ? part.bytes.subarray(0, 0) : part.bytes
    final = isOver || isPartEnd || fault !== undefined || (end && (file.reader.isPacked || idle))
    const rest = record.add(bytes, final)
    printer.add(bytes.subarray(0, bytes.length - rest.length))
    if (end && !final && !record.isWhole) return undefined
  }
  long.sha256 ??= record.digest()
  const flags = { oversize: true, framingAfter: file.framing, final: !record.isWhole, sha256: long.sha256 }
  return extent(file, file.offset + record.length, flags)
}

/** Where data begins again after `from`, or where this turn ends. */
async function endOfHole(file: TrackedFile, from: number, windowBytes: number): Promise<number> {
  const nuls = Buffer.alloc(windowBytes)
  for (let at = from; ; ) {
    const { bytes } = await file.reader.read(at, windowBytes)
    if (bytes.length === 0 || at >= from + MAX_STEP_BYTES) return Math.max(from, at - HOLE_ENDING)
    if (!bytes.equals(nuls.subarray(0, bytes.length))) return at + bytes.findIndex((byte) => byte !== 0)
    at += bytes.length
  }
}

function extent(
  file: TrackedFile,
  to: number,
  flags: Partial<
    Pick<FileExtent, 'final' | 'oversize' | 'sha256' | 'resume' | 'framingAfter' | 'nulBytes' | 'isHole' | 'isPart'>
  > & {
    broken?: string
  },
): FileExtent {
  return {
    kind: 'file',
    fileId: file.cursor.fileId,
    path: file.path,
    ino: file.ino,
    dev: file.cursor.dev,
    birthMs: file.cursor.birthMs,
    seenMs: file.cursor.seenMs,
    size: file.size,
    fingerprint: file.cursor.fingerprint,
    fingerprintBytes: file.cursor.fingerprintBytes,
    from: file.offset,
    to,
    context: file.context,
    framing: file.framing,
    framingAfter: flags.framingAfter ?? 'lines',
    ...(file.stream !== '' && { stream: file.stream }),
    ...(file.encoding !== undefined && { encoding: file.encoding }),
    ...(flags.isPart && { isPart: true }),
    nulBytes: flags.isHole ? to - file.offset : (flags.nulBytes ?? 0),
    isHole: flags.isHole ?? false,
    final: flags.final ?? false,
    oversize: flags.oversize ?? false,
    ...(flags.sha256 !== undefined && { sha256: flags.sha256 }),
    broken: flags.broken ?? null,
    resume: flags.resume ?? to,
  }
}

/** An extent's records. Bytes that have been lost since the extent was recorded become a `truncated` fault. */
export async function readExtent(
  sourceId: string,
  reader: ByteReader,
  extent: Run & Pick<FileExtent, 'fileId' | 'path'>,
  tracked?: TrackedFile,
): Promise<Chunk> {
  const { from, to, framing, framingAfter: endState, stream, context, final } = extent
  const chunk = { place: hash16(sourceId, extent.fileId), offset: from, context, final }
  if (extent.isHole) return { ...chunk, bytes: new Uint8Array(), faults: [] }
  if (extent.oversize) {
    const { sha256 } = extent
    const fault =
      tracked?.long && sha256 !== undefined
        ? tooLongFault({ offset: from, length: to - from, sha256, raw: tracked.long.record.head() }, extent.path)
        : await oversizeFault(reader, extent)
    return { ...chunk, bytes: new Uint8Array(), faults: [fault] }
  }
  const known = tracked?.framed
  const { bytes } = await reader.read(from, to - from)
  const isCut = bytes.length < to - from
  const isWhole = !isCut && extent.broken === null
  if (isWhole && known?.from === from && known.to === to)
    return apart({ ...chunk, bytes, records: known.records, faults: [] }, stream)
  const framed =
    framing &&
    decodeText(bytes, { state: framing, stream, isStart: from === 0 || extent.isPart === true, final: isWhole, endState })
  if (isWhole) return apart({ ...chunk, bytes, records: framed?.records, faults: [] }, stream)
  const whole = framed?.end ?? bytes.lastIndexOf(10) + 1
  const message = isCut
    ? `${extent.path}: bytes ${from + whole} to ${to} of an earlier batch are missing; was the file truncated? Configure log rotation to rename files instead of truncating them.`
    : `${extent.path}: the compressed data cannot be read further (${extent.broken}); records before that were kept. Send the file again if there is an intact copy.`
  const fault = faultOf(isCut ? 'truncated' : 'compression', message, from + whole, bytes.subarray(whole))
  return apart({ ...chunk, bytes: bytes.subarray(0, whole), records: framed?.records, faults: [fault] }, stream)
}

/** Deliveries are recognised unless the source says what its text consists of. */
function apart(chunk: Chunk, stream: string | undefined): Chunk {
  return stream === undefined || stream === '' ? deliveriesApart(chunk) : chunk
}

async function oversizeFault(reader: ByteReader, extent: Run & Pick<FileExtent, 'path'>): Promise<Fault> {
  const { from, to, path } = extent
  const { bytes } = await reader.read(from, Math.min(MAX_DEAD_LETTER_BYTES, to - from))
  const sha256 = extent.sha256 ?? (await hashOf(reader, from, to))
  return tooLongFault({ offset: from, length: to - from, sha256, raw: Buffer.from(bytes) }, path)
}

/** For an extent that an earlier version recorded without its hash. */
async function hashOf(reader: ByteReader, from: number, to: number): Promise<string> {
  const hash = createHash('sha256')
  for (let at = from; at < to; ) {
    const { bytes } = await reader.read(at, Math.min(1024 * 1024, to - at))
    if (bytes.length === 0) break
    hash.update(bytes)
    at += bytes.length
  }
  return hash.digest('hex')
}

function faultOf(reason: Fault['reason'], message: string, offset: number, bytes: Buffer): Fault {
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  return { reason, message, offset, length: bytes.length, sha256, raw: Buffer.from(bytes.subarray(0, MAX_DEAD_LETTER_BYTES)) }
}

/** The notice about skipped bytes: a file that is truncated while its writer continues at the old offset begins with a hole. */
export function nulNotice({ path, nulBytes }: TrackedFile): string {
  return `${path}: ${nulBytes} NUL bytes between records were skipped; have the file's writer append (O_APPEND), or log rotation rename it`
}

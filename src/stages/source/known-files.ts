import type { Stats } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { Encoding } from '../../util/encoding.ts'
import { hash16 } from '../../util/hash.ts'
import type { ByteReader } from './byte-reader.ts'
import { openReader } from './open-reader.ts'
import { BLOCK_BYTES, isBeginningOf, matchEnds, printsOf } from './print.ts'
import { differs, type Sample, sampleOf } from './sample.ts'
import { FINGERPRINT_BYTES, type FileCursor, fileIdOf, fingerprintOf } from './tracked-file.ts'

/** A file found on disk. */
export interface MetFile {
  readonly head: Buffer
  readonly info: Stats
  readonly reader: ByteReader
}

/** The identity of a file found on disk: a known file, a copy of one, or, if both are `undefined`, a new one. */
export interface Recognised {
  readonly cursor?: FileCursor | undefined
  readonly copyOf?: FileCursor | undefined
}

/** All files ever read, by id, inode, beginning and path. */
export class KnownFiles {
  readonly #encoding: Encoding | undefined
  readonly #byId = new Map<string, FileCursor>()
  readonly #byInode = new Map<number, Set<string>>()
  /** Files of at least a KiB, by their fingerprint. */
  readonly #whole = new Map<string, Set<string>>()
  /** Shorter ones, whose fingerprints cover less. */
  readonly #short = new Set<string>()
  /** Path → the file that was last seen there. */
  readonly #lastAt = new Map<string, string>()
  /** Samples of files of which nothing was read yet, taken when a file with the same beginning is found; `undefined`: not possible. */
  readonly #samples = new Map<string, Sample | undefined>()
  /** Number of files opened so far to compare them with others: the cost of identification. */
  compared = 0

  /** `encoding`: of their text. */
  constructor(encoding?: Encoding) {
    this.#encoding = encoding
  }

  get(fileId: string): FileCursor | undefined {
    return this.#byId.get(fileId)
  }

  set(cursor: FileCursor): void {
    const { fileId, fingerprint, fingerprintBytes, path, seenMs, ino } = cursor
    const before = this.#byId.get(fileId)
    if (before && before.ino !== ino) this.#byInode.get(before.ino)?.delete(fileId)
    this.#byId.set(fileId, cursor)
    if (cursor.print) this.#samples.delete(fileId)
    addTo(this.#byInode, ino, fileId)
    if (fingerprintBytes >= FINGERPRINT_BYTES) {
      this.#short.delete(fileId)
      addTo(this.#whole, fingerprint, fileId)
    } else this.#short.add(fileId)
    const last = this.#byId.get(this.#lastAt.get(path) ?? '')
    if (!last || last.path !== path || last.seenMs <= seenMs) this.#lastAt.set(path, fileId)
  }

  /** Adds a file that was not known, with nothing read of it. */
  add(sourceId: string, path: string, { head, info }: Pick<MetFile, 'head' | 'info'>, seenMs: number): FileCursor {
    let fileId = fileIdOf(sourceId, head, info)
    // Truncated and restarted with the same lines: other bytes, so another file.
    for (let nth = 1; this.#byId.has(fileId); nth++) fileId = hash16(fileId, String(info.mtimeMs), String(nth))
    const cursor: FileCursor = {
      fileId,
      path,
      ino: info.ino,
      dev: info.dev,
      birthMs: info.birthtimeMs,
      seenMs,
      size: info.size,
      fingerprint: fingerprintOf(head),
      fingerprintBytes: head.length,
      offset: 0,
      context: '',
      complete: false,
    }
    this.set(cursor)
    return cursor
  }

  /** The known file on this inode, if any; the last one if it was truncated and restarted. */
  onInode(info: Stats): FileCursor | undefined {
    const ids = [...(this.#byInode.get(info.ino) ?? [])]
    const own = ids.map((id) => this.#byId.get(id)!).filter((cursor) => isSameInode(cursor, info))
    return own.sort((a, b) => b.seenMs - a.seenMs)[0]
  }

  /**
   * Identifies a file among the known ones. Its inode identifies it if the first and the last bytes read are unchanged. Otherwise it
   * may contain all that was read of a file that is gone from its path (moved or compressed), or be a copy of one that is not.
   */
  async recognise(met: MetFile): Promise<Recognised> {
    const own = this.onInode(met.info)
    if (own && (await stillHolds(met, own))) return { cursor: own }
    const inPlace: FileCursor[] = []
    const gone: FileCursor[] = []
    const alike = this.#beginningLike(met.head).filter((cursor) => {
      // Many files share a short beginning: without the inode it only counts for a file that was compressed.
      const tellsApart = cursor.fingerprintBytes >= FINGERPRINT_BYTES || (met.reader.isPacked && cursor.fingerprintBytes > 0)
      return tellsApart && cursor !== own && !isSameInode(cursor, met.info)
    })
    for (const cursor of await this.#unlessOthers(met, await notSurelyOthers(met, alike))) {
      this.compared++
      const list = (await this.#isInPlace(cursor)) ? inPlace : gone
      list.push(cursor)
    }
    const moved = await heldWhole(met, gone)
    if (moved) return { cursor: moved }
    for (const cursor of inPlace) if (await this.#isCopyOf(met, cursor)) return { copyOf: cursor }
    return {}
  }

  /**
   * Excludes files of which nothing was read yet and that differ from this one. Each of them is opened only once, however many files
   * are found.
   */
  async #unlessOthers({ reader }: MetFile, cursors: readonly FileCursor[]): Promise<readonly FileCursor[]> {
    const unread = cursors.filter(({ print }) => !print)
    if (unread.length === 0) return cursors
    const { bytes } = await reader.read(0, BLOCK_BYTES)
    const own = sampleOf(bytes)
    const others = new Set<FileCursor>()
    for (const cursor of unread) {
      const sample = await this.#sampleOf(cursor)
      if (sample && differs(sample, own, bytes)) others.add(cursor)
    }
    return cursors.filter((cursor) => !others.has(cursor))
  }

  async #sampleOf(cursor: FileCursor): Promise<Sample | undefined> {
    const { fileId, path } = cursor
    if (this.#samples.has(fileId)) return this.#samples.get(fileId)
    this.compared++
    const sample = await this.#withReader(path, async (reader) =>
      isSameInode(cursor, await reader.stat()) ? sampleOf((await reader.read(0, BLOCK_BYTES)).bytes) : undefined,
    ).catch(() => undefined)
    this.#samples.set(fileId, sample)
    return sample
  }

  async #isCopyOf({ head, reader }: MetFile, { path }: FileCursor): Promise<boolean> {
    if (head.length < FINGERPRINT_BYTES && !reader.isPacked) return false
    return this.#withReader(path, (original) => isBeginningOf(reader, original)).catch(() => false)
  }

  async #withReader<T>(path: string, act: (reader: ByteReader) => Promise<T>): Promise<T> {
    const reader = await openReader(path, this.#encoding)
    try {
      return await act(reader)
    } finally {
      await reader.close()
    }
  }

  #beginningLike(head: Buffer): FileCursor[] {
    const ids =
      head.length >= FINGERPRINT_BYTES ? [...(this.#whole.get(fingerprintOf(head.subarray(0, FINGERPRINT_BYTES))) ?? [])] : []
    const byLength = new Map<number, string>()
    for (const id of this.#short) {
      const { fingerprint, fingerprintBytes } = this.#byId.get(id)!
      // Data that is broken from its first byte has no beginning, so only another such file is equal to it.
      if (fingerprintBytes > head.length || (fingerprintBytes === 0 && head.length > 0)) continue
      const expected = byLength.get(fingerprintBytes) ?? fingerprintOf(head.subarray(0, fingerprintBytes))
      byLength.set(fingerprintBytes, expected)
      if (expected === fingerprint) ids.push(id)
    }
    return ids.map((id) => this.#byId.get(id)!)
  }

  /** True if the file is still at its last known path with the bytes that were read of it, so no other file has begun there. */
  async #isInPlace(cursor: FileCursor): Promise<boolean> {
    const { fileId, path } = cursor
    if (this.#lastAt.get(path) !== fileId) return false
    try {
      const info = await stat(path)
      if (!isSameInode(cursor, info)) return false
      return await this.#withReader(path, (reader) => stillHolds({ head: undefined, info, reader }, cursor))
    } catch {
      return false
    }
  }
}

/** True if an inode's file still contains what was read of it; false if it was truncated or rewritten. */
async function stillHolds(
  { head, info, reader }: Omit<MetFile, 'head'> & { readonly head: Buffer | undefined },
  cursor: FileCursor,
): Promise<boolean> {
  const { print, offset, fingerprint, fingerprintBytes } = cursor
  if (reader.isPlain && info.size < offset) return false
  if (print) return (await matchEnds(reader, print, offset)) !== undefined
  // A cursor of an earlier version only stores the beginning.
  const bytes = head ?? (await reader.read(0, FINGERPRINT_BYTES)).bytes
  return bytes.length >= fingerprintBytes && fingerprintOf(bytes.subarray(0, fingerprintBytes)) === fingerprint
}

/**
 * Excludes files that this one is long enough to contain but does not, judging by their first block: it is neither one of them nor a
 * copy. One read, whatever their number; otherwise a folder of many files with the same beginning would cost one comparison per pair.
 */
async function notSurelyOthers({ reader }: MetFile, cursors: readonly FileCursor[]): Promise<readonly FileCursor[]> {
  const lengthOf = ({ offset }: FileCursor) => Math.min(offset, BLOCK_BYTES)
  const prints = await printsOf(reader, cursors.filter(({ print }) => print).map(lengthOf))
  return cursors.filter((cursor) => {
    const { print, offset } = cursor
    const own = prints.get(lengthOf(cursor))
    return !print || own === undefined || own === (offset <= BLOCK_BYTES ? print.last : print.first)
  })
}

/** The one of these files whose bytes read so far are how this one begins; if there are several, the one that was read furthest. */
async function heldWhole({ info, reader }: MetFile, cursors: readonly FileCursor[]): Promise<FileCursor | undefined> {
  const fitting = cursors.filter(({ offset }) => !reader.isPlain || info.size >= offset).sort((a, b) => b.offset - a.offset)
  const printed = fitting.filter(({ print }) => print)
  const prints = await printsOf(
    reader,
    printed.map(({ offset }) => offset),
  )
  for (const cursor of fitting) {
    if (cursor.print ? prints.get(cursor.offset) === cursor.print.last : await endsRecord(reader, cursor.offset)) return cursor
  }
  return undefined
}

/** A cursor of an earlier version has no print, so it must suffice that a record ends at its offset. */
async function endsRecord(reader: ByteReader, offset: number): Promise<boolean> {
  if (offset === 0) return true
  return (await reader.read(offset - 1, 1)).bytes[0] === 0x0a
}

function addTo<K>(map: Map<K, Set<string>>, key: K, value: string): void {
  const set = map.get(key)
  if (set) set.add(value)
  else map.set(key, new Set([value]))
}

/**
 * Inode numbers are reused, so the birth time must match if the file system records it. Otherwise the device must match: its number alone
 * may change at a reboot.
 */
export function isSameInode(
  cursor: { readonly ino: number; readonly birthMs: number; readonly dev?: number | undefined },
  info: Stats,
): boolean {
  if (cursor.ino !== info.ino) return false
  if (cursor.birthMs !== 0 && info.birthtimeMs !== 0) return cursor.birthMs === info.birthtimeMs
  return cursor.dev === undefined || cursor.dev === info.dev
}

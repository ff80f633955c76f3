import type { Stats } from 'node:fs'
import { stat } from 'node:fs/promises'
import { z } from 'zod'
import type { Cursor, Extent } from '../../model/batch.ts'
import type { Chunk } from '../../model/chunk.ts'
import { messageOf } from '../../util/errors.ts'
import type { ByteReader } from './byte-reader.ts'
import { unreadableFolders } from './folders.ts'
import { isSameInode, KnownFiles } from './known-files.ts'
import { matchingFiles } from './matching-files.ts'
import { isPlainFile, openReader } from './open-reader.ts'
import { readerOf } from './recorded-file.ts'
import { type BatchSource, BUSY, type CursorDeps, defineSource, type SourceStatus, sourceBase } from './source.ts'
import { streamKeys, streamParameters } from './stream-keys.ts'
import {
  FINGERPRINT_BYTES,
  type FileCursor,
  type FileExtent,
  fingerprintOf,
  isContinued,
  nextExtent,
  nulNotice,
  readExtent,
  type TrackedFile,
  withPrint,
} from './tracked-file.ts'

const config = z.object({
  ...sourceBase,
  ...streamKeys,
  paths: z.array(z.string().min(1)).min(1).describe('Files or glob patterns. Compressed files are detected by their content.'),
  poll_ms: z.int().min(20).max(60_000).default(200).describe('How often files are checked for new lines, in milliseconds.'),
  idle_ms: z
    .int()
    .min(0)
    .default(2000)
    .describe('Milliseconds without growth after which a last line without a newline is taken as complete.'),
})

/** Files and growing files. The read position is stored per file and survives renames. */
export const file = defineSource({
  type: 'file',
  summary: 'Follows log files that match glob patterns, plain or compressed.',
  config,
  example: { id: 'zeek', paths: ['/opt/zeek/logs/current/*.log'] },
  seekable: (settings, deps) => new FileSource(settings, deps),
})

/** Maximum bytes per batch: small enough that others do not wait long, large enough to make a transaction worthwhile. */
const WINDOW_BYTES = 1024 * 1024
/** Interval between checks for new files; known ones are checked every `poll_ms`. */
const RESCAN_MS = 1000
/** Maximum number of comparisons with known files per check; each opens a file. */
const MAX_COMPARED = 200
/** A file without a name is held open this long after its last growth, because its writer may still have it open. */
const LINGER_MS = 5000

/** A path as of the last check. */
interface SeenPath {
  readonly ino: number
  readonly size: number
  readonly mtimeMs: number
  /** When it was first seen in this state, epoch ms. */
  readonly sinceMs: number
  /** Which file it is; `null`: unknown until the file is complete. */
  readonly fileId: string | null | undefined
}

class FileSource implements BatchSource {
  readonly id: string
  readonly #config: z.output<typeof config>
  readonly #deps: CursorDeps
  /** By file id: everything seen so far and not yet forgotten. */
  readonly #known: KnownFiles
  readonly #tracked = new Map<string, TrackedFile>()
  readonly #byPath = new Map<string, SeenPath>()
  readonly #notices = new Map<string, string>()
  /** By path: why it cannot be read. */
  readonly #unreadable = new Map<string, string>()
  #folders: ReadonlyMap<string, string> = new Map()
  readonly #window: number
  readonly #stream: string
  #scannedMs = Number.NEGATIVE_INFINITY
  #polledMs = Number.NEGATIVE_INFINITY
  #turn = 0
  readonly #timer: NodeJS.Timeout

  constructor(settings: z.output<typeof config>, deps: CursorDeps) {
    this.id = settings.id
    this.#config = settings
    this.#known = new KnownFiles(settings.encoding)
    this.#deps = deps
    this.#stream = streamParameters(settings)
    // Including the line ending, CR and LF.
    this.#window = Math.max(WINDOW_BYTES, deps.maxRecordBytes + 2)
    for (const { value } of deps.cursors) this.#known.set(value as FileCursor)
    this.#timer = setInterval(deps.wake, settings.poll_ms)
  }

  async next(): Promise<Extent | typeof BUSY | undefined> {
    await this.#look()
    let busy: typeof BUSY | undefined
    const files = [...this.#tracked.values()].filter((f) => !f.complete)
    for (let i = 0; i < files.length; i++) {
      const file = files[(this.#turn + i) % files.length]!
      if (file.reader.isPlain ? file.size <= file.offset : file.size === file.drained) continue
      const idle = this.#deps.now() - file.grewMs >= this.#config.idle_ms
      // Compressed data can only be read as a whole: while it is still being written it looks broken.
      if (file.reader.isPacked && !idle) continue
      const extent = await this.#tryNext(file, idle)
      if (extent === BUSY) busy = BUSY
      else if (extent) {
        // Files take turns, as sources do. A compressed file is read to its end, because each open one holds a window in memory.
        this.#turn = (this.#turn + i + (file.reader.isPacked ? 0 : 1)) % files.length
        return extent
      }
    }
    // Before returning, because the pipeline calls again at once.
    if (busy) this.#deps.wake()
    return busy
  }

  async #tryNext(file: TrackedFile, idle: boolean): Promise<FileExtent | typeof BUSY | undefined> {
    try {
      const extent = await nextExtent(file, this.#window, idle)
      if (!extent || extent === BUSY) return extent
      file.problem = undefined
      const printed = await withPrint(file, extent)
      return file.cursor.fingerprintBytes < FINGERPRINT_BYTES ? await this.#refingerprint(file, printed) : printed
    } catch (error) {
      file.problem = `${file.path} cannot be read: ${messageOf(error)}`
      return undefined
    }
  }

  /** While a file is short, its fingerprint grows with what was read of it. */
  async #refingerprint(file: TrackedFile, extent: FileExtent): Promise<FileExtent> {
    const { bytes } = await file.reader.read(0, Math.min(FINGERPRINT_BYTES, extent.to))
    await file.reader.read(extent.from, 1)
    return { ...extent, fingerprint: fingerprintOf(bytes), fingerprintBytes: bytes.length }
  }

  async read(recorded: Extent): Promise<readonly Chunk[]> {
    const extent = recorded as FileExtent
    const tracked = this.#tracked.get(extent.fileId)
    if (tracked) return [await readExtent(this.id, tracked.reader, extent, tracked)]
    const reader = await readerOf(extent, await matchingFiles(this.#config.paths))
    try {
      return [await readExtent(this.id, reader, extent)]
    } finally {
      await reader.close()
    }
  }

  receivedMs(): undefined {
    return undefined
  }

  parsed(recorded: Extent, context: string): Cursor {
    const extent = recorded as FileExtent
    const { fileId, path, ino, dev, print, birthMs, seenMs, size, fingerprint, fingerprintBytes, resume: offset, broken } = extent
    const framing = extent.framingAfter ?? 'lines'
    const cursor: FileCursor = {
      fileId,
      path,
      ino,
      dev,
      birthMs,
      seenMs,
      size,
      fingerprint,
      fingerprintBytes,
      offset,
      print,
      context,
      framing,
      complete: broken !== null,
    }
    this.#known.set(cursor)
    const file = this.#tracked.get(fileId)
    if (file) {
      file.printer = file.nextPrinter
      file.nextPrinter = undefined
      file.cursor = cursor
      file.offset = offset
      file.context = context
      file.framing = framing
      file.framed = undefined
      file.long = undefined
      file.nulBytes += extent.nulBytes ?? 0
      file.complete ||= cursor.complete
    }
    return { place: fileId, value: cursor }
  }

  committed(): void {
    // The cursor in state is all that must be remembered.
  }

  status(): SourceStatus {
    let backlogBytes = 0
    const notices = [...this.#notices.values()]
    const problems = [...this.#folders.values(), ...this.#unreadable.values()]
    for (const file of this.#tracked.values()) {
      if (file.reader.isPlain) backlogBytes += Math.max(0, file.size - file.offset)
      if (file.problem) problems.push(file.problem)
      if (file.nulBytes > 0) notices.push(nulNotice(file))
    }
    return { backlogBytes, notices: [...notices, ...problems], problems }
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    for (const { reader } of this.#tracked.values()) await reader.close()
    this.#tracked.clear()
  }

  /** Checks for new files and for growth, each at its own interval. */
  async #look(): Promise<void> {
    const now = this.#deps.now()
    if (now - this.#polledMs < this.#config.poll_ms / 2) return
    this.#polledMs = now
    const found = now - this.#scannedMs >= RESCAN_MS ? await this.#scan(now) : []
    // Including those that existed before, to notice when one is gone.
    const paths = [...new Set([...found, ...this.#byPath.keys()])].sort()
    const mostCompared = this.#known.compared + MAX_COMPARED
    for (const path of paths) {
      // The next check continues here. Files that have been read by then are identified without opening them.
      if (this.#known.compared > mostCompared && !this.#byPath.has(path)) {
        this.#scannedMs = Number.NEGATIVE_INFINITY
        continue
      }
      try {
        const info = await stat(path)
        if (info.isFile()) await this.#see(path, info)
        this.#unreadable.delete(path)
      } catch (error) {
        this.#byPath.delete(path)
        const isGone = (error as NodeJS.ErrnoException).code === 'ENOENT'
        if (!isGone) this.#unreadable.set(path, `${path} cannot be read: ${messageOf(error)}`)
        else {
          this.#unreadable.delete(path)
          for (const kind of ['copy', 'cut']) this.#notices.delete(`${kind} ${path}`)
        }
      }
    }
    await this.#letGo(now)
    // From the end of the check: after a long check, files are read before the next one.
    this.#polledMs = this.#deps.now()
  }

  async #scan(now: number): Promise<string[]> {
    this.#scannedMs = now
    const paths = await matchingFiles(this.#config.paths)
    if (paths.length === 0) this.#notices.set('', `no file matches ${this.#config.paths.join(', ')}`)
    else this.#notices.delete('')
    this.#folders = await unreadableFolders(this.#config.paths)
    return paths
  }

  async #see(path: string, info: Stats): Promise<void> {
    const { ino, size, mtimeMs } = info
    const before = this.#byPath.get(path)
    const isSame = before?.ino === ino && before.size === size && before.mtimeMs === mtimeMs
    if (isSame && before.fileId !== null) return
    const sinceMs = isSame ? before.sinceMs : Math.min(mtimeMs, this.#deps.now())
    let fileId = before?.ino === ino ? before.fileId : undefined
    const tracked = this.#tracked.get(fileId ?? '')
    if (tracked && isSameInode(tracked.cursor, info) && (await isContinued(tracked, info))) this.#grown(tracked, info)
    else {
      if (tracked && isSameInode(tracked.cursor, info)) await this.#cut(tracked, path)
      fileId = await this.#identify(path, info, this.#deps.now() - sinceMs >= this.#config.idle_ms)
    }
    this.#byPath.set(path, { ino, size, mtimeMs, sinceMs, fileId })
  }

  #grown(file: TrackedFile, info: Stats): void {
    file.goneMs = undefined
    if (info.size === file.size) return
    file.size = info.size
    file.grewMs = this.#deps.now()
    file.complete = false
  }

  /** The file was truncated and restarted, so its name now refers to another one. Copies may contain its unread rest. */
  async #cut(file: TrackedFile, path: string): Promise<void> {
    await this.#drop(file)
    this.#notices.set(`cut ${path}`, `${path} was truncated and rewritten: it is read from its beginning`)
    await this.#forgetCopies(file, path)
  }

  /** Checks again the supposed copies of a file that is no longer read, since one may continue where that file ended. */
  async #forgetCopies({ cursor, offset }: TrackedFile, except?: string): Promise<void> {
    for (const [path, { fileId, size }] of [...this.#byPath]) {
      if (fileId !== cursor.fileId || path === except) continue
      const holdsMore = size > offset || !(await isPlainFile(path, this.#config.encoding))
      if (holdsMore) this.#byPath.delete(path)
    }
  }

  /** Identifies the file: one known before (moved, compressed, seen before a restart) or a new one; `null`: not known yet. */
  async #identify(path: string, info: Stats, isIdle: boolean): Promise<string | null | undefined> {
    if (info.size === 0) return undefined
    const reader = await openReader(path, this.#config.encoding)
    try {
      return await this.#track(path, info, reader, isIdle)
    } catch (error) {
      await reader.close()
      throw error
    }
  }

  /** Keeps the reader if this is a file to read, and closes it otherwise. */
  async #track(path: string, info: Stats, reader: ByteReader, isIdle: boolean): Promise<string | null | undefined> {
    const { bytes: head, fault } = await reader.read(0, FINGERPRINT_BYTES)
    const isSettled = !reader.isPacked || isIdle || this.#known.onInode(info) !== undefined
    // Another file may have taken its name in the meantime.
    if (!isSettled || (await reader.stat()).ino !== info.ino) {
      await reader.close()
      return null
    }
    const { cursor: known, copyOf } = await this.#known.recognise({ head, info, reader })
    const tracked = this.#tracked.get((known ?? copyOf)?.fileId ?? '')
    if ((head.length === 0 && fault === undefined) || tracked || copyOf) {
      await reader.close()
      if (tracked && isSameInode(tracked.cursor, info)) {
        tracked.path = path
        this.#grown(tracked, info)
      } else if (tracked ?? copyOf) {
        const original = (tracked ?? copyOf)!.path
        this.#notices.set(
          `copy ${path}`,
          `${path} begins like ${original} and is treated as a copy of it because every byte is equal: not read twice`,
        )
      }
      return (known ?? copyOf)?.fileId
    }
    this.#notices.delete(`copy ${path}`)
    const now = this.#deps.now()
    const cursor = known ?? this.#known.add(this.id, path, { head, info }, now)
    this.#tracked.set(cursor.fileId, {
      cursor: { ...cursor, path, ino: info.ino, dev: info.dev, birthMs: info.birthtimeMs },
      offset: cursor.offset,
      context: cursor.context,
      path,
      ino: info.ino,
      encoding: this.#config.encoding,
      reader,
      printer: undefined,
      nextPrinter: undefined,
      size: info.size,
      grewMs: Math.min(info.mtimeMs, now),
      goneMs: undefined,
      complete: cursor.complete && cursor.size === info.size,
      framing: cursor.framing ?? 'lines',
      stream: this.#stream,
      framed: undefined,
      long: undefined,
      nulBytes: 0,
      problem: undefined,
    })
    return cursor.fileId
  }

  /** Reads a file to its end after it was deleted or renamed so that no pattern matches it, then closes it. */
  async #letGo(now: number): Promise<void> {
    const alive = new Set([...this.#byPath.values()].map(({ fileId, ino }) => `${fileId}:${ino}`))
    for (const file of this.#tracked.values()) {
      if (alive.has(`${file.cursor.fileId}:${file.ino}`)) {
        if (file.reader.isPacked && file.complete) await file.reader.close()
        continue
      }
      file.goneMs ??= now
      // Only the open file itself can still show growth.
      const size = await file.reader.stat().then(
        (info) => info.size,
        () => file.size,
      )
      if (size > file.size) {
        file.size = size
        file.grewMs = now
      }
      const isRead =
        file.complete ||
        file.problem !== undefined ||
        (file.reader.isPlain ? file.offset >= file.size : file.drained === file.size)
      if (!isRead || now - Math.max(file.goneMs, file.grewMs) < LINGER_MS) continue
      await this.#drop(file)
      await this.#forgetCopies(file)
    }
  }

  async #drop(file: TrackedFile): Promise<void> {
    await file.reader.close()
    this.#tracked.delete(file.cursor.fileId)
  }
}

import { constants, type Stats } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { Inflater } from './inflater.ts'

/** Uncompressed bytes read at an offset of a file. */
export interface ReadBytes {
  readonly bytes: Buffer
  /** The current end of the file is right after `bytes`. */
  readonly end: boolean
  /** The compressed data is broken right after `bytes`; nothing more can be read. */
  readonly fault: string | undefined
}

/** Reads a file at absolute uncompressed offsets. Going back is allowed; for gzip it restarts from the beginning. */
export interface ByteReader {
  read(from: number, length: number): Promise<ReadBytes>
  /** The file's current status on disk, even if it no longer has a name. */
  stat(): Promise<Stats>
  close(): Promise<void>
}

/**
 * Opens a regular file. If something else has taken its name since the last check (a pipe without a writer), that is refused without
 * waiting.
 */
async function openFile(path: string): Promise<FileHandle> {
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  if ((await file.stat()).isFile()) return file
  await file.close()
  throw new Error(`'${path}' is no longer a file`)
}

/** True if the file begins like gzip, whatever its name. */
export async function isGzip(path: string): Promise<boolean> {
  const file = await openFile(path)
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(2), 0, 2, 0)
    return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b
  } finally {
    await file.close()
  }
}

/** A reader for the kind of file at `path`. */
export async function openReader(path: string): Promise<{ readonly reader: ByteReader; readonly isGzip: boolean }> {
  const gzip = await isGzip(path)
  return { reader: gzip ? new GzipReader(path) : new PlainReader(path), isGzip: gzip }
}

/** A plain file, held open so that it can be read to its end even after it was renamed or deleted. */
export class PlainReader implements ByteReader {
  readonly #path: string
  #file: FileHandle | undefined

  constructor(path: string) {
    this.#path = path
  }

  async read(from: number, length: number): Promise<ReadBytes> {
    this.#file ??= await openFile(this.#path)
    const buffer = Buffer.allocUnsafe(length)
    let filled = 0
    while (filled < length) {
      const { bytesRead } = await this.#file.read(buffer, filled, length - filled, from + filled)
      if (bytesRead === 0) break
      filled += bytesRead
    }
    return { bytes: buffer.subarray(0, filled), end: filled < length, fault: undefined }
  }

  async stat(): Promise<Stats> {
    this.#file ??= await openFile(this.#path)
    return this.#file.stat()
  }

  async close(): Promise<void> {
    await this.#file?.close()
    this.#file = undefined
  }
}

/** Compressed bytes passed to zlib at a time. Its output for one write (at most about 1,000 times that size) is held in memory. */
const COMPRESSED_STEP = 16 * 1024
/** Step size near broken data: whatever a failing step had decompressed is lost. */
const SMALL_STEP = 16

/**
 * A gzip file, read forward one step at a time, so that a bomb costs one step of memory.
 *
 * zlib is called directly: with a stream, Node discards decompressed data that is not yet read when the data turns out to be broken, and
 * the whole records before the break must be preserved.
 */
export class GzipReader implements ByteReader {
  readonly #path: string
  #file: FileHandle | undefined
  #inflater: Inflater | undefined
  #position = 0
  #fresh: Buffer[] = []
  /** Absolute offset of `#ahead[0]`. */
  #at = 0
  #ahead: Buffer = Buffer.alloc(0)
  #ended = false
  #fault: string | undefined
  /** Compressed offset of the step that failed: from here on steps are small. */
  #brokenFrom = Number.POSITIVE_INFINITY

  constructor(path: string) {
    this.#path = path
  }

  async read(from: number, length: number): Promise<ReadBytes> {
    for (;;) {
      const known = this.#brokenFrom
      const answer = await this.#readOnce(from, length)
      // When data is first found broken, it is read again, with small steps near the break.
      if (answer.fault === undefined || known !== Number.POSITIVE_INFINITY) return answer
      this.#inflater?.destroy()
      this.#inflater = undefined
    }
  }

  async stat(): Promise<Stats> {
    this.#file ??= await openFile(this.#path)
    return this.#file.stat()
  }

  async close(): Promise<void> {
    this.#inflater?.destroy()
    this.#inflater = undefined
    this.#brokenFrom = Number.POSITIVE_INFINITY
    await this.#file?.close()
    this.#file = undefined
  }

  async #readOnce(from: number, length: number): Promise<ReadBytes> {
    if (!this.#inflater || from < this.#at) await this.#restart()
    while (this.#at + this.#ahead.length < from && !this.#ended) {
      this.#at += this.#ahead.length
      this.#ahead = await this.#pull()
    }
    const skip = Math.min(from - this.#at, this.#ahead.length)
    const parts = [this.#ahead.subarray(skip)]
    let have = parts[0]!.length
    while (have < length && !this.#ended) {
      const more = await this.#pull()
      parts.push(more)
      have += more.length
    }
    this.#ahead = parts.length === 1 ? parts[0]! : Buffer.concat(parts)
    this.#at += skip
    const bytes = this.#ahead.subarray(0, length)
    const atEnd = this.#ended && bytes.length === this.#ahead.length
    return { bytes, end: atEnd && this.#fault === undefined, fault: atEnd ? this.#fault : undefined }
  }

  /** Restarts from the beginning in the same open file, which may no longer have a name. */
  async #restart(): Promise<void> {
    this.#inflater?.destroy()
    this.#at = 0
    this.#position = 0
    this.#ahead = Buffer.alloc(0)
    this.#ended = false
    this.#fault = undefined
    this.#fresh = []
    this.#file ??= await openFile(this.#path)
    const fresh = this.#fresh
    this.#inflater = new Inflater('gzip', (chunk) => fresh.push(chunk), { chunkSize: 256 * 1024 })
  }

  /** The output of the next compressed step; may be empty. */
  async #pull(): Promise<Buffer> {
    const inflater = this.#inflater!
    const left = this.#brokenFrom - this.#position
    const length = left <= 0 ? SMALL_STEP : Math.min(COMPRESSED_STEP, left)
    const step = Buffer.allocUnsafe(length)
    const { bytesRead } = await this.#file!.read(step, 0, length, this.#position)
    if (bytesRead === 0) await inflater.finish()
    else await inflater.write(step.subarray(0, bytesRead))
    if (inflater.fault !== undefined) {
      this.#fault = inflater.fault
      this.#brokenFrom = Math.min(this.#brokenFrom, this.#position)
    }
    this.#position += bytesRead
    if (bytesRead === 0 || inflater.ended || this.#fault !== undefined) this.#ended = true
    const bytes = this.#fresh.length === 1 ? this.#fresh[0]! : Buffer.concat(this.#fresh)
    this.#fresh.length = 0
    return bytes
  }
}

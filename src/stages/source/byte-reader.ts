import { constants, type Stats } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'

/** Uncompressed bytes of text in UTF-8, read at an offset of a file. */
export interface ReadBytes {
  readonly bytes: Buffer
  /** The current end of the file is right after `bytes`. */
  readonly end: boolean
  /** The compressed data is broken right after `bytes`; nothing more can be read. */
  readonly fault: string | undefined
  /** Where members of an archive begin, absolute: those from the offset up to the end of `bytes`, as far as they are known. */
  readonly parts?: readonly number[]
}

/**
 * Reads a file at absolute offsets of its uncompressed text in UTF-8. Going back is allowed; for compressed data it restarts from the
 * beginning.
 */
export interface ByteReader {
  /** The file is compressed: it can only be read as a whole. */
  readonly isPacked: boolean
  /** Offsets are those of the file on disk: its size says where it ends. */
  readonly isPlain: boolean
  read(from: number, length: number): Promise<ReadBytes>
  /** The file's current status on disk, even if it no longer has a name. */
  stat(): Promise<Stats>
  close(): Promise<void>
}

/**
 * Opens a regular file. If something else has taken its name since the last check (a pipe without a writer), that is refused without
 * waiting.
 */
export async function openFile(path: string): Promise<FileHandle> {
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  if ((await file.stat()).isFile()) return file
  await file.close()
  throw new Error(`'${path}' is no longer a file`)
}

/** A plain file, held open so that it can be read to its end even after it was renamed or deleted. */
export class PlainReader implements ByteReader {
  readonly isPacked = false
  readonly isPlain = true
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

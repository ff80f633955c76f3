import type { Stats } from 'node:fs'
import { stat } from 'node:fs/promises'
import { FINGERPRINT_BYTES, type FileCursor, fingerprintOf } from './tracked-file.ts'

/** A file met on disk. */
export interface MetFile {
  readonly head: Buffer
  readonly info: Stats
  readonly isGzip: boolean
}

/** Every file that was ever read, by its id, its beginning and its place. */
export class KnownFiles {
  readonly #byId = new Map<string, FileCursor>()
  /** Files of at least a KiB, by their fingerprint. */
  readonly #whole = new Map<string, Set<string>>()
  /** Shorter ones: their fingerprints cover less. */
  readonly #short = new Set<string>()
  /** Path → the file that was there last. */
  readonly #lastAt = new Map<string, string>()

  get(fileId: string): FileCursor | undefined {
    return this.#byId.get(fileId)
  }

  set(cursor: FileCursor): void {
    const { fileId, fingerprint, fingerprintBytes, path, seenMs } = cursor
    this.#byId.set(fileId, cursor)
    if (fingerprintBytes >= FINGERPRINT_BYTES) {
      this.#short.delete(fileId)
      const same = this.#whole.get(fingerprint)
      if (same) same.add(fileId)
      else this.#whole.set(fingerprint, new Set([fileId]))
    } else this.#short.add(fileId)
    const last = this.#byId.get(this.#lastAt.get(path) ?? '')
    if (!last || last.path !== path || last.seenMs <= seenMs) this.#lastAt.set(path, fileId)
  }

  /**
   * Which of the known files this is, if any. `copyOf`: it begins like a file that is still in its own place, so it is
   * a copy of it and not to be read.
   */
  async recognise(met: MetFile): Promise<{ readonly cursor: FileCursor | undefined; readonly copyOf: FileCursor | undefined }> {
    const { info, isGzip } = met
    const alike = this.#beginningLike(met.head).sort((a, b) => b.seenMs - a.seenMs)
    const own = alike.filter((cursor) => isSameInode(cursor, info))
    // Shorter than what was read of it: cut and begun again, not the bytes that were read before.
    const same = own.find((cursor) => isGzip || info.size >= cursor.offset)
    if (same) return { cursor: same, copyOf: undefined }
    let copyOf: FileCursor | undefined
    for (const cursor of alike) {
      // A short beginning is shared by many files: without the inode it counts only for a file that was packed.
      const tellsApart = cursor.fingerprintBytes >= FINGERPRINT_BYTES || (isGzip && cursor.fingerprintBytes > 0)
      if (own.includes(cursor) || !tellsApart) continue
      if (await this.#isInPlace(cursor)) copyOf ??= cursor
      else if (isGzip || info.size >= cursor.offset) return { cursor, copyOf: undefined }
    }
    return { cursor: undefined, copyOf }
  }

  #beginningLike(head: Buffer): FileCursor[] {
    const ids =
      head.length >= FINGERPRINT_BYTES ? [...(this.#whole.get(fingerprintOf(head.subarray(0, FINGERPRINT_BYTES))) ?? [])] : []
    const byLength = new Map<number, string>()
    for (const id of this.#short) {
      const { fingerprint, fingerprintBytes } = this.#byId.get(id)!
      // Data that is broken from its first byte has no beginning: only another such file is like it.
      if (fingerprintBytes > head.length || (fingerprintBytes === 0 && head.length > 0)) continue
      const expected = byLength.get(fingerprintBytes) ?? fingerprintOf(head.subarray(0, fingerprintBytes))
      byLength.set(fingerprintBytes, expected)
      if (expected === fingerprint) ids.push(id)
    }
    return ids.map((id) => this.#byId.get(id)!)
  }

  /** True when the file still lies where it was seen last, and no other has begun there. */
  async #isInPlace({ fileId, path, ino }: FileCursor): Promise<boolean> {
    if (this.#lastAt.get(path) !== fileId) return false
    try {
      return (await stat(path)).ino === ino
    } catch {
      return false
    }
  }
}

/** Inode numbers are used again, so the time of birth must agree where the file system knows it. */
export function isSameInode(cursor: { readonly ino: number; readonly birthMs: number }, info: Stats): boolean {
  return cursor.ino === info.ino && (cursor.birthMs === 0 || info.birthtimeMs === 0 || cursor.birthMs === info.birthtimeMs)
}

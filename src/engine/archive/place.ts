/** A file in the archive. */
export interface ArchivedFile {
  /** Below the place's root, with slashes. */
  readonly key: string
  readonly bytes: number
}

/** Where archived rows are stored. All methods reject with `RetryLater` or `Refused` and a message that says what to do. */
export interface ArchivePlace {
  /** For people: a path, or s3://bucket/prefix. */
  readonly name: string
  /** Stores a local file. It is there as a whole, or not at all. */
  put(key: string, file: string, signal: AbortSignal): Promise<void>
  /** The file's bytes, piece by piece. Rejects with `ArchiveFileMissing`. */
  read(key: string, signal: AbortSignal): AsyncIterable<Uint8Array>
  /** Files in a folder, which ends with a slash, and below it, in the order of their keys; with `after`, those that come after this key. */
  list(
    folder: string,
    options: { readonly after?: string | undefined; readonly signal: AbortSignal },
  ): AsyncIterable<ArchivedFile>
}

export class ArchiveFileMissing extends Error {}

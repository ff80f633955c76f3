/** One file in an archive. */
export interface ArchiveEntry {
  readonly name: string
  /** Its content. Rejects with `ArchiveError` if that is damaged or larger than `maxBytes`. */
  read(maxBytes: number): Promise<Uint8Array>
}

/** Maximum number of files in an archive. */
export const MAX_ENTRIES = 10_000

/** The archive cannot be read. The message is a sentence without a subject: `is damaged …`. */
export class ArchiveError extends Error {
  /** True if the content is larger than the limit of the caller. */
  readonly isTooLarge: boolean

  constructor(message: string, isTooLarge = false) {
    super(message)
    this.isTooLarge = isTooLarge
  }
}

import type { SpoolBody, SpoolEnds, SpooledBodies, SpoolPlace, SpoolRange } from '../model/spool.ts'

/** The main thread's calls to the spool thread. */
export interface SpoolCalls {
  /** Resolves when the body is durable. Rejects with `RetryLater` for a full share, with `StorageError` for a full or failing spool. */
  append: (body: SpoolBody) => void
  /** Waiting bytes, of one source or of all. */
  bytes: (sourceId?: string) => number
  /** The same for each source. */
  bytesBySource: () => Readonly<Record<string, number>>
  /** Why nothing can be appended or read, while that is so. */
  trouble: () => string | undefined
  /** Where the sources end now. */
  ends: () => SpoolEnds
  /** Whether any body up to these ends waits. */
  waits: (ends: SpoolEnds) => boolean
  /** Removes what was freed from the disks; a sentence about what has to stay on them for a while. Senders may wait meanwhile. */
  scrub: () => string | undefined
  /** Committed bodies stay in the spool until `freeBodies`. */
  keepBodies: () => void
  freeBodies: () => void
  close: () => void
}

/** The pipeline's calls to the spool thread. */
export interface SpoolReads {
  /** The next bodies after a place; `undefined` if there are none. */
  next: (ask: { sourceId: string; after: SpoolPlace | undefined }) => NextBodies | undefined
  read: (ask: { sourceId: string; range: SpoolRange }) => SpooledBodies
  free: (ask: { sourceId: string; upTo: SpoolPlace }) => void
}

export interface NextBodies {
  readonly range: SpoolRange
  /** Absent: they could not be read with it, and `read` will say why. */
  readonly bodies: SpooledBodies | undefined
}

/** The spool thread's messages to the pipeline. */
export interface SpoolNews {
  /** The source has new bodies. */
  spooled: (sourceId: string) => void
}

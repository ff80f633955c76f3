import type { SpoolBody, SpooledRow } from '../model/spool.ts'

/** The main thread's calls to the spool thread. */
export interface SpoolCalls {
  /** Resolves when the body is on disk. Rejects with `RetryLater` for a full share, with `StorageError` for a full spool or disk. */
  append: (body: SpoolBody) => void
  /** Waiting bytes, of one source or of all. */
  bytes: (sourceId?: string) => number
  forget: (sourceId: string) => void
  /** Committed bodies stay in the spool until `freeBodies`. */
  keepBodies: () => void
  freeBodies: () => void
  close: () => void
}

/** The pipeline's calls to the spool thread. */
export interface SpoolReads {
  /** Changes if the spool is recreated. */
  epoch: () => string
  /** The next bodies after `afterId`; `undefined` if there are none. */
  next: (range: { sourceId: string; afterId: number }) => { from: number; to: number; receivedMs: number } | undefined
  read: (range: { sourceId: string; from: number; to: number }) => readonly SpooledRow[]
  free: (range: { sourceId: string; upToId: number }) => void
}

/** The spool thread's messages to the pipeline. */
export interface SpoolNews {
  /** The source has new bodies. */
  spooled: (sourceId: string) => void
}

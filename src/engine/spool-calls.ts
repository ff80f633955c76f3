import type { SpoolBody, SpooledRow } from '../model/spool.ts'

/** What the main thread asks of the spool's. */
export interface SpoolCalls {
  /** Resolves when the body is on disk. Rejects with `RetryLater` for a full share, with `StorageError` for a full spool or disk. */
  append: (body: SpoolBody) => void
  /** Bytes that wait, of one source or of all. */
  bytes: (sourceId?: string) => number
  forget: (sourceId: string) => void
  close: () => void
}

/** What the pipeline asks of the spool's thread. */
export interface SpoolReads {
  /** Changes when the spool is recreated. */
  epoch: () => string
  /** The next bodies after `afterId`; `undefined`: there are none. */
  next: (range: { sourceId: string; afterId: number }) => { from: number; to: number; receivedMs: number } | undefined
  read: (range: { sourceId: string; from: number; to: number }) => readonly SpooledRow[]
  free: (range: { sourceId: string; upToId: number }) => void
}

/** What the spool's thread tells the pipeline. */
export interface SpoolNews {
  /** The source has new bodies. */
  spooled: (sourceId: string) => void
}

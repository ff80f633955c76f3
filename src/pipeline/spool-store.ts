import type { SpoolBody, SpoolEnds, SpooledBodies, SpoolPlace, SpoolRange } from '../model/spool.ts'

/**
 * The durable queue for what cannot be read again. Several processes may append to the same one; one of them reads. What waits is known
 * only from the store itself and from the cursors in state, so that another process can go on reading.
 */
export interface SpoolStore {
  /**
   * Whatever must be known before `bytes` is right for the source. Rejects with `StorageError` if that cannot be found out.
   */
  open(sourceId: string): Promise<void>
  /**
   * Resolves once the body is durable. Rejects with `StorageError`, in bounded time, if that is not certain; it may be stored nevertheless.
   */
  append(body: SpoolBody): Promise<void>
  /**
   * The next bodies after a place, as many as fit in a batch but at least one; `undefined` if there are none. Answers promptly. Without a
   * place it begins with the oldest.
   */
  next(sourceId: string, after: SpoolPlace | undefined): Promise<SpoolRange | undefined>
  /** The bodies of a range that `next` returned, now or before a crash. Rejects with `RetryLater` if they cannot be read now. */
  read(sourceId: string, range: SpoolRange): Promise<SpooledBodies>
  /** Everything up to this place is committed and will not be read again. Never rejects. */
  free(sourceId: string, upTo: SpoolPlace): void
  /** Waiting bytes, of one source or of all, as far as this process knows. */
  bytes(sourceId?: string): number
  /** The same for each source that this process knows. */
  bytesBySource(): Readonly<Record<string, number>>
  /** Where the sources end now. */
  ends(): Promise<SpoolEnds>
  /** Whether any body up to these ends waits. */
  waits(ends: SpoolEnds): Promise<boolean>
  /** Removes what was freed from the disks, as far as the store can do so; a sentence about what it cannot. */
  scrub(): Promise<string | undefined>
  /** Between these calls, nothing is freed. */
  keep(): void
  release(): void
  /** Why nothing can be appended or read, while that is so. */
  trouble(): string | undefined
  close(): Promise<void>
}

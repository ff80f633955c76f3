import type { StoredObject } from './store.ts'

/** An object to read. */
export interface FoundObject {
  readonly id: string
  readonly object: StoredObject
  /** The configured prefix that it is under. */
  readonly prefix: string
}

/** Finds the objects to read: by listing a bucket, or from notifications. One call of `next` at a time. */
export interface Finder {
  /** The next object; resolves when there is one. Rejects only once `signal` is aborted. */
  next(signal: AbortSignal): Promise<FoundObject>
  /** The object's effects are durable, or it turned out not to exist. */
  done(id: string): void
  /** Bytes of the objects that are known and were not returned yet. */
  readonly waitingBytes: number
  readonly notices: readonly string[]
  /** Why nothing is found. */
  readonly problem: string | undefined
  close(): void
}

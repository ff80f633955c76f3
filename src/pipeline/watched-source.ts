import type { BatchSource } from '../stages/source/source.ts'

/** A source, with the duration of the call in progress. */
export interface WatchedSource extends BatchSource {
  /** Milliseconds; 0 without a call in progress. */
  waitingMs(): number
}

/** Measures how long a source takes to answer `next` and `read`; `now` is monotonic, milliseconds. */
export function watchedSource(source: BatchSource, now: () => number): WatchedSource {
  let sinceMs: number | undefined
  async function timed<T>(call: () => Promise<T>): Promise<T> {
    sinceMs = now()
    try {
      return await call()
    } finally {
      sinceMs = undefined
    }
  }
  return {
    id: source.id,
    ...(source.isIndependent && { isIndependent: true }),
    next: () => timed(() => source.next()),
    read: (extent) => timed(() => source.read(extent)),
    receivedMs: (extent) => source.receivedMs(extent),
    parsed: (extent, context) => source.parsed(extent, context),
    committed: (extent) => source.committed(extent),
    status: () => source.status(),
    close: () => source.close(),
    waitingMs: () => (sinceMs === undefined ? 0 : now() - sinceMs),
  }
}

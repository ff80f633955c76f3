/** A signal in the role of a member, under one join key. Plain JSON, stored in state. */
export interface Hit {
  /** Index of the member. */
  readonly member: number
  readonly timeMs: number
  readonly rowId: string
  /** When it arrived; the same as `timeMs` if arrival does not matter. */
  readonly seenMs: number
}

/**
 * Chronological order. Simultaneous hits are ordered like the members, so that logs with a resolution of one second do not hide a
 * sequence.
 */
export function compareHits(a: Hit, b: Hit): number {
  return a.timeMs - b.timeMs || a.member - b.member || (a.rowId < b.rowId ? -1 : a.rowId > b.rowId ? 1 : 0)
}

/** The number of hits (ordered by time) between two times, both inclusive or both exclusive. */
export function countBetween(hits: readonly Hit[], fromMs: number, toMs: number, isOpen = false): number {
  const start = isOpen ? firstFrom(hits, fromMs + 1) : firstFrom(hits, fromMs)
  const end = isOpen ? firstFrom(hits, toMs) : firstFrom(hits, toMs + 1)
  return Math.max(0, end - start)
}

/** Index of the first hit at or after a time. */
export function firstFrom(hits: readonly Hit[], timeMs: number): number {
  let low = 0
  let high = hits.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (hits[middle]!.timeMs < timeMs) low = middle + 1
    else high = middle
  }
  return low
}

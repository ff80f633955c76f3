/** A signal in the role of a member, under one join key. Plain JSON: kept in state. */
export interface Hit {
  /** Index of the member. */
  readonly member: number
  readonly timeMs: number
  readonly rowId: string
  /** When it arrived; the same as `timeMs` where arrival does not matter. */
  readonly seenMs: number
}

/**
 * The order in which things happened. What happened at the same time is ordered as the members are, so that logs that count
 * in whole seconds do not hide a sequence.
 */
export function compareHits(a: Hit, b: Hit): number {
  return a.timeMs - b.timeMs || a.member - b.member || (a.rowId < b.rowId ? -1 : a.rowId > b.rowId ? 1 : 0)
}

/** How many of the hits (in order of time) lie between two times, both included or both excluded. */
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

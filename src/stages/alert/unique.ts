import { type AlertWindow, MAX_UNIQUE, type UniqueCount } from '../../model/alert.ts'
import type { Match } from '../../model/match.ts'
import { sha256 } from '../../util/hash.ts'
import { lowerBound } from '../../util/lower-bound.ts'

const HASH_DIGITS = 12
const HASH_RANGE = 16 ** HASH_DIGITS

/** Once a rule has this many windows, each further one stores at most `FEW_VALUES`. */
export const FEW_WINDOWS = 100
/** Enough for an estimate within six per cent. */
export const FEW_VALUES = 256

/**
 * Counts a match's unique value in a window that is not an alert yet. The window's event count already includes the match. `crowd`: the
 * number of the rule's windows, used to limit the values that they store in total.
 */
export function countUnique(window: AlertWindow, { unique }: Match, crowd = 0): void {
  if (window.opened) return
  const { body } = window
  if (unique === undefined) {
    if (body.unique) body.unique.plain++
    return
  }
  // Matches before the first value counted as one each.
  body.unique ??= {
    values: [],
    plain: window.eventCount - 1,
    estimated: false,
    ...(crowd > FEW_WINDOWS && { most: FEW_VALUES }),
  }
  if (unique !== null) add(body.unique, sha256(Buffer.from(unique)).slice(0, HASH_DIGITS))
}

/** The number to compare with the threshold: distinct values if the rule returns any, otherwise matches. */
export function countOf({ body: { unique }, eventCount }: AlertWindow): number {
  if (!unique) return eventCount
  const { values, plain, estimated } = unique
  if (!estimated) return values.length + plain
  // Hashes are evenly distributed, so the largest of the k smallest shows how many there are (k-minimum-values sketch, Bar-Yossef et al.
  // 2002; the error is about one over the root of k).
  const largest = Number.parseInt(values.at(-1)!, 16)
  return Math.round(((values.length - 1) * HASH_RANGE) / Math.max(1, largest)) + plain
}

/** Drops the values, which are no longer needed. The alert still records whether their number was an estimate. */
export function forgetUnique({ body }: AlertWindow): void {
  if (body.unique?.estimated) body.unique.values = []
  else delete body.unique
}

/** Keeps the hashes sorted, so that a value is found by binary search, and the largest is last. */
function add(count: UniqueCount, hash: string): void {
  const { values, most = MAX_UNIQUE } = count
  const from = lowerBound(values, hash)
  if (values[from] === hash) return
  if (values.length >= most) {
    count.estimated = true
    if (from === values.length) return
    values.pop()
  }
  values.splice(from, 0, hash)
}

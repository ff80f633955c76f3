import { messageOf, StorageError } from '../util/errors.ts'

const PAUSE_MS = 500
/** Failed attempts before an error other than the disk's counts as lasting. */
const MAX_ATTEMPTS = 3

/** How long something that fails is retried, and how it is reported. */
export interface Retrying {
  /** What is wrong while it fails, for display; `undefined` once it works again. */
  readonly onTrouble: (message: string | undefined) => void
  readonly isStopping: () => boolean
  /** Pause between two attempts in milliseconds; default 500. */
  readonly pauseMs?: number
}

/**
 * Does something as a whole, or in parts. Disk failures are retried without limit. After three attempts that failed for any other reason
 * `apart` does the work in parts, so that only the part at fault is lost. Rejects with the last error as soon as the program stops, and
 * with any error of `apart`.
 */
export async function wholeOrApart<T>(
  what: string,
  whole: () => Promise<T>,
  apart: (error: unknown) => Promise<T>,
  retrying: Retrying,
): Promise<T> {
  try {
    return await retry(what, whole, retrying)
  } catch (error) {
    if (retrying.isStopping() || error instanceof StorageError) throw error
    return retry(what, () => apart(error), retrying)
  }
}

/** Retries until it works; gives up at the third failure that is not the disk's. Rejects with the last error, also when stopping. */
export async function retry<T>(what: string, attempt: () => Promise<T>, retrying: Retrying): Promise<T> {
  const { onTrouble, isStopping, pauseMs = PAUSE_MS } = retrying
  let hasFailed = false
  let faults = 0
  for (;;) {
    try {
      const value = await attempt()
      if (hasFailed) onTrouble(undefined)
      return value
    } catch (error) {
      hasFailed = true
      const isDisk = error instanceof StorageError
      const until = isDisk ? '; everything waits until it succeeds' : ' and will be retried'
      onTrouble(`${what}${until}: ${messageOf(error)}`)
      if (isStopping()) throw error
      // A disk failure says nothing about the work itself.
      if (!isDisk && ++faults >= MAX_ATTEMPTS) {
        onTrouble(undefined)
        throw error
      }
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
  }
}

export interface Isolated<T> {
  readonly fine: readonly T[]
  readonly atFault: readonly { readonly item: T; readonly error: unknown }[]
}

/**
 * Finds the items that each make `attempt` reject, by halving, and keeps the order. After `budget` attempts all untested items count as at
 * fault, which limits the cost if everything fails. Rejects only for disk failures, which are not an item's fault.
 */
export async function isolate<T>(
  items: readonly T[],
  attempt: (items: readonly T[]) => Promise<unknown>,
  budget: number,
): Promise<Isolated<T>> {
  const fine: T[] = []
  const atFault: { item: T; error: unknown }[] = []
  let left = budget
  let last: unknown
  const visit = async (part: readonly T[]): Promise<void> => {
    if (part.length === 0) return
    if (left > 0) {
      left--
      last = await failureOf(() => attempt(part))
      if (last === undefined) {
        for (const item of part) fine.push(item)
        return
      }
    }
    if (part.length === 1 || left === 0) for (const item of part) atFault.push({ item, error: last })
    else {
      const middle = part.length >> 1
      await visit(part.slice(0, middle))
      await visit(part.slice(middle))
    }
  }
  await visit(items)
  return { fine, atFault }
}

/** The call's error, or `undefined`. Rejects for disk failures. */
export async function failureOf(call: () => Promise<unknown>): Promise<unknown> {
  try {
    await call()
    return undefined
  } catch (error) {
    if (error instanceof StorageError) throw error
    return error ?? new Error('unknown')
  }
}

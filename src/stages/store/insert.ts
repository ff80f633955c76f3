import type { RejectedRow } from './lake.ts'

/** Stores rows `from` to `to` (exclusive) under a token, all or nothing. Gives what the engine complains of when the rows are at fault. */
export type Attempt = (from: number, to: number, token: string) => Promise<string | undefined>

/** Rows `from` to `to` (exclusive) of an insert. */
export type Range = readonly [from: number, to: number]

/**
 * Inserts rows so that each good one is stored exactly once, also when the same call is made again after a crash.
 *
 * Every statement's token names the range of rows it carries, so one token always means the same rows. The ranges follow
 * from those given and the engine's verdicts on them alone: a second run makes the same ones again, and the engine drops
 * those it has. A refused range is cut in the middle.
 */
export async function insertRows(attempt: Attempt, ranges: readonly Range[], token: string): Promise<RejectedRow[]> {
  const rejected: RejectedRow[] = []
  const todo = ranges.toReversed()
  while (todo.length > 0) {
    const [from, to] = todo.pop()!
    const message = await attempt(from, to, `${token}#${from}-${to}`)
    if (message === undefined) continue
    const middle = from + Math.ceil((to - from) / 2)
    if (to - from === 1) rejected.push({ index: from, message })
    else todo.push([middle, to], [from, middle])
  }
  return rejected
}

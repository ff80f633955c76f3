import type { RejectedRow } from './lake.ts'

/** Stores rows `from` to `to` (exclusive) under a token, all or nothing. Returns the engine's message if the rows are at fault. */
export type Attempt = (from: number, to: number, token: string) => Promise<string | undefined>

/** Rows `from` to `to` (exclusive) of an insert. */
export type Range = readonly [from: number, to: number]

/**
 * Inserts rows so that each good one is stored exactly once, even if the same call is repeated after a crash.
 *
 * Every statement's token contains its range of rows, so a token always stands for the same rows. The ranges depend only on the given
 * ones and the engine's verdicts on them: a second run produces the same ones again, and the engine ignores those that it has. A refused
 * range is cut in half.
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

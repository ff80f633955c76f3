export interface Sifted<T> {
  readonly good: readonly T[]
  readonly bad: readonly { readonly item: T; readonly error: unknown }[]
}

/**
 * Finds the items that each make `attempt` fail, by halving: `attempt` resolves with `undefined` when the items are fine
 * together, or with what is wrong with them. The order is kept. After `budget` attempts whatever has not been tried counts as bad, so
 * that a fault of everything costs a bounded number of attempts. Rejects when `attempt` does.
 */
export async function sift<T>(
  items: readonly T[],
  attempt: (items: readonly T[]) => Promise<unknown>,
  budget: number,
): Promise<Sifted<T>> {
  const good: T[] = []
  const bad: { item: T; error: unknown }[] = []
  let left = budget
  let last: unknown
  const visit = async (part: readonly T[]): Promise<void> => {
    if (part.length === 0) return
    if (left > 0) {
      left--
      last = await attempt(part)
      if (last === undefined) {
        for (const item of part) good.push(item)
        return
      }
    }
    if (part.length === 1 || left === 0) for (const item of part) bad.push({ item, error: last })
    else {
      const middle = part.length >> 1
      await visit(part.slice(0, middle))
      await visit(part.slice(middle))
    }
  }
  await visit(items)
  return { good, bad }
}

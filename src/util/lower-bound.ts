/** How many members of an ascending list are below a limit: where the limit stands, or would be put. */
export function lowerBound<T extends number | string>(list: readonly T[], limit: T): number {
  let low = 0
  let high = list.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (list[middle]! < limit) low = middle + 1
    else high = middle
  }
  return low
}

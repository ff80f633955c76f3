/** The number of members of an ascending list that are below a limit, which is also where the limit would be inserted. */
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

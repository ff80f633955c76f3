/**
 * True if one time is before another, both RFC 3339 in UTC. Comparing the text is not enough: `00Z` would sort after `00.5Z`.
 */
export function isBefore(a: string, b: string): boolean {
  return a.length === b.length ? a < b : a.slice(0, -1) < b.slice(0, -1)
}

/**
 * True when one time lies before another, both RFC 3339 in UTC: a longer fraction is the later one when all before it is equal, and
 * `00Z` sorts behind `00.5Z` as text.
 */
export function isBefore(a: string, b: string): boolean {
  return a.length === b.length ? a < b : a.slice(0, -1) < b.slice(0, -1)
}

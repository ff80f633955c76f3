/** JSON of anything that content holds, whose documents have integers of any size: equal texts for equal things. */
export function exactText(part: unknown): string {
  return JSON.stringify(part, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value))
}

/** JSON text of a value from content, which may contain integers of any size. Equal values have equal texts. */
export function exactText(part: unknown): string {
  return JSON.stringify(part, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value))
}

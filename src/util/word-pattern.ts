/** Finds a value as a word of its own, in any case: `ana` in `user=ana`, but not in `banana`. */
export interface WordPattern {
  /** The spellings of it: as it is, as in JSON, and as in JSON that is a text in JSON. */
  readonly spellings: readonly string[]
  test(text: string): boolean
  replace(text: string, by: string): string
  /** The same for RE2, which has no look-behind: what is around the value is part of its match. */
  readonly re2: string
}

const SPECIAL = /[\\^$.*+?()[\]{}|/-]/g
/** In JSON text, the letter of an escape is before the value and no part of it, as in `\nana`. */
const BEFORE = String.raw`^|[^0-9A-Za-z_]|\\[bfnrt]|\\u[0-9A-Fa-f]{4}`
const AFTER = '[^0-9A-Za-z_]|$'

export function wordPattern(value: string): WordPattern {
  const json = JSON.stringify(value).slice(1, -1)
  // An escape of a capital letter is another one, so neither engine's disregard of case finds it.
  const escaped = [json, json.toLowerCase(), json.toUpperCase()].map(asciiJson)
  const nested = JSON.stringify(json).slice(1, -1)
  const spellings = [...new Set([value, json, nested, json.replaceAll('/', String.raw`\/`), ...(isAscii(value) ? [] : escaped)])]
  const any = spellings.map((one) => one.replaceAll(SPECIAL, String.raw`\$&`)).join('|')
  const pattern = new RegExp(`(?<=${BEFORE})(?:${any})(?=${AFTER})`, 'gi')
  return {
    spellings,
    test: (text) => text.search(pattern) >= 0,
    replace: (text, by) => text.replaceAll(pattern, () => by),
    re2: `(?is)(?:${BEFORE})(?:${any})(?:${AFTER})`,
  }
}

function isAscii(text: string): boolean {
  return !/[\u0080-\uffff]/.test(text)
}

/** JSON as many programs write it: other letters are escapes. */
function asciiJson(json: string): string {
  return json.replaceAll(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** Whether a whole text fits one of the patterns, in which `*` stands for any text, also none; upper and lower case differ. */
export function patternTest(patterns: readonly string[]): (text: string) => boolean {
  const exact = new Set(patterns.filter((pattern) => !pattern.includes('*')))
  const others = patterns.filter((pattern) => pattern.includes('*')).map(onePattern)
  return (text) => exact.has(text) || others.some((fits) => fits(text))
}

/**
 * A pattern with a `*`. Each part between two of them is taken where it comes first, and never looked for again: if the rest
 * fits after a later place, it fits after the first one too.
 */
function onePattern(pattern: string): (text: string) => boolean {
  const parts = pattern.split('*')
  const first = parts[0]!
  const last = parts.at(-1)!
  const between = parts.slice(1, -1).filter((part) => part !== '')
  return (text) => {
    // What begins the text and what ends it must not be the same characters.
    if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false
    const middle = text.slice(first.length, text.length - last.length)
    let from = 0
    for (const part of between) {
      const at = middle.indexOf(part, from)
      if (at < 0) return false
      from = at + part.length
    }
    return true
  }
}

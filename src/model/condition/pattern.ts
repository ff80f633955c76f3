/** Whether a whole text matches one of the patterns, in which `*` stands for any text, including none; case matters. */
export function patternTest(patterns: readonly string[]): (text: string) => boolean {
  const exact = new Set(patterns.filter((pattern) => !pattern.includes('*')))
  const others = patterns.filter((pattern) => pattern.includes('*')).map(onePattern)
  return (text) => exact.has(text) || others.some((fits) => fits(text))
}

/**
 * A pattern with a `*`. Each part between two stars is matched at its first occurrence, without backtracking: if the rest matches
 * after a later occurrence, it also matches after the first.
 */
function onePattern(pattern: string): (text: string) => boolean {
  const parts = pattern.split('*')
  const first = parts[0]!
  const last = parts.at(-1)!
  const between = parts.slice(1, -1).filter((part) => part !== '')
  return (text) => {
    // The beginning and the end must not overlap.
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

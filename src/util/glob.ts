/**
 * Judges whether a text is the pattern's, in any case: `*` stands for any text, `\` makes the next character plain. Each part is searched
 * for once, from where the last one ended, so no pattern can make it backtrack.
 */
export function glob(pattern: string): (text: string) => boolean {
  const parts = partsOf(pattern.toLowerCase())
  const first = parts[0]!
  const last = parts.at(-1)!
  if (parts.length === 1) return (text) => text.toLowerCase() === first
  return (text) => {
    const lower = text.toLowerCase()
    if (!lower.startsWith(first) || lower.length < first.length + last.length || !lower.endsWith(last)) return false
    const end = lower.length - last.length
    let at = first.length
    for (const part of parts.slice(1, -1)) {
      const found = lower.indexOf(part, at)
      if (found === -1 || found + part.length > end) return false
      at = found + part.length
    }
    return true
  }
}

/**
 * Judges whether everything is seen that is about these log types (names), by who may see log types that fit a pattern. What is about no
 * log type is not seen.
 */
export function sees(patterns: readonly string[]): (logTypes: readonly string[]) => boolean {
  const globs = patterns.map(glob)
  return (logTypes) => logTypes.length > 0 && logTypes.every((logType) => globs.some((fits) => fits(logType)))
}

/** The plain texts around the stars. */
function partsOf(pattern: string): string[] {
  const parts = ['']
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i]!
    if (char === '*') parts.push('')
    else {
      const isEscape = char === '\\' && i + 1 < pattern.length
      parts[parts.length - 1] += isEscape ? pattern[++i]! : char
    }
  }
  return parts
}

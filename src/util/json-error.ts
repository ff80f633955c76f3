const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const WORD = /true|false|null/y
const SPACE = /[ \t\n\r]*/y

/**
 * Where a text stops being valid JSON, for a message that does not depend on the engine's wording. Only called for texts that
 * `JSON.parse` refused and whose nesting is limited.
 */
export function jsonErrorAt(text: string): number {
  const end = value(text, skip(text, 0))
  return end < 0 ? ~end : skip(text, end)
}

// Each reader returns the index after what it read, or the bitwise complement of the index where it failed.

function value(text: string, at: number): number {
  const c = text[at]
  if (c === '{' || c === '[') return container(text, at, c === '{')
  if (c === '"') return string(text, at)
  for (const token of [NUMBER, WORD]) {
    token.lastIndex = at
    if (token.test(text)) return token.lastIndex
  }
  return ~at
}

function container(text: string, open: number, isObject: boolean): number {
  const closer = isObject ? '}' : ']'
  let at = skip(text, open + 1)
  if (text[at] === closer) return at + 1
  for (;;) {
    if (isObject) {
      if (text[at] !== '"') return ~at
      const key = value(text, at)
      if (key < 0) return key
      at = skip(text, key)
      if (text[at] !== ':') return ~at
      at = skip(text, at + 1)
    }
    const end = value(text, at)
    if (end < 0) return end
    at = skip(text, end)
    if (text[at] === closer) return at + 1
    if (text[at] !== ',') return ~at
    at = skip(text, at + 1)
  }
}

function string(text: string, open: number): number {
  for (let at = open + 1; at < text.length; at++) {
    const c = text[at]!
    if (c === '"') return at + 1
    if (c < ' ') return ~at
    if (c === '\\') {
      if (!/^\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/.test(text.slice(at, at + 6))) return ~at
      at++
    }
  }
  return ~text.length
}

function skip(text: string, at: number): number {
  SPACE.lastIndex = at
  SPACE.test(text)
  return SPACE.lastIndex
}

/** A token of Python's text; the text of a string is its content. */
export interface PythonToken {
  readonly kind: 'name' | 'string' | 'mark'
  readonly text: string
}

/**
 * The names, string literals and punctuation of Python's text, in order and in linear time. Comments are left out. A string whose content
 * is not literally in the text (escapes, f-strings, bytes) is a mark.
 */
export function pythonTokens(code: string): PythonToken[] {
  const tokens: PythonToken[] = []
  let at = 0
  while (at < code.length) {
    const c = code[at]!
    if (c === '#') at = endOfLine(code, at)
    else if (c === '"' || c === "'") at = string(code, at, '', tokens)
    else if (isWordChar(c)) {
      const start = at
      while (at < code.length && isWordChar(code[at]!)) at++
      const word = code.slice(start, at)
      const quote = code[at]
      if ((quote === '"' || quote === "'") && isPrefix(word)) at = string(code, at, word.toLowerCase(), tokens)
      else tokens.push({ kind: 'name', text: word })
    } else {
      if (c > ' ' && c !== '\\') tokens.push({ kind: 'mark', text: c })
      at++
    }
  }
  return tokens
}

/** Adds the string that begins at a quote, and returns where it ends. */
function string(code: string, at: number, prefix: string, tokens: PythonToken[]): number {
  const quote = code[at]!
  const isTriple = code.startsWith(quote.repeat(3), at)
  const mark = isTriple ? quote.repeat(3) : quote
  let end = at + mark.length
  let isLiteral = !isTriple && (prefix === '' || prefix === 'u' || prefix === 'r')
  while (end < code.length && !code.startsWith(mark, end)) {
    if (code[end] === '\n' && !isTriple) break
    if (code[end] === '\\') {
      isLiteral = false
      end++
    }
    end++
  }
  const text = code.slice(at + mark.length, end)
  tokens.push(isLiteral ? { kind: 'string', text } : { kind: 'mark', text: mark })
  return end + mark.length
}

function isPrefix(word: string): boolean {
  return /^[rbfutRBFUT]{1,2}$/.test(word)
}

function isWordChar(c: string): boolean {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c === '_' || c > '\u007f'
}

function endOfLine(code: string, at: number): number {
  const end = code.indexOf('\n', at)
  return end === -1 ? code.length : end
}

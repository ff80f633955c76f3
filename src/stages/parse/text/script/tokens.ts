/** A mistake in a script: where it is, and what is wrong. */
export class ScriptMistake extends Error {
  readonly line: number

  constructor(line: number, message: string) {
    super(message)
    this.line = line
  }
}

export interface Token {
  readonly kind: 'name' | 'number' | 'text' | 'symbol' | 'newline' | 'indent' | 'dedent' | 'end'
  /** The token as written; of a text, its value. */
  readonly text: string
  readonly line: number
}

const SYMBOLS = ['//=', '**', '==', '!=', '<=', '>=', '+=', '-=', '*=', '/=', '%=', '//', ...'()[]{}:,.=<>+-*/%|;']

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  '0': '\0',
  '\\': '\\',
  "'": "'",
  '"': '"',
  '\n': '',
}

/** The tokens of a script. Throws `ScriptMistake`. */
export function tokensOf(source: string): Token[] {
  const tokens: Token[] = []
  const indents = [0]
  let line = 1
  let depth = 0
  let at = 0
  const add = (kind: Token['kind'], text: string) => tokens.push({ kind, text, line })

  const readText = (isRaw: boolean): void => {
    const quote = source[at]!
    const end = source.startsWith(quote.repeat(3), at) ? quote.repeat(3) : quote
    const start = line
    at += end.length
    let value = ''
    while (!source.startsWith(end, at)) {
      const c = source[at]
      if (c === undefined || (c === '\n' && end.length === 1)) throw new ScriptMistake(start, 'the text is not closed')
      if (c === '\n') line++
      if (c === '\\' && !isRaw) {
        const letter = source[at + 1] ?? ''
        const digits = /^(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4})/.exec(source.slice(at + 1, at + 6))?.[0]
        value += digits ? String.fromCharCode(Number.parseInt(digits.slice(1), 16)) : (ESCAPES[letter] ?? `\\${letter}`)
        at += 1 + (digits?.length ?? 1)
      } else {
        value += c
        at++
      }
    }
    at += end.length
    tokens.push({ kind: 'text', text: value, line: start })
  }

  const readIndent = (): void => {
    const width = /^[ \t]*/.exec(source.slice(at, at + 1000))![0]
    at += width.length
    const next = source[at]
    if (next === undefined || next === '\n' || next === '#' || next === '\r') return
    if (width.includes('\t')) throw new ScriptMistake(line, 'indent with blanks, not with tabs')
    if (width.length > indents.at(-1)!) {
      indents.push(width.length)
      add('indent', '')
    }
    while (width.length < indents.at(-1)!) {
      indents.pop()
      add('dedent', '')
    }
    if (width.length !== indents.at(-1)) throw new ScriptMistake(line, 'the indentation matches no line before')
  }

  readIndent()
  while (at < source.length) {
    const c = source[at]!
    if (c === '\n') {
      if (depth === 0 && tokens.length > 0 && !['newline', 'indent', 'dedent'].includes(tokens.at(-1)!.kind)) add('newline', '')
      at++
      line++
      if (depth === 0) readIndent()
    } else if (c === '#') {
      const end = source.indexOf('\n', at)
      at = end < 0 ? source.length : end
    } else if (c === ' ' || c === '\t' || c === '\r') at++
    else if (c === '\\' && source[at + 1] === '\n') {
      at += 2
      line++
    } else if (c === '"' || c === "'") readText(false)
    else if (c === 'r' && (source[at + 1] === '"' || source[at + 1] === "'")) {
      at++
      readText(true)
    } else {
      const word = /^(?:[A-Za-z_]\w*|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)/.exec(source.slice(at, at + 200))?.[0]
      const symbol = word ?? SYMBOLS.find((one) => source.startsWith(one, at))
      if (symbol === undefined) throw new ScriptMistake(line, `unexpected character ${JSON.stringify(c)}`)
      if (word === undefined) depth += '([{'.includes(symbol) ? 1 : ')]}'.includes(symbol) ? -1 : 0
      add(word === undefined ? 'symbol' : /^\d/.test(word) ? 'number' : 'name', symbol)
      at += symbol.length
    }
  }
  if (tokens.length > 0 && tokens.at(-1)!.kind !== 'newline') add('newline', '')
  while (indents.pop()! > 0) add('dedent', '')
  add('end', '')
  return tokens
}

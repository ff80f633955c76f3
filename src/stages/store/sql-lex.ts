import { Refused } from '../../util/errors.ts'

/** `word`: a bare name, keyword or number; `quoted`: a name in quotes; `text`: a string; `mark`: one other character. */
export interface Token {
  readonly kind: 'word' | 'quoted' | 'text' | 'mark'
  /** As written. */
  readonly raw: string
  /** A quoted name without its quotes; otherwise as written. */
  readonly value: string
  /** White space or a comment precedes it. */
  readonly spaced: boolean
  /** Where it begins in the text that was read; a token made otherwise has no such place. */
  readonly at?: number
}

/** Longer SQL is refused, as it is by the engine's own limit (`max_query_size`). */
const MAX_SQL_CHARS = 256 * 1024

const SPACE = /[ \t\r\n\f\v]/
const WORD = /[A-Za-z0-9_]/
/** Without `@`, because `@@name` reads a server variable. */
const MARKS = '()[]{},.;:=<>!+-*/%?|^~'

/**
 * SQL → tokens, without white space and comments. Stricter than the engine: anything that the two might read differently (heredocs, curly
 * quotes, escapes in names, the rarer comments) is refused. Throws `Refused`.
 */
export function lex(sql: string): Token[] {
  if (sql.length > MAX_SQL_CHARS) throw new Refused(`the query has ${sql.length} characters; at most ${MAX_SQL_CHARS} are taken`)
  const tokens: Token[] = []
  let at = 0
  let spaced = false
  while (at < sql.length) {
    const next = skipBlank(sql, at)
    if (next > at) {
      at = next
      spaced = true
      continue
    }
    const token = readToken(sql, at, spaced)
    tokens.push({ ...token, at })
    at += token.raw.length
    spaced = false
  }
  return tokens
}

/** Tokens as SQL text again, without comments. */
export function unlex(tokens: readonly Token[]): string {
  return tokens.map((token) => (token.spaced ? ` ${token.raw}` : token.raw)).join('')
}

/** Counted from 1, as parsers do. */
export interface Place {
  readonly line: number
  readonly column: number
}

/** Where the text `sql` has what is at a place of `unlex(tokens)`: the place of the token there, or of the last one before it. */
export function placeIn(sql: string, tokens: readonly Token[], { line, column }: Place): Place {
  let [onLine, onColumn, found] = [1, 1, 0]
  for (const { raw, spaced, at } of tokens) {
    if (spaced) onColumn++
    if (onLine > line || (onLine === line && onColumn > column)) break
    if (at !== undefined) found = at
    const lines = raw.split('\n')
    onLine += lines.length - 1
    onColumn = lines.length > 1 ? lines.at(-1)!.length + 1 : onColumn + raw.length
  }
  const before = sql.slice(0, found).split('\n')
  return { line: before.length, column: before.at(-1)!.length + 1 }
}

function readToken(sql: string, at: number, spaced: boolean): Token {
  const first = sql[at]!
  if (first === "'") return { kind: 'text', spaced, ...quoted(sql, at, first) }
  if (first === '`' || first === '"') return { kind: 'quoted', spaced, ...quoted(sql, at, first) }
  if (WORD.test(first)) {
    let end = at + 1
    while (end < sql.length && WORD.test(sql[end]!)) end++
    const raw = sql.slice(at, end)
    return { kind: 'word', spaced, raw, value: raw }
  }
  // `//` begins a comment in the engine, but in few other dialects.
  if (MARKS.includes(first) && !sql.startsWith('//', at)) return { kind: 'mark', spaced, raw: first, value: first }
  const shown = JSON.stringify(String.fromCodePoint(sql.codePointAt(at)!))
  throw new Refused(`unexpected ${shown} at character ${at + 1} of the query: outside quotes only plain SQL characters are taken`)
}

/** The end of white space or a comment that begins at `at`; `at` itself if there is none. */
function skipBlank(sql: string, at: number): number {
  if (SPACE.test(sql[at]!)) return at + 1
  if (sql.startsWith('--', at)) {
    const end = sql.indexOf('\n', at)
    return end < 0 ? sql.length : end + 1
  }
  if (!sql.startsWith('/*', at)) return at
  const end = sql.indexOf('*/', at + 2)
  if (end < 0) throw new Refused(`the comment at character ${at + 1} of the query has no end: add */`)
  if (sql.slice(at + 2, end).includes('/*'))
    throw new Refused(`there is a comment within the comment at character ${at + 1} of the query`)
  return end + 2
}

/** A string or name up to its closing quote. In strings a backslash escapes; a doubled quote is one quote. */
function quoted(sql: string, at: number, quote: string): { raw: string; value: string } {
  let value = ''
  for (let i = at + 1; i < sql.length; i++) {
    const c = sql[i]!
    if (c === '\\') {
      if (quote !== "'")
        throw new Refused(`the quoted name at character ${at + 1} of the query has a backslash: such names are not taken`)
      i++
    } else if (c !== quote) value += c
    else if (sql[i + 1] === quote) value += sql[i++]!
    else return { raw: sql.slice(at, i + 1), value }
  }
  throw new Refused(`the quote ${quote} at character ${at + 1} of the query has no end`)
}

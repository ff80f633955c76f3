import { lex, type Place, placeIn, type Token, unlex } from '../sql-lex.ts'

/** Words that end a list, so that a comma before them is superfluous; Snowflake accepts it. */
const CLAUSES = new Set(['where', 'group', 'order', 'having', 'qualify', 'limit'])

const MACRO = /^p_occurs_\w+$/i

export interface Prepared {
  readonly sql: string
  /** Where the text that was prepared has what is at this place of `sql`. */
  placeOf(place: Place): Place
}

/** No query written by hand has more tokens, and a larger syntax tree takes long to walk. */
const MAX_TOKENS = 20_000

/**
 * The query without comments, with its Panther macros as calls that a parser can read: `p_occurs_since(1h, , published)` →
 * `p_occurs_since('1h', NULL, published)`. Throws `Refused` if the text cannot be tokenised.
 */
export function prepare(sql: string): Prepared {
  const tokens = lex(sql)
  while (tokens.at(-1)?.raw === ';') tokens.pop()
  if (tokens.length > MAX_TOKENS) return { sql: '', placeOf: () => ({ line: 1, column: 1 }) }
  const out: Token[] = []
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at]!
    const next = tokens[at + 1]
    if (token.raw === ',' && next?.kind === 'word' && CLAUSES.has(next.raw.toLowerCase())) continue
    out.push(token)
    if (token.kind !== 'word' || !MACRO.test(token.raw) || next?.raw !== '(') continue
    const end = closing(tokens, at + 1)
    out.push(next, ...macroArguments(tokens.slice(at + 2, end)))
    at = end - 1
  }
  return { sql: unlex(out), placeOf: (place) => placeIn(sql, out, place) }
}

/** The index of the bracket that closes the one at `open`; the end if there is none. */
function closing(tokens: readonly Token[], open: number): number {
  let depth = 0
  for (let at = open; at < tokens.length; at++) {
    if (tokens[at]!.raw === '(') depth++
    else if (tokens[at]!.raw === ')' && --depth === 0) return at
  }
  return tokens.length
}

function macroArguments(tokens: readonly Token[]): Token[] {
  const parts: Token[][] = [[]]
  let depth = 0
  for (const token of tokens) {
    if (token.raw === '(') depth++
    if (token.raw === ')') depth--
    if (token.raw === ',' && depth === 0) parts.push([])
    else parts.at(-1)!.push(token)
  }
  return parts.flatMap((part, i) => (i === 0 ? macroArgument(part) : [mark(','), ...macroArgument(part)]))
}

function macroArgument(tokens: readonly Token[]): readonly Token[] {
  if (tokens.length === 0) return [word('NULL')]
  const written = unlex(tokens).trim()
  return /^\d+\s*[a-z]+$/i.test(written) ? [{ kind: 'text', raw: `'${written}'`, value: written, spaced: true }] : tokens
}

function mark(raw: string): Token {
  return { kind: 'mark', raw, value: raw, spaced: false }
}

function word(raw: string): Token {
  return { kind: 'word', raw, value: raw, spaced: true }
}

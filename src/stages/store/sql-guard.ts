import { Refused } from '../../util/errors.ts'
import { DATABASES, quoteText } from './ddl.ts'
import { HARMLESS_FUNCTIONS } from './sql-functions.ts'
import { lex, type Place, placeIn, type Token, unlex } from './sql-lex.ts'
import { pantherName } from './sql-panther.ts'
import { limitToLogTypes, withoutHidden } from './sql-sight.ts'
import { ALLOWED_TABLE_FUNCTIONS, BARE_FUNCTIONS, FORBIDDEN_FUNCTIONS, WITHOUT_ARGUMENTS } from './sql-surface.ts'

/** The engine's names that the guard must know. All in lower case. */
export interface Surface {
  readonly tableFunctions: ReadonlySet<string>
  /** Without aliases. */
  readonly functions: ReadonlySet<string>
  /** Alias → function. */
  readonly aliases: ReadonlyMap<string, string>
  readonly databases: ReadonlySet<string>
  /** Those that the catalogue of names and types does not show. */
  readonly hidden?: readonly string[]
}

export type Params = Readonly<Record<string, string | number>>

/** Database names that users may use: ours, and the SQL standard's catalogue of names and types. */
const READABLE = new Set<string>([...DATABASES, 'information_schema'])

/**
 * Converts users' SQL to the statement to run: one SELECT, in brackets (so that it cannot contain `FORMAT`, `INTO OUTFILE` or a second
 * statement), limited to `maxRows` + 1 rows, Panther's names replaced by ours, placeholders filled in. Throws `Refused` with what to do
 * instead. `logTypes`: patterns of the only log types whose rows it may read; default: all.
 *
 * The engine's `readonly = 1` prevents writing and most table functions. What that leaves open (the function `file`, INTO OUTFILE, system
 * tables) is closed here, using the names that the engine itself lists.
 */
export function guardQuery(sql: string, params: Params, maxRows: number, surface: Surface, logTypes?: readonly string[]): string {
  const tokens = lex(sql)
  while (tokens.at(-1)?.raw === ';') tokens.pop()
  checkStatement(tokens)
  checkBrackets(tokens)
  checkNames(tokens, surface)
  const statement = withoutHidden(unlex(rewrite(tokens, params)), surface.hidden ?? [])
  const limited = logTypes ? limitToLogTypes(statement, logTypes, (message) => new Refused(message)) : statement
  return `SELECT * FROM (\n${limited}\n) LIMIT ${maxRows + 1}`
}

/** Where users' SQL has what is at a place of the statement that `guardQuery` made of it, without `logTypes`. */
export function placeInQuery(sql: string, params: Params, { line, column }: Place): Place {
  return placeIn(sql, rewrite(lex(sql), params), { line: line - 1, column })
}

function checkStatement(tokens: readonly Token[]): void {
  const first = tokens.find((token) => token.raw !== '(')
  const verb = first?.kind === 'word' ? first.raw.toUpperCase() : ''
  if (verb === 'SELECT' || verb === 'WITH') return
  const catalogue = ['SHOW', 'DESCRIBE', 'DESC'].includes(verb)
  const hint = catalogue ? 'ask information_schema.tables or information_schema.columns' : 'the lake answers SELECT only'
  throw new Refused(first ? `the query begins with '${first.raw.slice(0, 40)}': ${hint}` : 'the query is empty')
}

function checkBrackets(tokens: readonly Token[]): void {
  const open: string[] = []
  for (const { kind, raw } of tokens) {
    if (kind !== 'mark') continue
    if (raw === ';') throw new Refused('the query has more than one statement: send one SELECT at a time')
    if ('([{'.includes(raw)) open.push(raw)
    const closes = ')]}'.indexOf(raw)
    if (closes >= 0 && open.pop() !== '([{'[closes]) throw new Refused(`the query has a '${raw}' that closes nothing`)
  }
  if (open.length > 0) throw new Refused(`the query has a '${open.at(-1)}' that is never closed`)
}

function checkNames(tokens: readonly Token[], surface: Surface): void {
  // For each open bracket: is it a call (and not a subquery)?
  const calls: boolean[] = []
  tokens.forEach((token, at) => {
    if (token.raw === '(') calls.push(!/^(?:select|with)$/i.test(tokens[at + 1]?.raw ?? ''))
    else if (token.raw === ')') calls.pop()
    else if (token.kind === 'word' || token.kind === 'quoted') checkName(tokens, at, calls.at(-1) ?? false, surface)
  })
}

function checkName(tokens: readonly Token[], at: number, inCall: boolean, surface: Surface): void {
  const token = tokens[at]!
  const [previous, next] = [tokens[at - 1]?.raw.toLowerCase(), tokens[at + 1]?.raw.toLowerCase()]
  const name = token.value.toLowerCase()
  if (token.kind === 'word' && name === 'settings') {
    throw new Refused('SETTINGS is not allowed in a query; a column of that name is written "settings"')
  }
  if (name === 'into' && next === 'outfile') throw new Refused('INTO OUTFILE is not allowed: the answer comes back to you')
  if (next === '.' && previous !== '.' && surface.databases.has(name) && !READABLE.has(name)) {
    throw new Refused(`the query names the database '${token.value}': it may read ${[...READABLE].join(', ')}`)
  }
  if (next === '(') checkCall(token.value, surface)
  else if (BARE_FUNCTIONS.has(name) && previous !== '.' && next !== '.') throw forbidden(token.value)
  // Functions can also be called by their bare name: `SELECT * APPLY f`, `APPLY(f)`, `arrayMap(f, …)`.
  else if (
    previous === 'apply' ||
    (inCall && previous !== '.' && next !== '.' && !WITHOUT_ARGUMENTS.has(resolve(name, surface)))
  ) {
    checkFunction(token.value, surface)
  }
}

function checkCall(written: string, surface: Surface): void {
  checkFunction(written, surface)
  const name = written.toLowerCase()
  if (surface.tableFunctions.has(name) && !ALLOWED_TABLE_FUNCTIONS.has(name)) {
    throw new Refused(`the table function ${written} is not allowed in a query: it reaches beyond the lake`)
  }
}

function checkFunction(written: string, surface: Surface): void {
  const name = resolve(written.toLowerCase(), surface)
  if (FORBIDDEN_FUNCTIONS.has(name) || name.startsWith('__')) throw forbidden(written)
  if (!surface.functions.has(name) || HARMLESS_FUNCTIONS.has(name)) return
  throw new Refused(`the function ${written} is not allowed in a query: this version of Caracal does not know what it reaches`)
}

function forbidden(written: string): Refused {
  return new Refused(
    `the function ${written} is not allowed in a query: it reaches beyond the lake (a column of that name is written with its table: t.${written})`,
  )
}

function resolve(name: string, surface: Surface): string {
  return surface.aliases.get(name) ?? name
}

function rewrite(tokens: readonly Token[], params: Params): Token[] {
  const out: Token[] = []
  for (let at = 0; at < tokens.length; ) {
    const replaced = placeholder(tokens, at, params) ?? (tokens[at - 1]?.raw === '.' ? undefined : pantherName(tokens, at))
    if (!replaced) out.push(tokens[at++]!)
    else {
      const { spaced, at: place } = tokens[at]!
      out.push({ kind: 'word', raw: replaced.sql, value: replaced.sql, spaced, ...(place !== undefined && { at: place }) })
      at += replaced.length
    }
  }
  return out
}

/** `{name:Type}` at `at` as a literal of that type. Filled in here because the engine's own placeholders run one query at a time. */
function placeholder(tokens: readonly Token[], at: number, params: Params): { sql: string; length: number } | undefined {
  const [name, colon] = [tokens[at + 1], tokens[at + 2]]
  if (tokens[at]!.raw !== '{' || name?.kind !== 'word' || colon?.raw !== ':') return undefined
  const end = tokens.findIndex((token, i) => i > at && token.raw === '}')
  const type = unlex(tokens.slice(at + 3, end)).trim()
  if (!/^[A-Z][A-Za-z0-9(), ]*$/.test(type) || type === 'Identifier') {
    throw new Refused(`the placeholder {${name.raw}:${type}} has no type that a value can have; {${name.raw}:String} has`)
  }
  if (!Object.hasOwn(params, name.raw))
    throw new Refused(`the query has the placeholder {${name.raw}:${type}} and no value for it`)
  return { sql: `CAST(${quoteText(String(params[name.raw]))} AS ${type})`, length: end - at + 1 }
}

import { glob } from '../../util/glob.ts'
import { DATABASES, quoteText, UNITED } from './ddl.ts'
import { lex, type Token, unlex } from './sql-lex.ts'

/** Names of the databases, and of the standard's catalogue. */
const NAMES = new Set<string>([...DATABASES, 'information_schema'])

/** Other tables that say of each row which log type it is about. */
const OTHERS = new Set(['signals.correlation_signals', 'monitor.rule_errors', 'monitor.indicators'])

/** Tables of the catalogue, of which those rows are shown that are about tables that may be read. */
const CATALOGUE = new Set(['information_schema.tables', 'information_schema.columns'])

/** Columns of the list of tables that count rows of all log types, in the case of either spelling. They are null. */
const COUNTING = ['table_rows', 'data_length', 'index_length'].flatMap((column) => [column, column.toUpperCase()])
const UNCOUNTED = `* REPLACE (${COUNTING.map((column) => `CAST(NULL, 'Nullable(UInt64)') AS ${column}`).join(', ')})`

/**
 * Limits a statement to rows of these log types (patterns). Each table that it names is replaced by a subquery with those rows; a table
 * without log types is refused, and so is every name in the databases that is not plainly a table. Throws `Refused` through `refuse`.
 */
export function limitToLogTypes(sql: string, logTypes: readonly string[], refuse: (message: string) => Error): string {
  const tokens = lex(sql)
  const rowsShown = conditionOf('p_log_type', logTypes)
  const tablesShown = catalogueOf(logTypes)
  const isShown = tablesOf(logTypes)
  const out: Token[] = []
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at]!
    const database = token.value.toLowerCase()
    const isName = (token.kind === 'word' || token.kind === 'quoted') && NAMES.has(database)
    if (!isName || tokens[at + 1]?.raw !== '.') {
      out.push(token)
      continue
    }
    const table = tokens[at + 2]
    const name = `${database}.${table?.value ?? ''}`
    const isTable = tokens[at - 1]?.raw !== '.' && (table?.kind === 'word' || table?.kind === 'quoted')
    if (!isTable || !isShown(database, table!.value)) {
      const only = logTypes.join(', ')
      throw refuse(`the query reads ${name}, which this token may not: it may only see events of the log types ${only}`)
    }
    if (tokens[at + 3]?.raw === '.')
      throw refuse(`the query names a column of ${name} in full: give the table an alias, and write the alias before the column`)
    const columns = name.toLowerCase() === 'information_schema.tables' ? UNCOUNTED : '*'
    const shown = CATALOGUE.has(name.toLowerCase()) ? tablesShown : rowsShown
    const rows = `(SELECT ${columns} FROM ${unlex(tokens.slice(at, at + 3)).trim()} WHERE ${shown})`
    out.push({ kind: 'word', raw: rows, value: rows, spaced: true })
    at += 2
  }
  return unlex(out)
}

/** Tables of the catalogue that list what is in databases, and their columns with the names of these. */
const LISTED: Readonly<Record<string, string>> = {
  tables: 'table_schema',
  columns: 'table_schema',
  key_column_usage: 'table_schema',
  statistics: 'table_schema',
  schemata: 'schema_name',
}

/** Takes databases out of what a statement reads from the catalogue. */
export function withoutHidden(sql: string, hidden: readonly string[]): string {
  if (hidden.length === 0) return sql
  const tokens = lex(sql)
  const out: Token[] = []
  for (let at = 0; at < tokens.length; at++) {
    const [token, dot, table] = tokens.slice(at, at + 3)
    const column = LISTED[table?.value.toLowerCase() ?? '']
    const isListing =
      token!.value.toLowerCase() === 'information_schema' &&
      dot?.raw === '.' &&
      column !== undefined &&
      tokens[at - 1]?.raw !== '.'
    if (!isListing || tokens[at + 3]?.raw === '.') {
      out.push(token!)
      continue
    }
    const from = unlex(tokens.slice(at, at + 3)).trim()
    const rows = `(SELECT * FROM ${from} WHERE ${column} NOT IN (${hidden.map(quoteText).join(', ')}))`
    out.push({ kind: 'word', raw: rows, value: rows, spaced: true })
    at += 2
  }
  return unlex(out)
}

/** Judges which tables there are rows of for these log types (patterns): the whole databases of events with their `all`, and some others. */
export function tablesOf(logTypes: readonly string[]): (database: string, table: string) => boolean {
  const named = logTypes.map((pattern) => glob(pattern.replaceAll('.', '_')))
  return (database, table) => {
    if (OTHERS.has(`${database}.${table}`) || CATALOGUE.has(`${database}.${table.toLowerCase()}`)) return true
    if (!(UNITED as readonly string[]).includes(database)) return false
    return table === 'all' || named.some((fits) => fits(table))
  }
}

function catalogueOf(logTypes: readonly string[]): string {
  const named = conditionOf(
    'table_name',
    logTypes.map((pattern) => pattern.replaceAll('.', '_')),
  )
  const others = [...OTHERS].map((name) => `(${name.split('.').map(quoteText).join(', ')})`)
  return `((table_schema IN (${UNITED.map(quoteText).join(', ')}) AND (table_name = 'all' OR ${named})) OR (table_schema, table_name) IN (${others.join(', ')}))`
}

/** That a column fits one of the patterns: in any case, like the names of tables. */
function conditionOf(column: string, patterns: readonly string[]): string {
  const each = patterns.map((pattern) => {
    const escaped = pattern.replaceAll(/[\\%_]/g, '\\$&').replaceAll('*', '%')
    return `${column} ILIKE ${quoteText(escaped)}`
  })
  return `(${each.join(' OR ')})`
}

import { quoteName } from './ddl.ts'
import { LOOKUPS, lookupName } from './lookup-names.ts'
import type { Token } from './sql-lex.ts'

const DATABASES: ReadonlyMap<string, string> = new Map([
  ['panther_logs', 'logs'],
  ['panther_rule_matches', 'matches'],
  ['panther_signals', 'signals'],
  ['panther_monitor', 'monitor'],
  ['panther_lookups', LOOKUPS],
])

const VIEWS: ReadonlyMap<string, string> = new Map([
  ['all_logs', 'logs.all'],
  ['all_rule_matches', 'matches.all'],
])

/**
 * Panther's name at `at` as the lake's: `panther_logs.public.aws_cloudtrail` → `logs.aws_cloudtrail`, `panther_views.public.all_logs` →
 * `logs.all`; replaces `length` tokens. Case and a missing `public` do not matter. The name of a lookup table may be written in any way,
 * after `lookups` too. For the names, see
 * https://docs.panther.com/search/data-explorer.
 */
export function pantherName(tokens: readonly Token[], at: number): { sql: string; length: number } | undefined {
  const first = tokens[at]!
  if (first.kind !== 'word' && first.kind !== 'quoted') return undefined
  const name = first.value.toLowerCase()
  const database = name === LOOKUPS && isDatabase(tokens, name) ? LOOKUPS : DATABASES.get(name)
  if (!database && name !== 'panther_views') return undefined
  if (tokens[at + 1]?.raw !== '.') return undefined
  const hasSchema = tokens[at + 2]?.value.toLowerCase() === 'public' && tokens[at + 3]?.raw === '.'
  if (database === LOOKUPS) {
    const table = tokens[at + (hasSchema ? 4 : 2)]
    if (table?.kind === 'word' || table?.kind === 'quoted')
      return { sql: `${LOOKUPS}.${quoteName(lookupName(table.value))}`, length: hasSchema ? 5 : 3 }
  }
  if (database) return { sql: `${database}.`, length: hasSchema ? 4 : 2 }
  const view = VIEWS.get(tokens[at + (hasSchema ? 4 : 2)]?.value.toLowerCase() ?? '')
  return view ? { sql: view, length: hasSchema ? 5 : 3 } : undefined
}

/** False if the query uses the name as an alias of its own. */
function isDatabase(tokens: readonly Token[], name: string): boolean {
  return tokens.every((token, at) => token.value.toLowerCase() !== name || tokens[at + 1]?.raw === '.')
}

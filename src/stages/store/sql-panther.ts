import type { Token } from './sql-lex.ts'

const DATABASES: ReadonlyMap<string, string> = new Map([
  ['panther_logs', 'logs'],
  ['panther_rule_matches', 'matches'],
  ['panther_signals', 'signals'],
  ['panther_monitor', 'monitor'],
])

const VIEWS: ReadonlyMap<string, string> = new Map([
  ['all_logs', 'logs.all'],
  ['all_rule_matches', 'matches.all'],
])

/**
 * Panther's name at `at` as the lake's: `panther_logs.public.aws_cloudtrail` → `logs.aws_cloudtrail`, `panther_views.public.all_logs` →
 * `logs.all`; replaces `length` tokens. Case and a missing `public` do not matter. For the names, see
 * https://docs.panther.com/search/data-explorer.
 */
export function pantherName(tokens: readonly Token[], at: number): { sql: string; length: number } | undefined {
  const first = tokens[at]!
  if (first.kind !== 'word' && first.kind !== 'quoted') return undefined
  const name = first.value.toLowerCase()
  const database = DATABASES.get(name)
  if (!database && name !== 'panther_views') return undefined
  if (tokens[at + 1]?.raw !== '.') return undefined
  const hasSchema = tokens[at + 2]?.value.toLowerCase() === 'public' && tokens[at + 3]?.raw === '.'
  if (database) return { sql: `${database}.`, length: hasSchema ? 4 : 2 }
  const view = VIEWS.get(tokens[at + (hasSchema ? 4 : 2)]?.value.toLowerCase() ?? '')
  return view ? { sql: view, length: hasSchema ? 5 : 3 } : undefined
}

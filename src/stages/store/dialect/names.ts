import { LOOKUPS, lookupName } from '../lookup-names.ts'
import type { Name } from './ast.ts'

/** Panther's databases → the lake's. https://docs.panther.com/search/data-explorer */
const DATABASES: Readonly<Record<string, string>> = {
  panther_logs: 'logs',
  panther_rule_matches: 'matches',
  panther_signals: 'signals',
  panther_monitor: 'monitor',
  panther_lookups: LOOKUPS,
}

const VIEWS: Readonly<Record<string, string>> = { all_logs: 'logs', all_rule_matches: 'matches' }

/**
 * Snowflake's own audit views → the tables of the log types with the same data. https://docs.snowflake.com/en/sql-reference/account-usage
 */
const ACCOUNT_USAGE: Readonly<Record<string, string>> = {
  data_transfer_history: 'snowflake_datatransferhistory',
  grants_to_roles: 'snowflake_grantstoroles',
  grants_to_users: 'snowflake_grantstousers',
  login_history: 'snowflake_loginhistory',
  query_history: 'snowflake_queryhistory',
  sessions: 'snowflake_sessions',
  users: 'snowflake_users',
}

export interface LakeTable {
  readonly database: string
  readonly table: string
  /** True if the name refers to Snowflake's own audit view. */
  readonly accountUsage?: boolean
}

/** True if the text of a query contains this table of `logs`. Cheaper than parsing it, and good enough to detect a misspelt name. */
export function mentions(sql: string, table: string): boolean {
  const words = new Set(sql.toLowerCase().split(/\W+/))
  const audited = Object.keys(ACCOUNT_USAGE).find((view) => ACCOUNT_USAGE[view] === table)
  return words.has(table) || (audited !== undefined && words.has('account_usage') && words.has(audited))
}

/** The lake table for a table name in a query; a name without a database is in `logs`. Undefined for any other name. */
export function lakeTable(names: readonly Name[]): LakeTable | undefined {
  const parts = names.map((name) => name.text.toLowerCase())
  if (parts.length === 1) return { database: 'logs', table: parts[0]! }
  const [first, second] = parts
  const last = parts.at(-1)!
  const table = [first, Object.hasOwn(DATABASES, first!) && DATABASES[first!]].includes(LOOKUPS) ? lookupName(last) : last
  if (parts.length === 3 && first === 'snowflake' && second === 'account_usage') {
    const audited = Object.hasOwn(ACCOUNT_USAGE, table) ? ACCOUNT_USAGE[table] : undefined
    return audited === undefined ? undefined : { database: 'logs', table: audited, accountUsage: true }
  }
  if (parts.length > 3 || (parts.length === 3 && second !== 'public')) return undefined
  if (first === 'panther_views') {
    return Object.hasOwn(VIEWS, table) ? { database: VIEWS[table]!, table: 'all' } : undefined
  }
  if (Object.hasOwn(DATABASES, first!)) return { database: DATABASES[first!]!, table }
  return parts.length === 2 && Object.values(DATABASES).includes(first!) ? { database: first!, table } : undefined
}

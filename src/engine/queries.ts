import type { TableSpec } from '../model/column.ts'
import type { SavedQuery, ScheduledQuery } from '../model/query.ts'
import { isManagedTable } from '../packs/checks/managed-names.ts'
import { scheduleProblem } from '../stages/detect/scheduled/schedule.ts'
import { expandTemplate } from '../stages/store/dialect/template.ts'
import { type Translation, translate } from '../stages/store/dialect/translate.ts'

/** What queries are translated against. */
export interface QueryWorld {
  /** By name, for templates that import them. */
  readonly saved: ReadonlyMap<string, SavedQuery>
  /** Every table that the lake has or may get. */
  readonly tables: readonly TableSpec[]
}

/** The query in the lake's SQL, with its template expanded. */
export async function translateQuery(query: ScheduledQuery, { saved, tables }: QueryWorld): Promise<Translation> {
  const expanded = expandTemplate(query.sql, (name) => saved.get(name)?.sql)
  if (expanded.kind !== 'ok') return { ...expanded, missing: [] }
  return translate(expanded.sql, {
    from: 'snowflake',
    catalog: (database, table) => tables.find((spec) => spec.database === database && spec.table === table),
  })
}

/** Above this number, queries that wait for logs are combined into one notice. */
const MAX_WAITING = 3

/**
 * A sentence for each query that could not run, including disabled ones and those that no rule judges; a single one for all the queries
 * that only wait for logs of Panther's types.
 */
export async function queryNotices(queries: readonly ScheduledQuery[], world: QueryWorld): Promise<string[]> {
  const notices: string[] = []
  const waiting: { readonly notice: string; readonly tables: readonly string[] }[] = []
  for (const query of queries) {
    const schedule = scheduleProblem(query.schedule)
    const translated = schedule === undefined ? await translateQuery(query, world) : undefined
    const why = schedule ?? (translated?.kind === 'unsupported' ? translated.what.join('; ') : undefined)
    if (why === undefined) continue
    const notice = `${query.file}: scheduled_query '${query.name}' cannot run: ${why}`
    const tables = translated && awaitedTables(translated)
    if (tables) waiting.push({ notice, tables })
    else notices.push(notice)
  }
  if (waiting.length <= MAX_WAITING) return [...notices, ...waiting.map(({ notice }) => notice)]
  const tables = [...new Set(waiting.flatMap((each) => each.tables))].sort()
  const what = `${waiting.length} scheduled queries are waiting for ${tables.length} tables of Panther's log types`
  return [...notices, `${what} for which there is no schema and no source here: ${tables.join(', ')}`]
}

/** The tables of managed log types that a query lacks, if it lacks nothing else. */
function awaitedTables(translated: Translation): string[] | undefined {
  if (translated.kind === 'ok') return undefined
  const tables = translated.missing.filter(({ column }) => column === undefined)
  const isAll = tables.length === translated.what.length
  return isAll && tables.every(({ database, table }) => database === 'logs' && isManagedTable(table))
    ? tables.map(({ database, table }) => `${database}.${table}`)
    : undefined
}

/** Saved queries by name. */
export function byName(queries: readonly SavedQuery[]): ReadonlyMap<string, SavedQuery> {
  return new Map(queries.map((query) => [query.name, query]))
}

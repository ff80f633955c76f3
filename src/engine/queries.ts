import type { TableSpec } from '../model/column.ts'
import type { SavedQuery } from '../model/query.ts'
import type { Schedule } from '../model/schedule.ts'
import { isManagedTable } from '../packs/checks/managed-names.ts'
import type { Content } from '../packs/content.ts'
import { scheduleProblem } from '../stages/detect/scheduled/schedule.ts'
import { queryIn } from '../stages/enrich/query-keys.ts'
import { ALL } from '../stages/store/ddl.ts'
import { expandTemplate } from '../stages/store/dialect/template.ts'
import { type Translation, translate } from '../stages/store/dialect/translate.ts'
import type { ContentReport } from './pipeline-calls.ts'
import { tablesNamed } from './queries/lake-sql.ts'

/** What queries are translated against. */
export interface QueryWorld {
  /** By name, for templates that import them. */
  readonly saved: ReadonlyMap<string, SavedQuery>
  /** Every table that the lake has or may get. */
  readonly tables: readonly TableSpec[]
}

/** A text, and the dialect that it is in; absent: Snowflake's. */
type QueryText = Pick<SavedQuery, 'sql'> & Partial<Pick<SavedQuery, 'dialect'>>

/**
 * The query in the lake's SQL, with its template expanded. A text in the lake's SQL stays as it is; its columns are then not known, and
 * the list of them is empty.
 */
export async function translateQuery(query: QueryText, { saved, tables }: QueryWorld): Promise<Translation> {
  if (query.dialect === 'clickhouse')
    return { kind: 'ok', sql: query.sql, columns: [], tables: tablesNamed(query.sql, tables), notes: [] }
  const expanded = expandTemplate(query.sql, (name) => saved.get(name)?.sql)
  if (expanded.kind !== 'ok') return { ...expanded, missing: [] }
  return translate(expanded.sql, {
    from: 'snowflake',
    catalog: (database, table) => tables.find((spec) => spec.database === database && spec.table === table),
  })
}

/** Above this number, queries that wait for logs are combined into one notice. */
const MAX_WAITING = 3

/** The queries that fill tables. */
function tableQueries({ tables }: Pick<Content, 'tables'>): ContentQuery[] {
  return tables.flatMap(({ name, file, document }) => {
    const sql = queryIn(document)
    return sql === undefined ? [] : { kind: 'lookup_table' as const, name, file, sql }
  })
}

/** A query in content that runs by itself. */
interface ContentQuery extends Pick<SavedQuery, 'name' | 'sql' | 'file'> {
  readonly kind?: 'lookup_table'
  readonly schedule?: Schedule
}

/**
 * A sentence for each query that could not run, including disabled ones and those that no rule judges; a single one for all the queries
 * that only wait for logs of Panther's types.
 */
export async function queryNotices(content: Pick<Content, 'scheduledQueries' | 'tables'>, world: QueryWorld): Promise<string[]> {
  const queries: readonly ContentQuery[] = [...content.scheduledQueries, ...tableQueries(content)]
  const notices: string[] = []
  const waiting: { readonly notice: string; readonly tables: readonly string[] }[] = []
  for (const query of queries) {
    const schedule = query.schedule && scheduleProblem(query.schedule)
    const translated = schedule === undefined ? await translateQuery(query, world) : undefined
    const why = schedule ?? (translated?.kind === 'unsupported' ? translated.what.join('; ') : undefined)
    if (why === undefined) continue
    const notice = `${query.file}: ${query.kind ?? 'scheduled_query'} '${query.name}' cannot run: ${why}`
    const tables = translated && awaitedTables(translated)
    if (tables) waiting.push({ notice, tables })
    else notices.push(notice)
  }
  if (waiting.length <= MAX_WAITING) return [...notices, ...waiting.map(({ notice }) => notice)]
  const tables = [...new Set(waiting.flatMap((each) => each.tables))].sort()
  const what = `${waiting.length} queries are waiting for ${tables.length} tables of Panther's log types`
  return [...notices, `${what} for which there is no schema and no source here: ${tables.join(', ')}`]
}

/** The tables of managed log types that a query lacks, if it lacks nothing else. */
export function awaitedTables(translated: Translation): string[] | undefined {
  if (translated.kind === 'ok') return undefined
  const tables = translated.missing.filter(({ column }) => column === undefined)
  const isAll = tables.length === translated.what.length
  return isAll && tables.every(({ database, table }) => database === 'logs' && isManagedTable(table))
    ? tables.map(({ database, table }) => `${database}.${table}`)
    : undefined
}

/** The tables of these names that have to exist before a query reads them; the lake itself has the views over all tables. */
export function tablesToEnsure(names: readonly string[], { tables }: Pick<QueryWorld, 'tables'>): TableSpec[] {
  return tables.filter(({ database, table }) => table !== ALL && names.includes(`${database}.${table}`))
}

/** Saved queries by name. */
export function byName(queries: readonly SavedQuery[]): ReadonlyMap<string, SavedQuery> {
  return new Map(queries.map((query) => [query.name, query]))
}

/** What queries of the content in force are translated against. */
export function worldOf({ savedQueries, lakeTables }: Pick<ContentReport, 'savedQueries' | 'lakeTables'>): QueryWorld {
  return { saved: byName(savedQueries), tables: lakeTables }
}

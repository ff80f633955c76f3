import type { TableSpec } from '../model/column.ts'
import type { SavedQuery, ScheduledQuery } from '../model/query.ts'
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

/** The query in the lake's SQL, its template filled in. */
export async function translateQuery(query: ScheduledQuery, { saved, tables }: QueryWorld): Promise<Translation> {
  const expanded = expandTemplate(query.sql, (name) => saved.get(name)?.sql)
  if (expanded.kind !== 'ok') return { ...expanded, missing: [] }
  return translate(expanded.sql, {
    from: 'snowflake',
    catalog: (database, table) => tables.find((spec) => spec.database === database && spec.table === table),
  })
}

/** A sentence for each query that could not run if it were asked to, disabled ones and those that no rule judges too. */
export async function queryNotices(queries: readonly ScheduledQuery[], world: QueryWorld): Promise<string[]> {
  const notices: string[] = []
  for (const query of queries) {
    const schedule = scheduleProblem(query.schedule)
    const translated = schedule === undefined ? await translateQuery(query, world) : undefined
    const why = schedule ?? (translated?.kind === 'unsupported' ? translated.what.join('; ') : undefined)
    if (why !== undefined) notices.push(`${query.file}: scheduled_query '${query.name}' cannot run: ${why}`)
  }
  return notices
}

/** Saved queries by name. */
export function byName(queries: readonly SavedQuery[]): ReadonlyMap<string, SavedQuery> {
  return new Map(queries.map((query) => [query.name, query]))
}

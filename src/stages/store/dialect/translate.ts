import { messageOf } from '../../../util/errors.ts'
import { type Catalog, Context, type Missing } from './context.ts'
import { parseSnowflake } from './parser.ts'
import { type Prepared, prepare } from './prepare.ts'
import { translateStatement } from './query.ts'
import type { Shape } from './value.ts'

/** The placeholder in translated SQL for the time at which the query runs; its value is RFC 3339 text. */
export const NOW_PARAM = 'query_time'

/** A column of a translated query's answer. */
export interface AnswerColumn {
  readonly name: string
  /** `json`: the cell is text that contains a JSON value; `list of json`: a list of such texts. */
  readonly shape: Shape
  /** The cell is a JSON object whose fields count as columns of the row, except those that are columns already. */
  readonly isRest?: boolean
}

export type Translation =
  | {
      readonly kind: 'ok'
      /** One SELECT in the lake's SQL, with the placeholder `NOW_PARAM`. */
      readonly sql: string
      readonly columns: readonly AnswerColumn[]
      /** The lake tables that it reads, as `database.table`. */
      readonly tables: readonly string[]
      /** Where the answer may differ from Snowflake's. */
      readonly notes: readonly string[]
    }
  | {
      readonly kind: 'unsupported'
      /** Everything that is not supported or does not exist, for display. */
      readonly what: readonly string[]
      /** The subset of these that are tables and columns which the lake does not have (yet). */
      readonly missing: readonly Missing[]
    }

/**
 * Translates one query of existing content into the lake's SQL. Never throws because of a query's text: whatever cannot be translated is
 * listed. Uses the current catalogue, so a translation is valid until a table changes.
 */
export async function translate(
  sql: string,
  options: { readonly from: 'snowflake'; readonly catalog: Catalog },
): Promise<Translation> {
  const context = new Context(options.catalog)
  let translated: { sql: string; columns: readonly AnswerColumn[] }
  try {
    const prepared = prepare(sql)
    const statements = await parseSnowflake(prepared.sql).catch((error: unknown) => Promise.reject(atItsPlace(error, prepared)))
    if (statements.length === 0)
      return unsupported(['no statement: the text is empty, too long, or holds macros for other queries only'])
    if (statements.length > 1) return unsupported([`${statements.length} statements: a query is one SELECT`])
    translated = translateStatement(statements[0], context)
  } catch (error) {
    return unsupported([`the text cannot be read: ${messageOf(error)}`])
  }
  const tables = new Set(
    context.missing.filter((each) => each.column === undefined).map(({ database, table }) => `${database}.${table}`),
  )
  const reported = context.missing.filter((each) => each.column === undefined || !tables.has(`${each.database}.${each.table}`))
  const what = [...context.problems, ...reported.map(missingText)]
  if (what.length > 0) return unsupported(what, context.missing)
  const columns = translated.columns.map(({ name, shape, isRest }) => ({ name, shape, ...(isRest && { isRest }) }))
  return { kind: 'ok', sql: translated.sql, columns, tables: [...context.tables], notes: [...context.notes] }
}

/** The parser's message with the places of the text as it was written. */
function atItsPlace(error: unknown, { placeOf }: Prepared): Error {
  const message = messageOf(error).replace(/ at Line: (\d{1,9}), Column: (\d{1,9})/g, (_, line: string, column: string) => {
    const place = placeOf({ line: Number(line), column: Number(column) })
    return ` at line ${place.line}, column ${place.column}`
  })
  return new Error(message, { cause: error })
}

function unsupported(what: readonly string[], missing: readonly Missing[] = []): Translation {
  return { kind: 'unsupported', what, missing }
}

function missingText({ database, table, column, logType }: Missing): string {
  if (column !== undefined) return `the column ${column}: the table ${database}.${table} has none of that name`
  if (database === 'lookups') return `the table lookups.${table}: no enabled lookup table has that name`
  const unread =
    logType === undefined ? 'its log type' : `the log type ${logType}; add it to log_types of the source of its events`
  return `the table ${database}.${table}: no schema makes it, and no source names ${unread}`
}

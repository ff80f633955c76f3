import type { Completion, CompletionContext, CompletionResult, CompletionSource } from '@codemirror/autocomplete'
import { type SQLDialect, schemaCompletionSource } from '@codemirror/lang-sql'
import { FUNCTIONS } from './sql-functions.ts'
import type { SqlNames } from './sql-names.ts'

const CALLS: readonly Completion[] = Object.entries(FUNCTIONS).map(([label, detail]) => ({
  label,
  detail,
  type: 'function',
  apply: `${label}(`,
}))

type Load = () => Promise<SqlNames>

/** Completes functions, and the columns of the tables that the query names. */
export function columnCompletion(load: Load): CompletionSource {
  return async (context: CompletionContext): Promise<CompletionResult | null> => {
    const word = context.matchBefore(/[\w$]+/)
    if (!word && !context.explicit) return null
    const from = word?.from ?? context.pos
    // After a dot, the columns of a table are completed by the language.
    if (context.state.sliceDoc(Math.max(0, from - 1), from) === '.') return null
    const columns = columnsOf(context.state.doc.toString(), await load())
    return { from, options: [...columns, ...CALLS], validFor: /^[\w$]*$/ }
  }
}

/** Completes databases, tables, and columns after a dot. */
export function tableCompletion(dialect: SQLDialect, load: Load): CompletionSource {
  let made: { readonly names: SqlNames; readonly source: CompletionSource } | undefined
  return async (context: CompletionContext): Promise<CompletionResult | null> => {
    const names = await load()
    if (made?.names !== names) {
      const schema = names as Record<string, string[]>
      made = { names, source: schemaCompletionSource({ dialect, schema, upperCaseKeywords: true }) }
    }
    return made.source(context)
  }
}

/** The columns of the tables that a text names; without any, those that all tables of events have. */
export function columnsOf(text: string, names: SqlNames): Completion[] {
  const tables = [...text.matchAll(/\b([a-z]+\.\w+)\b/gi)].map(([, name]) => name!.toLowerCase())
  const known = [...new Set(tables)].filter((name) => Object.hasOwn(names, name))
  const wanted = known.length > 0 ? known : ['logs.all']
  const found = new Map<string, string>()
  for (const table of wanted) for (const column of names[table] ?? []) if (!found.has(column)) found.set(column, table)
  return [...found].map(([label, detail]) => ({ label, detail, type: 'property', boost: label.startsWith('p_') ? 1 : 2 }))
}

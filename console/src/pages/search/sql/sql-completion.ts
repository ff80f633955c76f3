import type { Completion, CompletionContext, CompletionResult, CompletionSource } from '@codemirror/autocomplete'
import { FUNCTIONS } from './sql-functions.ts'
import type { SqlNames } from './sql-names.ts'

const CALLS: readonly Completion[] = Object.entries(FUNCTIONS).map(([label, detail]) => ({
  label,
  detail,
  type: 'function',
  apply: `${label}(`,
}))

/** Completes functions, and the columns of the tables that the query names. */
export function completionOf(names: SqlNames): CompletionSource {
  return (context: CompletionContext): CompletionResult | null => {
    const word = context.matchBefore(/[\w$]+/)
    if (!word && !context.explicit) return null
    const from = word?.from ?? context.pos
    // After a dot, the columns of a table are completed by the language.
    if (context.state.sliceDoc(Math.max(0, from - 1), from) === '.') return null
    const columns = columnsOf(context.state.doc.toString(), names)
    return { from, options: [...columns, ...CALLS], validFor: /^[\w$]*$/ }
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

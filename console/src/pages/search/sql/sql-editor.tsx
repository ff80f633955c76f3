import { PostgreSQL, SQLDialect, sql } from '@codemirror/lang-sql'
import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useMemo } from 'react'
import CodeEditor from '../../../parts/code-editor.tsx'
import { columnCompletion, tableCompletion } from './sql-completion.ts'
import { loadSqlNames } from './sql-names.ts'

interface SqlEditorProps {
  readonly value: string
  onChange(value: string): void
  onSubmit(): void
}

// The words of PostgreSQL are known best; names are quoted as the lake does.
const DIALECT = SQLDialect.define({
  ...PostgreSQL.spec,
  identifierQuotes: '`"',
  backslashEscapes: true,
  doubleDollarQuotedStrings: false,
  caseInsensitiveIdentifiers: true,
})

/** An editor that completes tables, columns, functions and keywords. */
export default function SqlEditor(props: SqlEditorProps) {
  const client = useQueryClient()
  useEffect(() => void loadSqlNames(client), [client])
  const language = useMemo(() => {
    // Asked at each completion: names that arrive late are in the list that waits for them.
    const load = () => loadSqlNames(client)
    const { language, support } = sql({ dialect: DIALECT, upperCaseKeywords: true })
    const sources = [tableCompletion(DIALECT, load), columnCompletion(load)]
    return [language, support, sources.map((autocomplete) => language.data.of({ autocomplete }))]
  }, [client])
  return <CodeEditor {...props} label="SQL" language={language} />
}

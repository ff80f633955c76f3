import { PostgreSQL, SQLDialect, sql } from '@codemirror/lang-sql'
import { useMemo } from 'react'
import CodeEditor from '../../../parts/code-editor.tsx'
import { completionOf } from './sql-completion.ts'
import type { SqlNames } from './sql-names.ts'

interface SqlEditorProps {
  readonly value: string
  readonly names: SqlNames
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
export default function SqlEditor({ names, ...rest }: SqlEditorProps) {
  const language = useMemo(() => {
    const support = sql({ dialect: DIALECT, schema: names as Record<string, string[]>, upperCaseKeywords: true })
    return [support, support.language.data.of({ autocomplete: completionOf(names) })]
  }, [names])
  return <CodeEditor {...rest} label="SQL" language={language} />
}

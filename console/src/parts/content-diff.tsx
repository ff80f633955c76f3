import { unifiedMergeView } from '@codemirror/merge'
import { useMemo } from 'react'
import CodeEditor from './code-editor.tsx'
import { type ContentLanguage, LANGUAGES } from './content-editor.tsx'

interface ContentDiffProps {
  readonly language: ContentLanguage
  readonly label: string
  readonly before: string
  readonly after: string
}

/** A text to read, with what it changed of another. */
export default function ContentDiff({ language, label, before, after }: ContentDiffProps) {
  const parts = useMemo(
    () => [
      LANGUAGES[language],
      unifiedMergeView({ original: before, mergeControls: false, collapseUnchanged: { margin: 3, minSize: 8 } }),
    ],
    [language, before],
  )
  return <CodeEditor key={before} value={after} label={label} language={parts} isReadOnly />
}

import { python } from '@codemirror/lang-python'
import { yaml } from '@codemirror/lang-yaml'
import CodeEditor from './code-editor.tsx'

export const LANGUAGES = { python: python(), yaml: yaml() }
export type ContentLanguage = keyof typeof LANGUAGES

interface ContentEditorProps {
  readonly language: ContentLanguage
  readonly label: string
  readonly value: string
  readonly isReadOnly: boolean
  onChange(value: string): void
}

export default function ContentEditor({ language, ...rest }: ContentEditorProps) {
  return <CodeEditor {...rest} language={LANGUAGES[language]} />
}

import { autocompletion, closeBrackets } from '@codemirror/autocomplete'
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands'
import { bracketMatching } from '@codemirror/language'
import { Compartment, EditorState, type Extension } from '@codemirror/state'
import { drawSelection, EditorView, highlightSpecialChars, keymap, lineNumbers } from '@codemirror/view'
import { useEffect, useLayoutEffect, useRef } from 'react'
import { styleNonce } from '../app/nonce.ts'
import { codeColours } from './code-colours.ts'
import classes from './code-editor.module.css'

interface CodeEditorProps {
  readonly value: string
  readonly label: string
  /** The language and what belongs to it. */
  readonly language: Extension
  readonly isReadOnly?: boolean
  onChange?(value: string): void
  /** Ctrl-Enter or Cmd-Enter. */
  onSubmit?(): void
}

export default function CodeEditor({ value, label, language, isReadOnly = false, onChange, onSubmit }: CodeEditorProps) {
  const host = useRef<HTMLDivElement>(null)
  const view = useRef<EditorView>(undefined)
  const languagePart = useRef(new Compartment())
  const latest = useRef({ onChange, onSubmit })
  latest.current = { onChange, onSubmit }
  const first = useRef({ value, label, language, isReadOnly })
  // Before the first paint: an empty place would collapse, and what is below it jump.
  useLayoutEffect(() => {
    const { value, label, language, isReadOnly } = first.current
    const submit = () => {
      latest.current.onSubmit?.()
      return true
    }
    const editor = new EditorView({
      parent: host.current!,
      state: EditorState.create({
        doc: value,
        extensions: [
          EditorView.cspNonce.of(styleNonce),
          keymap.of([{ key: 'Mod-Enter', run: submit }, ...defaultKeymap, ...historyKeymap]),
          history(),
          drawSelection(),
          lineNumbers(),
          highlightSpecialChars(),
          bracketMatching(),
          closeBrackets(),
          autocompletion(),
          codeColours,
          EditorView.lineWrapping,
          // With a tab stop, it can be scrolled by keys.
          EditorView.contentAttributes.of({ 'aria-label': label, tabindex: '0' }),
          EditorState.readOnly.of(isReadOnly),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) latest.current.onChange?.(update.state.doc.toString())
          }),
          languagePart.current.of(language),
        ],
      }),
    })
    view.current = editor
    return () => editor.destroy()
  }, [])
  useEffect(() => {
    const editor = view.current
    if (editor && editor.state.doc.toString() !== value)
      editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: value } })
  }, [value])
  useEffect(() => view.current?.dispatch({ effects: languagePart.current.reconfigure(language) }), [language])
  return <div ref={host} className={classes['editor']} />
}

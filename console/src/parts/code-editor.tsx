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
  /** The texts that were reported and are not yet the value. */
  const reported = useRef<string[]>([])
  /** Whether the text is being replaced by a value. */
  const isGiven = useRef(false)
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
            if (!update.docChanged || isGiven.current) return
            const text = update.state.doc.toString()
            reported.current.push(text)
            latest.current.onChange?.(text)
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
    // A value that comes back from here is older than the text if someone types faster than the page renders.
    const at = reported.current.indexOf(value)
    reported.current.splice(0, at + 1)
    if (!editor || at >= 0 || editor.state.doc.toString() === value) return
    reported.current = []
    isGiven.current = true
    editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: value } })
    isGiven.current = false
  }, [value])
  useEffect(() => view.current?.dispatch({ effects: languagePart.current.reconfigure(language) }), [language])
  return <div ref={host} className={classes['editor']} />
}

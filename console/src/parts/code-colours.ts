import { HighlightStyle, syntaxHighlighting } from '@codemirror/language'
import { tags } from '@lezer/highlight'

/** Colours of code that are legible in light and dark: they are variables of the page. */
export const codeColours = syntaxHighlighting(
  HighlightStyle.define([
    { tag: [tags.keyword, tags.operatorKeyword, tags.bool, tags.null], color: 'var(--code-keyword)' },
    { tag: [tags.string, tags.special(tags.string)], color: 'var(--code-string)' },
    { tag: [tags.number], color: 'var(--code-number)' },
    { tag: [tags.comment], color: 'var(--mantine-color-dimmed)', fontStyle: 'italic' },
    { tag: [tags.definition(tags.variableName), tags.function(tags.variableName), tags.propertyName], color: 'var(--code-name)' },
  ]),
)

import type { JsonObject } from '../../../../model/json.ts'
import { setField } from './fields.ts'

/** What a message looks like, and what it means. */
export interface Template {
  /** How it starts. */
  readonly start: string
  /** Fields from the text by name, or `undefined` if it does not fit. */
  match(text: string): JsonObject | undefined
}

interface Step {
  readonly field: string
  /** It may contain spaces and reaches to the last occurrence of what follows. */
  readonly isOpen: boolean
  /** What follows it; '' at the end. */
  readonly next: string
}

/**
 * A template is text with fields: `{name}` is one word, `{name...}` any text up to the last occurrence of what follows it, and
 * `{_}` is a word that is not kept. A template that ends with `…` allows any text after it. `meaning` is added to the fields.
 *
 * Matching looks for each literal once, so it takes time linear in the text.
 */
export function template(pattern: string, meaning: JsonObject): Template {
  const isPrefix = pattern.endsWith('…')
  const [start = '', ...parts] = (isPrefix ? pattern.slice(0, -1) : pattern).split('{')
  const steps = parts.map((part): Step => {
    const [name = '', next = ''] = part.split('}')
    return { field: name.replace('...', ''), isOpen: name.endsWith('...'), next }
  })
  return {
    start,
    match(text) {
      if (!text.startsWith(start)) return undefined
      const fields: JsonObject = { ...meaning }
      let at = start.length
      for (const { field, isOpen, next } of steps) {
        const end = endOf(text, at, next, isOpen, isPrefix)
        if (end < at) return undefined
        const value = text.slice(at, end)
        if (!isOpen && (value === '' || value.includes(' '))) return undefined
        if (field !== '_' && !setField(fields, field, value)) return undefined
        at = end + next.length
      }
      return isPrefix || at === text.length ? fields : undefined
    },
  }
}

function endOf(text: string, at: number, next: string, isOpen: boolean, isPrefix: boolean): number {
  if (next !== '') return isOpen ? text.lastIndexOf(next) : text.indexOf(next, at)
  const space = isPrefix && !isOpen ? text.indexOf(' ', at) : -1
  return space < 0 ? text.length : space
}

/** The fields of the first template that fits. */
export function firstMatch(templates: readonly Template[], text: string): JsonObject | undefined {
  for (const one of templates) {
    const fields = one.match(text)
    if (fields) return fields
  }
  return undefined
}

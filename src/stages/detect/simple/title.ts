import type { Field } from '../../../model/condition/condition.ts'
import { parseKeyPath } from './key-path.ts'

/** A piece of a title: literal text, or the value of a field. */
export type TitlePart = string | { readonly name: string; readonly field: Field }

/**
 * Parses an `AlertTitle`: `{a.b}` is the value at a path. Braces around anything else are text, so that a title may quote
 * JSON.
 */
export function parseTitle(template: string): readonly TitlePart[] {
  const parts: TitlePart[] = []
  let end = 0
  for (const match of template.matchAll(/\{([^{}\n]{1,1000})\}/g)) {
    const name = match[1]!.trim()
    const segments = parseKeyPath(name)
    if (typeof segments === 'string') continue
    if (match.index > end) parts.push(template.slice(end, match.index))
    parts.push({ name, field: { kind: 'path', segments } })
    end = match.index + match[0].length
  }
  if (end < template.length || parts.length === 0) parts.push(template.slice(end))
  return parts
}

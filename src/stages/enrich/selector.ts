import { ConfigError } from '../../util/errors.ts'

/** Where in an event a table's key is found. */
export interface Selector {
  /** As written, without a leading `$.`: the name under `p_enrichment.<table>`. */
  readonly name: string
  /** Path from the event down. Arrays on the way are walked element by element and need no step. */
  readonly path: readonly string[]
}

/** A selector as written: a field, or the fields whose values together are a composite key. */
export type SelectorText = string | readonly string[]

/** The fields of a selector. */
export function selectorFields(selector: SelectorText): readonly string[] {
  return typeof selector === 'string' ? [selector] : selector
}

/** The name of a selector under `p_enrichment.<table>`: that of its field, or of its fields joined by `+`. */
export function selectorName(selector: SelectorText): string {
  return selectorFields(selector)
    .map((field) => (field.startsWith('$.') ? field.slice(2) : field))
    .join('+')
}

/** A name without dots and brackets, or `['any name']`, or `[*]` (every element: arrays are walked anyway). */
const STEP = /^(?:\.?([^.[\]'"$]+)|\[\s*(?:'([^']+)'|"([^"]+)"|(\*))\s*\])/

/**
 * Reads a selector: `field`, `a.b`, `$.a.b`, `$.a[*].b`, `$['odd name'].b`.
 *
 * @throws {ConfigError} on anything else.
 */
export function parseSelector(text: string): Selector {
  const name = selectorName(text)
  const path: string[] = []
  let rest = text.startsWith('$') ? text.slice(1) : text
  while (rest !== '') {
    const step = STEP.exec(rest)
    if (!step) throw refuse(text, 'write a field name, a dotted path or $.a.b')
    const field = step[1] ?? step[2] ?? step[3]
    if (field !== undefined) path.push(field)
    rest = rest.slice(step[0].length)
  }
  if (path.length === 0 || path.length > 32) throw refuse(text, 'it must name between 1 and 32 fields')
  // No event has such a field, and setting it under p_enrichment would change a prototype.
  if (name === '__proto__') throw refuse(text, 'no event has such a field')
  return { name, path }
}

function refuse(text: string, advice: string): ConfigError {
  return new ConfigError(`selector ${JSON.stringify(text)} cannot be read: ${advice}`)
}

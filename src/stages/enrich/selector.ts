import { ConfigError } from '../../util/errors.ts'

/** Where in an event a table's key is found. */
export interface Selector {
  /** As written, without a leading `$.`: the name under `p_enrichment.<table>`. */
  readonly name: string
  /** Path from the event down. Arrays on the way are walked element by element and need no step. */
  readonly path: readonly string[]
}

/** A name without dots and brackets, or `['any name']`, or `[*]` (every element: arrays are walked anyway). */
const STEP = /^(?:\.?([^.[\]'"$]+)|\[\s*(?:'([^']+)'|"([^"]+)"|(\*))\s*\])/

/**
 * Reads a selector: `field`, `a.b`, `$.a.b`, `$.a[*].b`, `$['odd name'].b`.
 *
 * @throws {ConfigError} on anything else.
 */
export function parseSelector(text: string): Selector {
  const name = text.startsWith('$.') ? text.slice(2) : text
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

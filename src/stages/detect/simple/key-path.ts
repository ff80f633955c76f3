import type { Segment } from '../../../model/condition/condition.ts'

/** No log is nested deeper. */
export const MAX_STEPS = 32

const MAX_LENGTH = 1000

/** A name, after a dot unless it comes first; or `[3]`; or `[*]`. */
const STEP = /^(?:(\.?)([^.[\]]+)|\[(?:(\d{1,9})|(\*))\])/

/**
 * Reads a `KeyPath`: `a`, `a.b`, `a.b[2].c`, `a[*].b`. Returns its steps, or a sentence that says what is wrong. A name that
 * contains a dot or a bracket can be written as `Key` or in a `DeepKey`.
 */
export function parseKeyPath(text: string): readonly Segment[] | string {
  if (text.length > MAX_LENGTH) return `is longer than ${MAX_LENGTH} characters`
  const segments: Segment[] = []
  let rest = text
  while (rest !== '') {
    const [whole, dot, name, index, each] = STEP.exec(rest) ?? []
    const isMisplaced = name !== undefined && (dot === '.') === (segments.length === 0)
    if (whole === undefined || isMisplaced || (segments.length === 0 && name === undefined)) {
      return `cannot be read at ${JSON.stringify(rest.slice(0, 20))}: write a path such as a.b, a.b[2].c or a[*].b`
    }
    segments.push(name ?? (each ? null : Number(index)))
    rest = rest.slice(whole.length)
  }
  if (segments.length === 0) return 'is empty: name a field'
  return segments.length > MAX_STEPS ? `has more than ${MAX_STEPS} steps` : segments
}

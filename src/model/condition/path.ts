import { isObject, type JsonObject, type JsonValue } from '../json.ts'
import type { Field, Segment } from './condition.ts'

/** Called with each value found; returning true ends the search. */
export type Visit = (value: JsonValue) => boolean

/** A field, ready to be read. `scope` is where paths begin: the event, or the element being tested. */
export interface Reader {
  /** Reads the value of a path that can only have one; the function itself is `undefined` for a path that can have several. */
  readonly one: ((scope: JsonValue, event: JsonObject) => JsonValue | undefined) | undefined
  /** Visits the values found, in order, until the visitor returns true; returns whether it did. */
  readonly visit: (scope: JsonValue, event: JsonObject, visit: Visit) => boolean
}

/** Reads one step from a value. */
type Step = (value: JsonValue) => JsonValue | undefined

/** Prepares a field for reading. */
export function compileField(field: Field): Reader {
  if (field.kind === 'path' && field.walk) {
    const { segments } = field
    return { one: undefined, visit: (scope, _event, visit) => walkAll(scope, segments, 0, visit) }
  }
  const isExact = field.kind === 'path' && field.exactCase === true
  const steps = field.segments.map((segment) => compileStep(segment, isExact))
  if (field.kind === 'enrichment') return enrichmentReader(field.table, field.selector, steps)
  if (steps.includes(null)) return { one: undefined, visit: (scope, _event, visit) => walk(scope, steps, 0, visit) }
  const one = singleReader(steps as readonly Step[])
  const visit: Reader['visit'] = (scope, _event, found) => {
    const value = one(scope)
    return value !== undefined && found(value)
  }
  return { one, visit }
}

function singleReader(steps: readonly Step[]): (scope: JsonValue) => JsonValue | undefined {
  const [first, second] = steps
  if (!first) return (scope) => scope
  if (!second) return first
  return (scope) => {
    let value: JsonValue | undefined = scope
    for (const step of steps) {
      value = step(value)
      if (value === undefined) return undefined
    }
    return value
  }
}

/** A row, or each row in a list, under `p_enrichment`; a null row has no fields. */
function enrichmentReader(table: string, selector: string, steps: readonly (Step | null)[]): Reader {
  const under = singleReader(['p_enrichment', table, selector].map((name) => compileStep(name, false) as Step))
  return {
    one: undefined,
    visit: (_scope, event, visit) => {
      const rows = under(event)
      if (rows === undefined) return false
      if (!Array.isArray(rows)) return walk(rows, steps, 0, visit)
      return rows.some((row: JsonValue) => walk(row, steps, 0, visit))
    },
  }
}

function walk(value: JsonValue, steps: readonly (Step | null)[], at: number, visit: Visit): boolean {
  if (at === steps.length) return visit(value)
  const step = steps[at]!
  if (step === null) return Array.isArray(value) && value.some((element: JsonValue) => walk(element, steps, at + 1, visit))
  const inner = step(value)
  return inner !== undefined && walk(inner, steps, at + 1, visit)
}

function walkAll(value: JsonValue, names: readonly Segment[], at: number, visit: Visit): boolean {
  if (Array.isArray(value)) {
    if (at === names.length && visit(value)) return true
    return value.some((element: JsonValue) => walkAll(element, names, at, visit))
  }
  if (at === names.length) return visit(value)
  const name = names[at] as string
  return isObject(value) && Object.hasOwn(value, name) && walkAll(value[name]!, names, at + 1, visit)
}

function compileStep(segment: Segment, isExact: boolean): Step | null {
  if (segment === null) return null
  if (typeof segment === 'number') return (value) => (Array.isArray(value) ? (value[segment] as JsonValue) : undefined)
  if (isExact) {
    return (value) => (isObject(value) && Object.hasOwn(value, segment) ? value[segment] : undefined)
  }
  const lower = segment.toLowerCase()
  return (value) => (isObject(value) ? findName(value, segment, lower) : undefined)
}

/**
 * The value under a name: the exact key, or else the first that differs only in case (like the event object of Python rules).
 * `lower` is the name in lower case.
 */
export function findName(object: JsonObject, name: string, lower: string): JsonValue | undefined {
  if (Object.hasOwn(object, name)) return object[name]
  // İ (U+0130) is the only character whose lower case is longer than itself.
  const sameLength = !lower.includes('i\u0307')
  const first = lower.charCodeAt(0)
  for (const key in object) {
    if (sameLength && key.length !== lower.length) continue
    // The upper and lower case of an ASCII letter differ in one bit.
    const other = key.charCodeAt(0)
    if (first < 0x80 && other < 0x80 && (first ^ other) & ~0x20) continue
    if (key.toLowerCase() === lower && Object.hasOwn(object, key)) return object[key]
  }
  return undefined
}

import type { Ask } from './event-data.ts'

/** A filter as the API takes it. */
export interface EventFilter {
  readonly field: string
  readonly op: Op
  readonly values?: readonly (string | number | boolean)[]
}

export type Op = NonNullable<Ask['filters']>[number]['op']

/** Operations in words, and how many values they take. */
export const OPS: Readonly<Record<Op, { readonly label: string; readonly takes: 'none' | 'one' | 'many' }>> = {
  equals: { label: 'is', takes: 'many' },
  not_equals: { label: 'is not', takes: 'many' },
  contains: { label: 'contains', takes: 'many' },
  not_contains: { label: 'does not contain', takes: 'many' },
  starts_with: { label: 'begins with', takes: 'many' },
  ends_with: { label: 'ends with', takes: 'many' },
  greater: { label: 'is greater than', takes: 'one' },
  greater_or_equal: { label: 'is at least', takes: 'one' },
  less: { label: 'is less than', takes: 'one' },
  less_or_equal: { label: 'is at most', takes: 'one' },
  in_network: { label: 'is in the network', takes: 'many' },
  not_in_network: { label: 'is not in the network', takes: 'many' },
  exists: { label: 'exists', takes: 'none' },
  missing: { label: 'is missing', takes: 'none' },
}

const MOST_FILTERS = 50

/** Reads filters of a URL; what is not understood is left out. */
export function readFilters(given: unknown): EventFilter[] {
  if (!Array.isArray(given)) return []
  return given.slice(0, MOST_FILTERS).flatMap((one: unknown) => {
    if (one === null || typeof one !== 'object') return []
    const { field, op, values } = one as Record<string, unknown>
    if (typeof field !== 'string' || typeof op !== 'string' || !Object.hasOwn(OPS, op)) return []
    const { takes } = OPS[op as Op]
    const kept = Array.isArray(values) ? values.filter(isValue).slice(0, takes === 'one' ? 1 : 100) : []
    if (takes === 'none') return [{ field, op: op as Op }]
    return kept.length === 0 ? [] : [{ field, op: op as Op, values: kept }]
  })
}

function isValue(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
}

/** `user is ana or bob`. */
export function filterText({ field, op, values = [] }: EventFilter): string {
  return `${field} ${OPS[op].label} ${values.join(' or ')}`.trim()
}

/** The filters with another one, at the place of one of them or at the end. No filter is there twice. */
export function withFilter(filters: readonly EventFilter[], next: EventFilter, place = filters.length): EventFilter[] {
  const text = filterText(next)
  const others = filters.filter((one, i) => i === place || filterText(one) !== text)
  return place < filters.length ? others.map((one) => (one === filters[place] ? next : one)) : [...others, next]
}

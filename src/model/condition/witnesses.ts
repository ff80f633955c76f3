import type { Condition, Field, Scalar } from './condition.ts'
import { unknown } from './values.ts'

/**
 * Something that can be looked up about one field. `equal`, `prefix`, `suffix` and `contains` hold when one of the field's values
 * passes the comparison of that name; `present` when the field has a value, be it null.
 */
export type Witness =
  | { readonly kind: 'equal' | 'contains'; readonly field: Field; readonly value: Scalar; readonly ignoreCase: boolean }
  | { readonly kind: 'prefix' | 'suffix'; readonly field: Field; readonly value: string; readonly ignoreCase: boolean }
  | { readonly kind: 'present'; readonly field: Field }

/**
 * Necessary conditions of a condition: whenever it holds for an event, at least one of them does. None at all means that it
 * never holds; `undefined` that nothing can be told. Conservative: what is not understood is `undefined`.
 */
export function witnesses(condition: Condition): readonly Witness[] | undefined {
  switch (condition.op) {
    case 'always':
      return condition.value ? undefined : []
    case 'and':
      return best(condition.of.map(witnesses))
    // Whichever number of them must hold, one must.
    case 'or':
    case 'onlyOne':
      return union(condition.of.map(witnesses))
    case 'none':
      return best(condition.of.map(negated))
    case 'not':
      return negated(condition.of)
    case 'compare':
      return ofComparison(condition)
    case 'in':
      return condition.values.map((value) => equal(condition.field, value, condition.ignoreCase))
    case 'compareFields':
      return best([[present(condition.left)], [present(condition.right)]])
    case 'exists':
    case 'address':
    case 'network':
      return [present(condition.field)]
    // They hold for missing fields.
    case 'null':
    case 'nullOrEmpty':
      return undefined
    case 'elements':
      return ofElements(condition)
    default:
      return unknown(condition)
  }
}

/** Of the negation of a condition. */
function negated(condition: Condition): readonly Witness[] | undefined {
  switch (condition.op) {
    case 'always':
      return condition.value ? [] : undefined
    case 'not':
      return witnesses(condition.of)
    case 'and':
      return union(condition.of.map(negated))
    case 'or':
      return best(condition.of.map(negated))
    case 'none':
      return union(condition.of.map(witnesses))
    case 'null':
    case 'nullOrEmpty':
      return [present(condition.field)]
    case 'elements':
      return condition.quantifier === 'none' ? ofElements({ ...condition, quantifier: 'any' }) : undefined
    // The negation of any other test holds for missing fields.
    case 'onlyOne':
    case 'compare':
    case 'in':
    case 'compareFields':
    case 'exists':
    case 'address':
    case 'network':
      return undefined
    default:
      return unknown(condition)
  }
}

function equal(field: Field, value: Scalar, ignoreCase = false): Witness {
  return { kind: 'equal', field, value, ignoreCase }
}

function present(field: Field): Witness {
  return { kind: 'present', field }
}

function ofComparison({ test, field, value, ignoreCase = false }: Extract<Condition, { op: 'compare' }>): readonly Witness[] {
  switch (test) {
    case 'equals':
      return [equal(field, value, ignoreCase)]
    case 'contains':
      return [{ kind: 'contains', field, value, ignoreCase }]
    case 'starts':
    case 'ends':
      // Nothing but a text begins or ends a text.
      if (typeof value !== 'string') return []
      return [{ kind: test === 'starts' ? 'prefix' : 'suffix', field, value, ignoreCase }]
    case 'greater':
    case 'greaterOrEqual':
    case 'less':
    case 'lessOrEqual':
      return [present(field)]
    default:
      return unknown(test)
  }
}

/** The witnesses of `where`, with paths that begin at the event. */
function ofElements({ quantifier, field, where }: Extract<Condition, { op: 'elements' }>): readonly Witness[] | undefined {
  if (quantifier === 'none') return undefined
  // An empty list satisfies `all`; the elements of several lists have no single path.
  const isPlain = field.kind === 'path' && !field.segments.includes(null)
  if (quantifier === 'all' || !isPlain) return [present(field)]
  const inner = witnesses(where)
  if (inner?.some((witness) => isCaseMixed(field, witness.field))) return [present(field)]
  return inner?.map((witness) => ({ ...witness, field: beneath(field, witness.field) })) ?? [present(field)]
}

/** Only one of two paths is case-sensitive, or either has a name: together they are no path. */
function isCaseMixed(outer: Field & { kind: 'path' }, inner: Field): boolean {
  return inner.kind === 'path' && (outer.exactCase === true) !== (inner.exactCase === true)
}

function beneath(outer: Field & { kind: 'path' }, inner: Field): Field {
  return inner.kind === 'path' ? { ...outer, segments: [...outer.segments, null, ...inner.segments] } : inner
}

/** One of the lists is enough: the one that lets the fewest events through, as far as can be told. */
function best(lists: readonly (readonly Witness[] | undefined)[]): readonly Witness[] | undefined {
  let chosen: readonly Witness[] | undefined
  for (const list of lists) {
    if (list && (!chosen || cost(list) < cost(chosen))) chosen = list
  }
  return chosen
}

function union(lists: readonly (readonly Witness[] | undefined)[]): readonly Witness[] | undefined {
  const all: Witness[] = []
  for (const list of lists) {
    if (!list) return undefined
    for (const witness of list) all.push(witness)
  }
  return all
}

const COSTS = { equal: 1, prefix: 8, suffix: 8, contains: 30, present: 1000 } as const

/** How many events are let through, roughly: equality is the rarest, and presence says next to nothing. */
function cost(list: readonly Witness[]): number {
  // Beneath an enrichment hardly any event has a value at all.
  return list.reduce((sum, { kind, field }) => sum + (field.kind === 'enrichment' ? 1 : COSTS[kind]), 0)
}

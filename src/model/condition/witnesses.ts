import type { Condition, Field, Scalar } from './condition.ts'
import { unknown } from './values.ts'

/**
 * Something that can be looked up about one field. `equal`, `prefix`, `suffix` and `contains` hold when one of the field's values
 * passes the comparison of that name; `present` when the field has a value, be it null; `beyondAscii` when one is a text with such a
 * character in it.
 */
export type Witness =
  | { readonly kind: 'equal' | 'contains'; readonly field: Field; readonly value: Scalar; readonly ignoreCase: boolean }
  | { readonly kind: 'prefix' | 'suffix'; readonly field: Field; readonly value: string; readonly ignoreCase: boolean }
  | { readonly kind: 'present' | 'beyondAscii'; readonly field: Field }

/** How many events a witness lets through, in comparison with others. */
export type Cost = (witness: Witness) => number

/**
 * Necessary conditions of a condition: whenever it holds for an event, at least one of them does. None at all means that it
 * never holds; `undefined` that nothing can be told. Conservative: what is not understood is `undefined`. Where there is a
 * choice, the list that costs least is taken; `cost` is asked about every witness that could be chosen.
 */
export function witnesses(condition: Condition, cost: Cost = costOf): readonly Witness[] | undefined {
  const holding = (one: Condition) => witnesses(one, cost)
  const failing = (one: Condition) => negated(one, cost)
  switch (condition.op) {
    case 'always':
      return condition.value ? undefined : []
    case 'and':
      return best(condition.of.map(holding), cost)
    // Whichever number of them must hold, one must.
    case 'or':
    case 'onlyOne':
      return union(condition.of.map(holding))
    case 'none':
      return best(condition.of.map(failing), cost)
    case 'not':
      return failing(condition.of)
    case 'compare':
      return ofComparison(condition)
    case 'in':
      return condition.values.map((value) => equal(condition.field, value, condition.ignoreCase))
    case 'compareFields':
      return best([[present(condition.left)], [present(condition.right)]], cost)
    case 'exists':
    case 'address':
    case 'network':
    case 'pattern':
      return [present(condition.field)]
    case 'beyondAscii':
      return [{ kind: 'beyondAscii', field: condition.field }]
    // They hold for missing fields.
    case 'null':
    case 'nullOrEmpty':
      return undefined
    case 'elements':
      return ofElements(condition, cost)
    default:
      return unknown(condition)
  }
}

/** Of the negation of a condition. */
function negated(condition: Condition, cost: Cost): readonly Witness[] | undefined {
  const holding = (one: Condition) => witnesses(one, cost)
  const failing = (one: Condition) => negated(one, cost)
  switch (condition.op) {
    case 'always':
      return condition.value ? [] : undefined
    case 'not':
      return holding(condition.of)
    case 'and':
      return union(condition.of.map(failing))
    case 'or':
      return best(condition.of.map(failing), cost)
    case 'none':
      return union(condition.of.map(holding))
    case 'null':
    case 'nullOrEmpty':
      return [present(condition.field)]
    case 'elements':
      return condition.quantifier === 'none' ? ofElements({ ...condition, quantifier: 'any' }, cost) : undefined
    // The negation of any other test holds for missing fields.
    case 'onlyOne':
    case 'compare':
    case 'in':
    case 'compareFields':
    case 'exists':
    case 'beyondAscii':
    case 'address':
    case 'network':
    case 'pattern':
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
function ofElements(
  { quantifier, field, where }: Extract<Condition, { op: 'elements' }>,
  cost: Cost,
): readonly Witness[] | undefined {
  if (quantifier === 'none') return undefined
  // An empty list satisfies `all`; the elements of several lists have no single path.
  const isPlain = field.kind === 'path' && !field.segments.includes(null)
  if (quantifier === 'all' || !isPlain) return [present(field)]
  const inner = witnesses(where, cost)
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
function best(lists: readonly (readonly Witness[] | undefined)[], cost: Cost): readonly Witness[] | undefined {
  let chosen: readonly Witness[] | undefined
  let least = Number.POSITIVE_INFINITY
  for (const list of lists) {
    if (!list) continue
    const sum = list.reduce((total, witness) => total + cost(witness), 0)
    if (chosen && sum >= least) continue
    chosen = list
    least = sum
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

const COSTS = { equal: 1, prefix: 8, suffix: 8, contains: 30, beyondAscii: 2, present: 1000 } as const

/** Roughly: equality is the rarest, and presence says next to nothing. */
export function costOf({ kind, field }: Witness): number {
  // Beneath an enrichment hardly any event has a value at all.
  return field.kind === 'enrichment' ? 1 : COSTS[kind]
}

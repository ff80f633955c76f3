import type { Condition, Field, Scalar } from './condition.ts'
import { unknown } from './values.ts'

/**
 * A fact about one field that can be indexed. `equal`, `prefix`, `suffix` and `contains` hold if one of the field's values passes
 * that comparison; `present` if the field has a value, even null; `beyondAscii` if one is a text with a non-ASCII character.
 */
export type Witness =
  | { readonly kind: 'equal' | 'contains'; readonly field: Field; readonly value: Scalar; readonly ignoreCase: boolean }
  | { readonly kind: 'prefix' | 'suffix'; readonly field: Field; readonly value: string; readonly ignoreCase: boolean }
  | { readonly kind: 'present' | 'beyondAscii'; readonly field: Field }

/** The relative number of events that a witness lets through. */
export type Cost = (witness: Witness) => number

/**
 * Witnesses of a condition: whenever it holds for an event, at least one of them does. An empty list means that it never holds,
 * `undefined` that no witnesses are known. Conservative: anything not understood is `undefined`. Where there is a choice, the
 * cheapest list is taken; `cost` is called for every witness that could be chosen.
 */
export function witnesses(condition: Condition, cost: Cost = costOf): readonly Witness[] | undefined {
  const holding = (one: Condition) => witnesses(one, cost)
  const failing = (one: Condition) => negated(one, cost)
  switch (condition.op) {
    case 'always':
      return condition.value ? undefined : []
    case 'and':
      return best(condition.of.map(holding), cost)
    // However many of them must hold, at least one must.
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
    // These hold for missing fields.
    case 'null':
    case 'nullOrEmpty':
      return undefined
    case 'elements':
      return ofElements(condition, cost)
    default:
      return unknown(condition)
  }
}

/** The witnesses of a condition's negation. */
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
      // Only a text can be a prefix or suffix.
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
  // An empty list satisfies `all`, and the elements of several lists have no single path.
  const isPlain = field.kind === 'path' && !field.segments.includes(null)
  if (quantifier === 'all' || !isPlain) return [present(field)]
  const inner = witnesses(where, cost)
  if (inner?.some((witness) => isCaseMixed(field, witness.field))) return [present(field)]
  return inner?.map((witness) => ({ ...witness, field: beneath(field, witness.field) })) ?? [present(field)]
}

/** One path is case-sensitive and the other is not, so they cannot be joined into one. */
function isCaseMixed(outer: Field & { kind: 'path' }, inner: Field): boolean {
  return inner.kind === 'path' && (outer.exactCase === true) !== (inner.exactCase === true)
}

function beneath(outer: Field & { kind: 'path' }, inner: Field): Field {
  return inner.kind === 'path' ? { ...outer, segments: [...outer.segments, null, ...inner.segments] } : inner
}

/** One of the lists is enough: the one that is estimated to let the fewest events through. */
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

/** A rough order: equality is the rarest, and presence says almost nothing. */
export function costOf({ kind, field }: Witness): number {
  // Hardly any event has a value below an enrichment.
  return field.kind === 'enrichment' ? 1 : COSTS[kind]
}

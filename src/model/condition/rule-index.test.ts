import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseJson, stringifyJson } from '../../util/json.ts'
import type { JsonObject, JsonValue } from '../json.ts'
import { compile } from './compile.ts'
import type { Condition, Field, Scalar } from './condition.ts'
import { createRuleIndex } from './rule-index.ts'
import { comparison, isEqual, isNullOrEmpty } from './values.ts'
import { witnesses } from './witnesses.ts'

const seed = 4848

// Few values, so that random conditions do match random events.
const name = fc.constantFrom('a', 'A', 'b', 'c')
const word = fc.constantFrom('', 'a', 'A', 'ab', 'aB', 'xab', 'abx', '1', '10.0.0.1', '8.8.8.8')
const scalar: fc.Arbitrary<Scalar> = fc.oneof(
  { weight: 3, arbitrary: word },
  { weight: 1, arbitrary: fc.constantFrom<Scalar>(0, 1, true, false, null, 1.5, 2n ** 60n, 1e300) },
)
const event = fc.letrec<{ value: JsonValue; object: JsonObject }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    { weight: 3, arbitrary: scalar },
    fc.array(word),
    fc.array(tie('value'), { maxLength: 3 }),
    tie('object'),
  ),
  object: fc.dictionary(name, tie('value'), { maxKeys: 4 }) as fc.Arbitrary<JsonObject>,
}))
const enriched = fc
  .tuple(event.object, fc.option(fc.oneof(event.object, fc.array(event.object, { maxLength: 2 }))))
  .map(([object, rows]): JsonObject => (rows === null ? object : { ...object, p_enrichment: { t: { s: rows } } }))

const segments = fc.array(fc.oneof({ weight: 4, arbitrary: name }, fc.constantFrom(0, null)), { minLength: 1, maxLength: 3 })
const field: fc.Arbitrary<Field> = fc.oneof(
  { weight: 6, arbitrary: segments.map((list): Field => ({ kind: 'path', segments: list })) },
  segments.map((list): Field => ({ kind: 'path', segments: list, exactCase: true })),
  segments.map((list): Field => ({ kind: 'enrichment', table: 'T', selector: 's', segments: list })),
  fc.constant<Field>({ kind: 'path', segments: [] }),
)
const ignoreCase = fc.boolean()
const comparisons = fc.constantFrom('equals', 'starts', 'ends', 'contains', 'greater', 'greaterOrEqual', 'less', 'lessOrEqual')
const top: fc.Arbitrary<Field> = name.map((one) => ({ kind: 'path', segments: [one] }))
const leaf: fc.Arbitrary<Condition> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constant('compare'),
      test: fc.constantFrom('contains', 'starts', 'ends'),
      field: top,
      value: word,
      ignoreCase,
    }),
  },
  { weight: 6, arbitrary: fc.record({ op: fc.constant('compare'), test: comparisons, field, value: scalar, ignoreCase }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('in'), field, values: fc.array(scalar, { maxLength: 3 }), ignoreCase }) },
  fc.record({ op: fc.constant('compareFields'), test: comparisons, left: field, right: field, ignoreCase }),
  fc.record({ op: fc.constantFrom('exists', 'null', 'nullOrEmpty'), field }),
  fc.record({ op: fc.constant('address'), field, kind: fc.constantFrom('any', 'v4', 'v6', 'public', 'private') }),
  fc.record({ op: fc.constant('network'), field, networks: fc.constant(['10.0.0.0/8']) }),
  fc.record({ op: fc.constant('pattern'), field, patterns: fc.constantFrom(['a*'], ['1', '*b*']) }),
  fc.record({ op: fc.constant('always'), value: fc.boolean() }),
) as fc.Arbitrary<Condition>
const { condition } = fc.letrec<{ condition: Condition; list: readonly Condition[] }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 4 },
    { weight: 4, arbitrary: leaf },
    fc.record({ op: fc.constantFrom('and', 'or', 'onlyOne', 'none'), of: tie('list') }),
    fc.record({ op: fc.constant('not'), of: tie('condition') }),
    fc.record({
      op: fc.constant('elements'),
      quantifier: fc.constantFrom('any', 'all', 'none', 'onlyOne'),
      field,
      where: tie('condition'),
    }),
  ) as fc.Arbitrary<Condition>,
  list: fc.array(tie('condition'), { maxLength: 3 }),
}))

/** All values of a field, found naively. */
function slowValues(one: Field, scope: JsonValue, root: JsonObject): JsonValue[] {
  if (one.kind === 'enrichment') {
    const rows = slowSteps(root, ['p_enrichment', one.table, one.selector], false)
    return rows.flatMap((row) => (Array.isArray(row) ? row : [row])).flatMap((row) => slowSteps(row, one.segments, false))
  }
  return slowSteps(scope, one.segments, one.exactCase === true)
}

function slowSteps(start: JsonValue, steps: readonly (string | number | null)[], isExact: boolean): JsonValue[] {
  return steps.reduce<JsonValue[]>((values, step) => values.flatMap((value) => slowStep(value, step, isExact)), [start])
}

function slowStep(value: JsonValue, step: string | number | null, isExact: boolean): JsonValue[] {
  if (Array.isArray(value)) return step === null ? [...value] : typeof step === 'number' && step in value ? [value[step]] : []
  if (typeof value !== 'object' || value === null || typeof step !== 'string') return []
  const entries = Object.entries(value)
  const found =
    entries.find(([key]) => key === step) ??
    (isExact ? undefined : entries.find(([key]) => key.toLowerCase() === step.toLowerCase()))
  return found ? [found[1] as JsonValue] : []
}

/** The meaning of a condition, written for clarity alone. */
function slow(one: Condition, scope: JsonValue, root: JsonObject): boolean {
  const values = (of: Field) => slowValues(of, scope, root)
  switch (one.op) {
    case 'always':
      return one.value
    case 'not':
      return !slow(one.of, scope, root)
    case 'and':
    case 'or':
    case 'onlyOne':
    case 'none': {
      const count = one.of.filter((part) => slow(part, scope, root)).length
      return { and: count === one.of.length, or: count > 0, onlyOne: count === 1, none: count === 0 }[one.op]
    }
    case 'compare':
      return values(one.field).some((value) => comparison(one.test, one.ignoreCase === true)(value, one.value))
    case 'in':
      return values(one.field).some((value) =>
        one.values.some((item) => comparison('equals', one.ignoreCase === true)(value, item)),
      )
    case 'compareFields': {
      const test = comparison(one.test, one.ignoreCase === true)
      return values(one.left).some((left) => values(one.right).some((right) => test(left, right)))
    }
    case 'exists':
      return values(one.field).length > 0
    case 'null':
      return values(one.field).every((value) => value === null)
    case 'nullOrEmpty':
      return values(one.field).every(isNullOrEmpty)
    case 'elements':
      return slowElements(one, scope, root)
    default:
      // Addresses have their own tests.
      return values(one.field).some((value) => compile({ ...one, field: { kind: 'path', segments: ['v'] } })({ v: value }))
  }
}

function slowElements(one: Condition & { op: 'elements' }, scope: JsonValue, root: JsonObject): boolean {
  const isSeveral = one.field.kind === 'enrichment' || one.field.segments.includes(null)
  const found = slowValues(one.field, scope, root)
  const lists = isSeveral ? found : found.filter(Array.isArray)
  const all = lists.flatMap((value) => (Array.isArray(value) ? (value as JsonValue[]) : [value]))
  const count = all.filter((element) => slow(one.where, element, root)).length
  return { any: count > 0, all: lists.length > 0 && count === all.length, onlyOne: count === 1, none: count === 0 }[
    one.quantifier
  ]
}

test('a compiled condition agrees with the slow evaluation', () => {
  let held = 0
  fc.assert(
    fc.property(condition, enriched, (one, object) => {
      const expected = slow(one, object, object)
      if (expected) held++
      expect(compile(one)(object)).toBe(expected)
    }),
    { seed, numRuns: 6000 },
  )
  expect(held).toBeGreaterThan(600)
})

test('candidates include every condition that holds for the event', () => {
  let candidates = 0
  let held = 0
  let all = 0
  const sample = fc.tuple(
    fc.array(condition, { minLength: 10, maxLength: 30 }),
    fc.array(enriched, { minLength: 5, maxLength: 10 }),
  )
  fc.assert(
    fc.property(sample, ([conditions, events]) => {
      const index = createRuleIndex(conditions)
      const compiled = conditions.map((one) => compile(one))
      for (const object of events) {
        const found = index.candidates(object)
        expect(found).toEqual([...new Set(found)].sort((a, b) => a - b))
        const matches = compiled.flatMap((predicate, rule) => (predicate(object) ? [rule] : []))
        expect(matches.filter((rule) => !found.includes(rule))).toEqual([])
        candidates += found.length
        held += matches.length
        all += conditions.length
      }
    }),
    { seed, numRuns: 400 },
  )
  // Naming them all would be sound but useless.
  expect(held).toBeGreaterThan(all / 10)
  expect(candidates).toBeLessThan(all * 0.8)
})

test('a condition survives exact JSON', () => {
  fc.assert(
    fc.property(condition, enriched, (one, object) => {
      const again = parseJson(stringifyJson(one as unknown as JsonValue), { maxDepth: 64 })
      if (again.kind !== 'ok') throw new Error(again.message)
      expect(isEqual(again.value, one as unknown as JsonValue)).toBe(true)
      expect(compile(again.value as unknown as Condition)(object)).toBe(compile(one)(object))
    }),
    { seed, numRuns: 500 },
  )
})

describe('witnesses', () => {
  const a: Field = { kind: 'path', segments: ['a'] }
  const equals = (value: string): Condition => ({ op: 'compare', test: 'equals', field: a, value })
  const starts: Condition = { op: 'compare', test: 'starts', field: a, value: 'x' }
  const isNull: Condition = { op: 'null', field: a }
  const not = (of: Condition): Condition => ({ op: 'not', of })
  const cases: readonly (readonly [name: string, condition: Condition, kinds: readonly string[] | undefined])[] = [
    ['of an equality', equals('x'), ['equal']],
    ['of its negation are unknown', not(equals('x')), undefined],
    ['of a double negation', not(not(equals('x'))), ['equal']],
    ['of a conjunction are the best ones', { op: 'and', of: [not(equals('y')), starts, equals('x')] }, ['equal']],
    ['of a disjunction are all', { op: 'or', of: [starts, equals('x')] }, ['prefix', 'equal']],
    ['of a disjunction with an unknown are unknown', { op: 'or', of: [starts, isNull] }, undefined],
    ['of none of several negations are the best ones', { op: 'none', of: [not(equals('x')), not(starts)] }, ['equal']],
    ['of not null', not(isNull), ['present']],
    ['of something that never holds are empty', { op: 'and', of: [equals('x'), { op: 'always', value: false }] }, []],
    ['of a set', { op: 'in', field: a, values: ['x', 1] }, ['equal', 'equal']],
    ['of an element', { op: 'elements', quantifier: 'any', field: a, where: equals('x') }, ['equal']],
    ['of all elements', { op: 'elements', quantifier: 'all', field: a, where: equals('x') }, ['present']],
    ['of no element are unknown', { op: 'elements', quantifier: 'none', field: a, where: equals('x') }, undefined],
    ['of an order', { op: 'compare', test: 'greater', field: a, value: 1 }, ['present']],
  ]
  test.each(cases)('%s', (_name, one, kinds) => expect(witnesses(one)?.map(({ kind }) => kind)).toEqual(kinds))
})

import { describe, expect, test } from 'vitest'
import type { JsonObject, JsonValue } from '../json.ts'
import { compile } from './compile.ts'
import type { Comparison, Condition, Field, Quantifier, Scalar } from './condition.ts'

const path = (...segments: (string | number | null)[]): Field => ({ kind: 'path', segments })
const f = path('f')

/** The value of `f` in the event, by kind. */
const KINDS: readonly (readonly [kind: string, value: JsonValue | undefined])[] = [
  ['missing', undefined],
  ['null', null],
  ['empty text', ''],
  ['text', 'Root user'],
  ['digits', '1'],
  ['zero', 0],
  ['one', 1],
  ['fraction', 2.5],
  ['big', 9007199254740993n],
  ['true', true],
  ['false', false],
  ['empty list', []],
  ['list', ['Root user', 1, null]],
  ['empty map', {}],
  ['map', { root: 1 }],
  ['private address', '10.1.2.3'],
  ['public address', '8.8.8.8'],
  ['IPv6 address', '2a00:1450::1'],
]

const compare = (is: Comparison, value: Scalar, ignoreCase = false): Condition => ({
  op: 'compare',
  test: is,
  field: f,
  value,
  ignoreCase,
})

/** Each condition with the kinds for which it holds; its negation holds for all others. */
const CASES: readonly (readonly [name: string, condition: Condition, holdsFor: readonly string[]])[] = [
  ['equals a text', compare('equals', 'Root user'), ['text']],
  ['equals a text in another case', compare('equals', 'root user'), []],
  ['equals a text, ignoring case', compare('equals', 'ROOT USER', true), ['text']],
  ['equals the text 1', compare('equals', '1'), ['digits']],
  ['equals the number 1', compare('equals', 1), ['one', 'true']],
  ['equals true', compare('equals', true), ['one', 'true']],
  ['equals false', compare('equals', false), ['zero', 'false']],
  ['equals null', compare('equals', null), ['null']],
  ['equals a big integer', compare('equals', 9007199254740993n), ['big']],
  ['equals the nearest double', compare('equals', 9007199254740992), []],
  ['in a set', { op: 'in', field: f, values: ['x', 1, 'Root user'] }, ['text', 'one', 'true']],
  ['in a set, ignoring case', { op: 'in', field: f, values: ['root USER'], ignoreCase: true }, ['text']],
  ['fits a pattern', { op: 'pattern', field: f, patterns: ['R*t*', '1'] }, ['text', 'digits']],
  ['matches no pattern', { op: 'pattern', field: f, patterns: [] }, []],
  ['in the empty set', { op: 'in', field: f, values: [] }, []],
  ['starts with', compare('starts', 'Root'), ['text']],
  ['starts with, ignoring case', compare('starts', 'rOOT', true), ['text']],
  [
    'starts with nothing',
    compare('starts', ''),
    ['empty text', 'text', 'digits', 'private address', 'public address', 'IPv6 address'],
  ],
  ['starts with a number', compare('starts', 1), []],
  ['ends with', compare('ends', 'user'), ['text']],
  ['ends with, ignoring case', compare('ends', 'USER', true), ['text']],
  ['contains a part, or an element', compare('contains', 'Root user'), ['text', 'list']],
  ['contains part of an element only', compare('contains', 'oot'), ['text']],
  ['contains a key', compare('contains', 'ROOT'), ['map']],
  ['contains, ignoring case', compare('contains', 'ROOT user', true), ['text', 'list']],
  ['contains a number', compare('contains', 1), ['list']],
  ['greater than 1', compare('greater', 1), ['fraction', 'big']],
  ['greater than or equal to 1', compare('greaterOrEqual', 1), ['one', 'true', 'fraction', 'big']],
  ['less than 1', compare('less', 1), ['zero', 'false']],
  ['less than or equal to true', compare('lessOrEqual', true), ['zero', 'one', 'true', 'false']],
  ['greater than a text', compare('greater', '9'), ['text']],
  ['less than null', compare('less', null), []],
  ['exists', { op: 'exists', field: f }, KINDS.map(([kind]) => kind).filter((kind) => kind !== 'missing')],
  ['null', { op: 'null', field: f }, ['missing', 'null']],
  ['null or empty', { op: 'nullOrEmpty', field: f }, ['missing', 'null', 'empty text', 'empty list', 'empty map']],
  ['an address', { op: 'address', kind: 'any', field: f }, ['private address', 'public address', 'IPv6 address']],
  ['an IPv4 address', { op: 'address', kind: 'v4', field: f }, ['private address', 'public address']],
  ['an IPv6 address', { op: 'address', kind: 'v6', field: f }, ['IPv6 address']],
  ['a public address', { op: 'address', kind: 'public', field: f }, ['public address', 'IPv6 address']],
  ['a private address', { op: 'address', kind: 'private', field: f }, ['private address']],
  [
    'in a network',
    { op: 'network', field: f, networks: ['10.0.0.0/8', '2a00::/16', 'nonsense'] },
    ['private address', 'IPv6 address'],
  ],
  ['always', { op: 'always', value: true }, KINDS.map(([kind]) => kind)],
  ['never', { op: 'always', value: false }, []],
]

describe('a condition on each kind of value', () => {
  test.each(CASES)('%s', (_name, condition, holdsFor) => {
    const event = (value: JsonValue | undefined): JsonObject => (value === undefined ? {} : { f: value })
    const holds = (one: Condition) => KINDS.filter(([, value]) => compile(one)(event(value))).map(([kind]) => kind)
    expect(holds(condition)).toEqual(KINDS.map(([kind]) => kind).filter((kind) => holdsFor.includes(kind)))
    expect(holds({ op: 'not', of: condition })).toEqual(KINDS.map(([kind]) => kind).filter((kind) => !holdsFor.includes(kind)))
  })
})

describe('paths', () => {
  const event: JsonObject = {
    Action: 'x',
    dup: 1,
    DUP: 2,
    a: { B: [{ c: 'u' }, { c: 'v' }, 7] },
    ['İx']: 'dotted',
    p_enrichment: { tor: { 'src.ip': { city: 'Oslo' }, p_any_ip_addresses: [null, { city: 'Rome' }, { city: 'Bonn' }] } },
  }
  const enriched = (selector: string): Field => ({ kind: 'enrichment', table: 'tor', selector, segments: ['city'] })
  const cases: readonly (readonly [name: string, field: Field, value: Scalar, holds: boolean])[] = [
    ['finds a name in another case', path('aCTION'), 'x', true],
    ['prefers the exact name', path('DUP'), 2, true],
    ['otherwise takes the first', path('Dup'), 1, true],
    ['not when case must match', { kind: 'path', segments: ['action'], exactCase: true }, 'x', false],
    ['the exact name, when case must match', { kind: 'path', segments: ['Action'], exactCase: true }, 'x', true],
    ['names within', path('A', 'b', 0, 'C'), 'u', true],
    ['an index past the end of the list is missing', path('a', 'b', 9, 'c'), 'u', false],
    ['a name below a list is missing', path('a', 'b', 'c'), 'u', false],
    ['a wildcard finds all elements', path('a', 'b', null, 'c'), 'v', true],
    ['a wildcard on something else finds nothing', path('a', null), 'u', false],
    ['a name whose lower case is longer', path('i\u0307x'), 'dotted', true],
    ['a prototype is not a field', path('constructor', 'name'), 'Object', false],
    ['nor is __proto__', path('__proto__', 'constructor'), 'x', false],
    ['a row of a table', enriched('src.ip'), 'Oslo', true],
    ['several rows of a table', enriched('p_any_ip_addresses'), 'Bonn', true],
    ['no row', enriched('dst.ip'), 'Oslo', false],
  ]
  test.each(cases)('%s', (_name, field, value, holds) => {
    expect(compile({ op: 'compare', test: 'equals', field, value })(event)).toBe(holds)
  })

  test('an own key __proto__ is read like any other', () => {
    const parsed = JSON.parse('{"__proto__":{"x":1}}') as JsonObject
    expect(compile({ op: 'compare', test: 'equals', field: path('__proto__', 'x'), value: 1 })(parsed)).toBe(true)
  })

  test('one of several values is enough; a negation needs none to match', () => {
    const several = (value: string): Condition => ({ op: 'compare', test: 'equals', field: path('l', null), value })
    const is = (one: Condition) => compile(one)({ l: ['a', 'b'] })
    expect([is(several('a')), is({ op: 'not', of: several('a') }), is({ op: 'not', of: several('z') })]).toEqual([
      true,
      false,
      true,
    ])
  })
})

describe('combinators', () => {
  const yes: Condition = { op: 'always', value: true }
  const no: Condition = { op: 'always', value: false }
  const cases = [
    [[], { and: true, or: false, onlyOne: false, none: true }],
    [[yes], { and: true, or: true, onlyOne: true, none: false }],
    [[yes, no], { and: false, or: true, onlyOne: true, none: false }],
    [[no, yes, yes], { and: false, or: true, onlyOne: false, none: false }],
    [[no, no, no], { and: false, or: false, onlyOne: false, none: true }],
  ] as const
  test.each(cases)('%j', (of, expected) => {
    for (const [op, holds] of Object.entries(expected)) {
      expect([op, compile({ op: op as 'and', of })({})]).toEqual([op, holds])
    }
  })
})

describe('elements of a list', () => {
  const where: Condition = { op: 'compare', test: 'equals', field: path('n'), value: 1 }
  const cases: readonly (readonly [list: JsonValue | undefined, holds: Record<Quantifier, boolean>])[] = [
    [undefined, { any: false, all: false, onlyOne: false, none: true }],
    ['text', { any: false, all: false, onlyOne: false, none: true }],
    [[], { any: false, all: true, onlyOne: false, none: true }],
    [[{ n: 1 }], { any: true, all: true, onlyOne: true, none: false }],
    [[{ n: 1 }, { n: 2 }], { any: true, all: false, onlyOne: true, none: false }],
    [[{ n: 1 }, { n: 1 }], { any: true, all: true, onlyOne: false, none: false }],
    [[1, 'n', null], { any: false, all: false, onlyOne: false, none: true }],
  ]
  test.each(cases)('%j', (list, expected) => {
    const event = list === undefined ? {} : { list }
    for (const [quantifier, holds] of Object.entries(expected)) {
      const condition: Condition = { op: 'elements', quantifier: quantifier as Quantifier, field: path('list'), where }
      expect([quantifier, compile(condition)(event)]).toEqual([quantifier, holds])
    }
  })

  test('values of a wildcard count as elements, and lists among them contribute their elements', () => {
    const found = (value: string): Condition => ({
      op: 'elements',
      quantifier: 'any',
      field: path('m', null, 'by'),
      where: { op: 'compare', test: 'equals', field: path(), value },
    })
    const event = { m: [{ by: 'Ann' }, { by: ['Bob', 'Cy'] }, {}] }
    expect(['Ann', 'Cy', 'Dee'].map((name) => compile(found(name))(event))).toEqual([true, true, false])
  })
})

describe('two fields', () => {
  const both = (is: Comparison, ignoreCase = false): Condition => ({
    op: 'compareFields',
    test: is,
    left: path('a'),
    right: path('b'),
    ignoreCase,
  })
  const cases: readonly (readonly [condition: Condition, event: JsonObject, holds: boolean])[] = [
    [both('equals'), { a: { x: [1] }, b: { x: [true] } }, true],
    [both('equals'), { a: [1, 2], b: [2, 1] }, false],
    [both('equals'), { a: null, b: null }, true],
    [both('equals'), { a: 1 }, false],
    [both('equals'), {}, false],
    [both('equals', true), { a: 'X', b: 'x' }, true],
    [both('greater'), { a: 10, b: 9 }, true],
    [both('greater'), { a: '10', b: 9 }, false],
    [both('starts', true), { a: 'ROOT', b: 'ro' }, true],
    [both('contains'), { a: ['x'], b: 'x' }, true],
    [both('contains', true), { a: 'aXb', b: 'x' }, true],
  ]
  test.each(cases)('%j on %j', (condition, event, holds) => expect(compile(condition)(event)).toBe(holds))
})

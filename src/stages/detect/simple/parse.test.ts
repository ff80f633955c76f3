import { describe, expect, test } from 'vitest'
import { compile } from '../../../model/condition/compile.ts'
import { isEqual } from '../../../model/condition/values.ts'
import type { JsonObject } from '../../../model/json.ts'
import { CONDITIONS } from './conditions.ts'
import { parseSimpleDetection } from './parse.ts'

const file = '/rules/x.yml'
const parse = (document: object) => parseSimpleDetection(JSON.stringify(document), { file })
const holds = (detection: object[], event: JsonObject) => compile(parse({ Detection: detection }).condition)(event)

const key = { KeyPath: 'a.b' }
const cases: readonly (readonly [form: string, detection: object[], matching: JsonObject, other: JsonObject])[] = [
  ['a key and a value', [{ Key: 'a', Condition: 'Equals', Value: 'x' }], { A: 'x' }, { a: 'X' }],
  ['a key with a dot in it', [{ Key: 'a.b', Condition: 'Equals', Value: 1 }], { 'a.b': 1 }, { a: { b: 1 } }],
  [
    'a deep key with an index',
    [{ DeepKey: ['a', 0, 'b'], Condition: 'Equals', Value: 1 }],
    { a: [{ b: 1 }] },
    { a: { 0: { b: 1 } } },
  ],
  ['a key path', [{ KeyPath: 'a[*].b', Condition: 'IEquals', Value: 'X' }], { a: [{}, { b: 'x' }] }, { a: [{}] }],
  [
    'a non-text among the values on a key path',
    [{ KeyPath: 'a[*].b', Condition: 'Contains', Value: true }],
    { a: [{ b: false }, { b: true }] },
    { a: [{ b: false }, { b: 'true' }] },
  ],
  [
    'none of the values on a key path',
    [{ KeyPath: 'a[*].b', Condition: 'DoesNotContain', Value: 7 }],
    { a: [{ b: 8 }, { b: '7' }] },
    { a: [{ b: [7] }] },
  ],
  ['values', [{ ...key, Condition: 'IsIn', Values: ['x', 5] }], { a: { b: 5 } }, { a: { b: '5' } }],
  ['not in values', [{ ...key, Condition: 'IsNotIn', Values: ['x'] }], {}, { a: { b: 'x' } }],
  ['two keys', [{ Condition: 'IsGreaterThan', Values: [{ Key: 'x' }, { KeyPath: 'y.z' }] }], { x: 2, y: { z: 1 } }, { x: 2 }],
  ['two keys that differ', [{ Condition: 'DoesNotEqual', Values: [{ Key: 'x' }, { Key: 'y' }] }], { x: 1, y: 2 }, { x: 1, y: 1 }],
  [
    'two keys, one in the other',
    [{ Condition: 'IsIn', Values: [{ Key: 'x' }, { Key: 'y' }] }],
    { x: 1, y: [1] },
    { x: [1], y: 1 },
  ],
  ['existence', [{ ...key, Condition: 'Exists' }], { a: { b: null } }, { a: {} }],
  ['absence', [{ ...key, Condition: 'DoesNotExist' }], { a: [] }, { a: { b: null } }],
  ['always', [{ Condition: 'AlwaysTrue' }, { Key: 'a', Condition: 'IsNull' }], {}, { a: 1 }],
  ['an address', [{ Key: 'a', Condition: 'IsIPAddressPublic' }], { a: '8.8.8.8' }, { a: '10.0.0.1' }],
  ['an address, false', [{ Key: 'a', Condition: 'IsIPAddressPrivate', Value: false }], { a: 'x' }, { a: '10.0.0.1' }],
  ['a network', [{ Key: 'a', Condition: 'IsIPAddressInCIDR', Value: '10.0.0.0/8' }], { a: '10.9.9.9' }, { a: ['10.9.9.9'] }],
  ['networks', [{ Key: 'a', Condition: 'IsIPAddressNotInCIDR', Values: ['10.0.0.0/8', '::1'] }], { a: '8.8.8.8' }, { a: '::1' }],
  [
    'a network of listed addresses',
    [{ Key: 'a', Condition: 'CIDRContainsIPAddresses', Value: '10.0.0.0/8' }],
    { a: ['x', '10.0.0.1'] },
    { a: ['x'] },
  ],
  [
    'elements',
    [
      {
        Key: 'l',
        Condition: 'AnyElement',
        Expressions: [
          { Key: 'x', Condition: 'Equals', Value: 1 },
          { Key: 'y', Condition: 'Equals', Value: 2 },
        ],
      },
    ],
    { l: [{ x: 1, y: 2 }] },
    { l: [{ x: 1 }, { y: 2 }] },
  ],
  [
    'elements that are texts',
    [{ Key: 'l', Condition: 'NoElement', Expressions: [{ Condition: 'StartsWith', Value: 'x' }] }],
    { l: ['a'] },
    { l: ['a', 'xy'] },
  ],
  [
    'a table',
    [{ Enrichment: { Table: 'tor', Selector: '$.src.ip', FieldPath: 'city' }, Condition: 'Equals', Value: 'Oslo' }],
    { p_enrichment: { tor: { 'src.ip': [{ city: 'Oslo' }] } } },
    { city: 'Oslo' },
  ],
  [
    'all',
    [
      {
        All: [
          { Key: 'a', Condition: 'Exists' },
          { Key: 'b', Condition: 'Exists' },
        ],
      },
    ],
    { a: 1, b: 1 },
    { a: 1 },
  ],
  [
    'any within none',
    [
      {
        None: [
          {
            Any: [
              { Key: 'a', Condition: 'Exists' },
              { Key: 'b', Condition: 'Exists' },
            ],
          },
        ],
      },
    ],
    { c: 1 },
    { b: 1 },
  ],
  [
    'only one',
    [
      {
        OnlyOne: [
          { Key: 'a', Condition: 'Exists' },
          { Key: 'b', Condition: 'Exists' },
        ],
      },
    ],
    { a: 1 },
    { a: 1, b: 1 },
  ],
  [
    'a big integer is exact',
    [{ Key: 'a', Condition: 'IsGreaterThanOrEqual', Value: 9007199254740992 }],
    { a: 9007199254740993n },
    { a: 1 },
  ],
]

describe('a detection', () => {
  test.each(cases)('%s', (_form, detection, matching, other) => {
    expect([holds(detection, matching), holds(detection, other)]).toEqual([true, false])
  })

  test('expressions of the list must all hold', () => {
    const detection = [
      { Key: 'a', Condition: 'Exists' },
      { Key: 'b', Condition: 'Exists' },
    ]
    expect([holds(detection, { a: 1, b: 1 }), holds(detection, { a: 1 })]).toEqual([true, false])
  })

  test('the negation of a condition is its opposite', () => {
    const meanings = [...CONDITIONS]
    const negations = meanings.filter(([, { isNegated }]) => isNegated)
    expect(negations.map(([name]) => name)).toContain('IDoesNotContain')
    for (const [name, meaning] of negations) {
      const [positive] = meanings.find(([, other]) => isEqual({ ...other, isNegated: true }, { ...meaning }))!
      const rest = meaning.kind === 'always' ? {} : { Key: 'a', ...valueFor(meaning.kind) }
      const answers = [{}, { a: null }, { a: 'x' }, { a: '10.0.0.1' }, { a: ['x', '10.0.0.1'] }].map((event) => [
        holds([{ ...rest, Condition: positive }], event),
        holds([{ ...rest, Condition: name }], event),
      ])
      expect([name, answers.every(([yes, no]) => yes !== no)]).toEqual([name, true])
    }
  })
})

function valueFor(kind: string): object {
  if (kind === 'compare') return { Value: 'x' }
  if (kind === 'in') return { Values: ['x'] }
  return kind === 'network' ? { Value: '10.0.0.0/8' } : {}
}

const a = { Key: 'a' }
const refusals: readonly (readonly [what: string, document: unknown, message: string])[] = [
  [
    'an unknown condition',
    { Detection: [{ ...a, Condition: 'Equal', Value: 1 }] },
    'at Detection.0.Condition: the condition "Equal" is unknown. Known: Equals, DoesNotEqual, IEquals, IDoesNotEqual, StartsWith',
  ],
  [
    'a condition named after a prototype',
    { Detection: [{ ...a, Condition: 'constructor', Value: 1 }] },
    'the condition "constructor" is unknown',
  ],
  [
    'an unknown key',
    { Detection: [{ ...a, Condition: 'Exists', Vlaue: 1 }] },
    'at Detection.0: the key "Vlaue" is unknown: remove it',
  ],
  ['an unknown top-level key', { Detection: [{ ...a, Condition: 'Exists' }], Foo: 1 }, 'the key "Foo" is unknown'],
  ['no detection', {}, 'at Detection: '],
  ['an empty detection', { Detection: [] }, 'at Detection: '],
  [
    'a missing key',
    { Detection: [{ Condition: 'Exists' }] },
    'at Detection.0: a key is missing: write one of Key, DeepKey, KeyPath',
  ],
  ['two keys', { Detection: [{ ...a, KeyPath: 'a', Condition: 'Exists' }] }, 'there are several keys'],
  ['a missing condition', { Detection: [a] }, 'an expression needs a Condition, or one of All, Any, OnlyOne, None'],
  ['a missing value', { Detection: [{ ...a, Condition: 'Equals' }] }, 'Equals needs a Value'],
  [
    'null as a value',
    { Detection: [{ ...a, Condition: 'Equals', Value: null }] },
    'at Detection.0.Value: must be a text, a number, true or false',
  ],
  [
    'an extra value',
    { Detection: [{ ...a, Condition: 'Exists', Value: true }] },
    'Exists takes a key and no value: remove Value',
  ],
  [
    'a number as prefix',
    { Detection: [{ ...a, Condition: 'StartsWith', Value: 1 }] },
    'StartsWith compares texts: quote the value 1',
  ],
  [
    'a single value for a set',
    { Detection: [{ ...a, Condition: 'IsIn', Value: 1 }] },
    'IsIn takes a key and a list of Values: remove Value',
  ],
  [
    'three keys to compare',
    { Detection: [{ Condition: 'Equals', Values: [a, a, a] }] },
    'compares two fields: give Values two keys',
  ],
  [
    'a broken path within',
    { Detection: [{ Any: [{ KeyPath: 'a..b', Condition: 'Exists' }] }] },
    'at Detection.0.Any.0.KeyPath: "a..b" cannot be read',
  ],
  [
    'a text that is not a network',
    { Detection: [{ ...a, Condition: 'IsIPAddressInCIDR', Value: '10.0.0.0/64' }] },
    '"10.0.0.0/64" is not a network',
  ],
  ['elements without expressions', { Detection: [{ ...a, Condition: 'AnyElement' }] }, 'AnyElement needs Expressions'],
  ['an empty Any', { Detection: [{ Any: [] }] }, 'Any without expressions never holds'],
  [
    'a combinator with a condition next to it',
    { Detection: [{ All: [], Condition: 'AlwaysTrue' }] },
    'All must be the only key: remove Condition',
  ],
  ['the form used for correlation rules', { Detection: [{ Sequence: [] }] }, 'the key "Sequence" is unknown'],
  [
    'an unknown severity',
    {
      Detection: [{ Condition: 'AlwaysTrue' }],
      DynamicSeverities: [{ ChangeTo: 'Huge', Conditions: [{ Condition: 'AlwaysTrue' }] }],
    },
    'at DynamicSeverities.0.ChangeTo',
  ],
  ['a group-by without a key', { Detection: [{ Condition: 'AlwaysTrue' }], GroupBy: [{}] }, 'at GroupBy.0: a key is missing'],
  ['a document that is not an object', [], 'expected object'],
]

describe('refused with file, path and advice', () => {
  test.each(refusals)('%s', (_what, document, message) => {
    expect(() => parse(document as object)).toThrowError(message)
    expect(() => parse(document as object)).toThrowError(file)
  })

  test('text that is not JSON, too deeply nested, or too long', () => {
    expect(() => parseSimpleDetection('{', { file })).toThrowError('cannot be read')
    const nested = `{"Detection":[${'{"All":['.repeat(40)}${']}'.repeat(40)}]}`
    expect(() => parseSimpleDetection(nested, { file })).toThrowError('more than 64 deep')
    expect(() => parseSimpleDetection(' '.repeat(2 ** 20 + 1), { file })).toThrowError('move its values into a lookup table')
  })
})

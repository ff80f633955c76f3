import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../../model/json.ts'
import { compileInlineFilters } from './filters.ts'

const file = '/rules/x.yml'
const eq = { KeyPath: 'a.b', Condition: 'Equals', Value: 'x' }
const city = { Enrichment: { Table: 't', Selector: 's', FieldPath: 'city' }, Condition: 'IsIn', Values: ['Oslo'] }

describe('inline filters', () => {
  test.each<[string, unknown, JsonObject, boolean]>([
    ['null is not a filter', null, {}, true],
    ['an empty list is not a filter', [], {}, true],
    ['an empty All is not a filter', [{ All: [] }], {}, true],
    ['an empty Any is not a filter', [{ Any: [] }], {}, true],
    ['a condition that holds lets the event pass', [eq], { a: { b: 'x' } }, true],
    ['one that does not hold drops it', [eq], { a: { b: 'y' } }, false],
    ['a missing field lets it pass', [eq], { a: {} }, true],
    ['a field of null does not satisfy a positive test', [eq], { a: { b: null } }, false],
    ['a field of null satisfies a negated one', [{ ...eq, Condition: 'DoesNotEqual' }], { a: { b: null } }, true],
    ['a negated condition drops it', [{ ...eq, Condition: 'DoesNotEqual' }], { a: { b: 'x' } }, false],
    ['all filters must let it pass', [eq, { KeyPath: 'c', Condition: 'IsNull' }], { a: { b: 'x' }, c: 1 }, false],
    ['one filter of Any is enough', [{ Any: [eq, { KeyPath: 'c', Condition: 'Exists' }] }], { a: { b: 'y' }, c: 1 }, true],
    ['presence itself is tested as usual', [{ KeyPath: 'c', Condition: 'Exists' }], {}, false],
    ['a Key', [{ Key: 'a', Condition: 'Equals', Value: 1 }], { a: 2 }, false],
    ['a missing Key', [{ Key: 'a', Condition: 'Equals', Value: 1 }], {}, true],
    ['a DeepKey', [{ DeepKey: ['a', 'b'], Condition: 'Equals', Value: 1 }], { a: { b: 2 } }, false],
    ['None with one that holds', [{ None: [eq] }], { a: { b: 'x' } }, false],
    ['None with a missing field', [{ None: [eq] }], {}, true],
    [
      'OnlyOne with two that hold',
      [{ All: [{ OnlyOne: [eq, { KeyPath: 'c', Condition: 'Exists' }] }] }],
      { a: { b: 'x' }, c: 1 },
      false,
    ],
    ['two fields', [{ Condition: 'Equals', Values: [{ KeyPath: 'a' }, { KeyPath: 'b' }] }], { a: 1, b: 2 }, false],
    ['a row of a table', [city], { p_enrichment: { t: { s: { city: 'Rome' } } } }, false],
    ['no row of a table lets it pass', [city], {}, true],
    [
      'listed addresses',
      [{ KeyPath: 'ips', Condition: 'CIDRDoesNotContainIPAddresses', Value: '10.0.0.0/8' }],
      { ips: ['10.0.0.1'] },
      false,
    ],
  ])('%s', (_name, document, event, passes) => expect(compileInlineFilters(document, { file })(event)).toBe(passes))

  test.each([
    ['elements', [{ KeyPath: 'a', Condition: 'AnyElement', Expressions: [eq] }], 'Expressions is for detections'],
    ['an unknown condition', [{ KeyPath: 'a', Condition: 'Is' }], 'InlineFilters.0.Condition: the condition "Is" is unknown'],
    ['another key besides All', [{ All: [eq], Condition: 'Exists' }], 'All must be the only key: remove Condition'],
    ['no list', { All: [] }, 'expected array'],
  ])('refuse %s', (_what, document, message) => {
    expect(() => compileInlineFilters(document, { file })).toThrowError(message)
    expect(() => compileInlineFilters(document, { file })).toThrowError(file)
  })
})

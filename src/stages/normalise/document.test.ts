import { expect, test } from 'vitest'
import { parse as parseYaml } from 'yaml'
import { readSchemaDocument } from './document.ts'

const field = (text: string) => `schema: Custom.Xy\nfields: [{name: a, ${text}}]`

test.each([
  ['an unknown key', `${field('type: string')}\nfoo: 1`, 'Unrecognized key: "foo"'],
  ['an unknown field key', field('type: string, requird: true'), 'x.yml at fields.0: Unrecognized key: "requird"'],
  ['an unknown type', field('type: text'), 'unknown type "text": use one of string, int'],
  ['an unknown reference', field('type: ref, target: B'), "there is no definition 'B'"],
  ['a reference without a target', field('type: ref'), 'type ref needs `target`'],
  ['a reference with a key of its value', field('type: ref, target: B, indicators: [ip]'), "belongs to the definition of 'B'"],
  [
    'a definition that contains itself',
    `${field('type: ref, target: A')}\ndefinitions: {A: {type: array, element: {type: ref, target: B}}, B: {type: ref, target: A}}`,
    "the definition 'A' contains itself (A → B → A)",
  ],
  [
    'a mistake in a definition',
    `${field('type: ref, target: A')}\ndefinitions: {A: {type: timestamp}}`,
    'x.yml at definitions.A: a timestamp needs',
  ],
  ['two parsers', `${field('type: string')}\nparser: {csv: {}, regex: {}}`, 'a schema has one parser'],
  ['embedded JSON of a string', field('type: string, isEmbeddedJSON: true'), '`isEmbeddedJSON` belongs to type object'],
  ['a mask of a number', field('type: int, mask: {type: redact}'), '`mask` belongs to type string'],
  ['a mask that is checked', field('type: string, mask: {type: redact}, validate: {allow: [a]}'), 'exclude each other'],
  ['a mask without salt', field('type: string, mask: {type: obfuscate}'), 'fields.0.mask.salt'],
  ['two sources', field('type: string, rename: {from: b}, copy: {from: c}'), '`rename` and `copy` exclude each other'],
  ['a split without a separator', field('type: string, split: {from: b, separator: "", index: 1}'), 'fields.0.split.separator'],
  ['an unknown zone', field('type: timestamp, timeFormats: ["%F"], timeZone: Mars'), "unknown time zone 'Mars'"],
  ['a lower-case name', 'schema: custom.x\nfields: [{name: a, type: string}]', 'a log type is CamelCase words'],
  ['no fields', 'schema: Custom.Xy\nfields: []', 'fields'],
  ['a field twice', 'schema: Custom.Xy\nfields: [{name: a, type: string}, {name: a, type: int}]', "field 'a' is there twice"],
  ['a standard name', 'schema: Custom.Xy\nfields: [{name: p_x, type: string}]', 'rename: {from: p_x}'],
  ['the column of unknown fields', 'schema: Custom.Xy\nfields: [{name: extra, type: string}]', 'taken by a standard column'],
  ['__proto__', 'schema: Custom.Xy\nfields: [{name: __proto__, type: string}]', 'no field may be called __proto__'],
  ['a timestamp without format', field('type: timestamp'), 'a timestamp needs `timeFormats`'],
  ['a format on a string', field('type: string, timeFormats: [unix]'), '`timeFormats` belongs to type timestamp'],
  ['an unknown format', field('type: timestamp, timeFormats: [iso]'), "unknown time format 'iso'"],
  ['an array without element', field('type: array'), 'type array needs `element`'],
  ['an object without fields', field('type: object'), 'type object needs `fields`'],
  ['indicators on a number', field('type: int, indicators: [ip]'), '`indicators` and `validate` belong to type string'],
  ['an unknown indicator', field('type: string, indicators: [mac]'), 'fields.0.indicators.0'],
  ['allow and deny', field('type: string, validate: {allow: [a], deny: [b]}'), 'exclude each other'],
  [
    'an event time that is text',
    field('type: string, isEventTime: true'),
    '`isEventTime` belongs to a field of type timestamp, and not in a list',
  ],
  [
    'a mistake deep inside',
    field('type: array, element: {type: object, fields: [{name: b, type: x}]}'),
    'fields.0.element.fields.0.type',
  ],
])('%s is refused with its position', (_, yaml, message) => {
  expect(() => readSchemaDocument(parseYaml(yaml), { file: 'x.yml' })).toThrow(message)
  expect(() => readSchemaDocument(parseYaml(yaml), { file: 'x.yml' })).toThrow('x.yml')
})

test('the old single timeFormat and empty defaults are accepted', () => {
  const spec = readSchemaDocument(parseYaml(field('type: timestamp, timeFormat: unix_ms, isEventTime: true')), { file: 'x.yml' })
  expect(spec).toMatchObject({ name: 'Custom.Xy', version: 0, native: undefined })
  expect(spec.fields[0]).toMatchObject({ timeFormats: ['unix_ms'], required: false, isEventTime: true, from: undefined })
})

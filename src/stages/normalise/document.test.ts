import { expect, test } from 'vitest'
import { parse as parseYaml } from 'yaml'
import { readSchemaDocument } from './document.ts'

const field = (text: string) => `schema: Custom.Xy\nfields: [{name: a, ${text}}]`

test.each([
  ['an unknown key', `${field('type: string')}\nfoo: 1`, 'Unrecognized key: "foo"'],
  ['an unknown field key', field('type: string, requird: true'), 'x.yml at fields.0: Unrecognized key: "requird"'],
  ['an unknown type', field('type: text'), 'unknown type "text": use one of string, int'],
  ['a ref', field('type: ref, target: B'), 'not supported yet: type `ref`'],
  ['definitions', `${field('type: string')}\ndefinitions: {A: {type: string}}`, 'not supported yet: `definitions`'],
  ['two parsers', `${field('type: string')}\nparser: {csv: {}, regex: {}}`, 'a schema has one parser'],
  ['embedded JSON', field('type: json, isEmbeddedJSON: true'), 'not supported yet: `isEmbeddedJSON`'],
  ['a mask', field('type: string, mask: {type: redact}'), 'not supported yet: `mask`'],
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

import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { parse as parseYaml } from 'yaml'
import type { JsonObject } from '../../model/json.ts'
import { compileSchema } from './compile.ts'

const META = {
  rowId: 'r',
  parseTime: '2024-04-19T12:00:00Z',
  receivedMs: Date.UTC(2024, 3, 19, 12),
  sourceId: 's',
  sourceLabel: 'S',
}

function schemaOf(fields: string, more = '') {
  const document = parseYaml(`schema: Custom.Xy\n${more}\nfields:\n${fields}`)
  return compileSchema(document, { file: 'x.yml', secret: (reference) => `from ${JSON.stringify(reference)}` })
}

/** The event's own fields and indicators, or the reason and the message. */
function read(fields: string, raw: JsonObject, more = '') {
  const outcome = schemaOf(fields, more).normalise(raw, META)
  if (outcome.kind !== 'ok') return outcome
  const own = Object.entries(outcome.value).filter(([name, value]) => value !== undefined && !/^p_(?!any)/.test(name))
  return Object.fromEntries(own)
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

describe('transformations', () => {
  test.each<[string, string, JsonObject, JsonObject]>([
    ['copy of a key', '- {name: b, type: int, copy: {from: a}}\n- {name: a, type: int}', { a: '1' }, { b: 1, a: 1 }],
    [
      'copy of a path, which stays where it is',
      '- {name: b, type: string, copy: {from: a.x}}',
      { a: { x: 'y' } },
      { b: 'y', a: { x: 'y' } },
    ],
    ['copy of nothing', '- {name: b, type: string, copy: {from: a.x}}', { a: 1 }, { a: 1 }],
    [
      'copy of a renamed field by either name',
      '- {name: n, type: string, rename: {from: o}}\n- {name: x, type: string, copy: {from: n}}\n- {name: y, type: string, copy: {from: o}}',
      { o: 'v' },
      { n: 'v', x: 'v', y: 'v' },
    ],
    [
      'concat leaves out what is absent',
      '- {name: at, type: string, concat: {paths: [d, none, t.h], separator: " "}}',
      { d: 'x', t: { h: 7 } },
      { at: 'x 7', d: 'x', t: { h: 7 } },
    ],
    ['concat of nothing', '- {name: at, type: string, concat: {paths: [d]}}', { x: 1 }, { x: 1 }],
    [
      'split',
      '- {name: user, type: string, split: {from: who, separator: "\\\\", index: 1}}',
      { who: 'CORP\\ann' },
      { user: 'ann', who: 'CORP\\ann' },
    ],
    [
      'split without that part',
      '- {name: user, type: string, split: {from: who, separator: "@", index: 1}}',
      { who: 'ann' },
      { who: 'ann' },
    ],
    ['redact', '- {name: a, type: string, mask: {type: redact}}', { a: 'secret' }, { a: 'REDACTED' }],
    [
      'redact of another name and text',
      '- {name: a, type: string, rename: {from: PIN}, mask: {type: redact, to: "****"}}',
      { PIN: 1234 },
      { a: '****' },
    ],
    [
      'redact of a path hides the original',
      '- {name: a, type: string, rename: {from: card.pin}, mask: {type: redact}}',
      { card: { pin: 1, no: 2 } },
      { a: 'REDACTED', card: { no: 2 } },
    ],
    ['redact of nothing', '- {name: a, type: string, mask: {type: redact}}', { b: 1 }, { b: 1 }],
    ['obfuscate', '- {name: a, type: string, mask: {type: obfuscate, salt: pepper}}', { a: 'ann' }, { a: sha256('pepperann') }],
    [
      'obfuscate with a secret',
      '- {name: a, type: string, mask: {type: obfuscate, salt: {env: SALT}}}',
      { a: 'ann' },
      { a: sha256('from {"env":"SALT"}ann') },
    ],
    [
      'a copy is masked, its original is not',
      '- {name: a, type: string, copy: {from: b}, mask: {type: redact}}\n- {name: b, type: string}',
      { b: 'x' },
      { a: 'REDACTED', b: 'x' },
    ],
    [
      'in objects and lists',
      '- {name: l, type: array, element: {type: object, fields: [{name: a, type: string, mask: {type: redact}}, {name: c, type: string, concat: {paths: [a, b]}}]}}',
      { l: [{ a: 'x', b: 'y' }] },
      { l: [{ a: 'REDACTED', b: 'y', c: 'xy' }] },
    ],
  ])('%s', (_, fields, raw, event) => {
    const before = structuredClone(raw)
    expect(read(fields, raw)).toEqual(event)
    expect(raw).toEqual(before)
  })

  test('a masked value is no indicator', () => {
    const fields = '- {name: a, type: string, indicators: [ip, username], mask: {type: redact}}'
    expect(read(fields, { a: '192.0.2.1' })).toEqual({ a: 'REDACTED', p_any_usernames: ['REDACTED'] })
  })

  test('a derived field is converted to its type like any other', () => {
    expect(read('- {name: n, type: int, split: {from: a, separator: ",", index: 0}}', { a: 'x,y' })).toMatchObject({
      reason: 'wrong_type',
    })
  })

  test('both spellings of a masked field are hidden', () => {
    const fields = '- {name: a, type: string, rename: {from: PIN}, mask: {type: redact}}'
    expect(JSON.stringify(read(fields, { PIN: 'secret1', a: 'secret2' }))).not.toMatch(/secret/)
  })
})

describe('JSON in a text', () => {
  const object = '- {name: o, type: object, isEmbeddedJSON: true, fields: [{name: ip, type: string, indicators: [ip]}]}'

  test.each<[string, string, JsonObject, JsonObject]>([
    [
      'an object',
      object,
      { o: '{"ip":"192.0.2.1","x":18446744073709551615}' },
      { o: { ip: '192.0.2.1', x: 18446744073709551615n }, p_any_ip_addresses: ['192.0.2.1'] },
    ],
    [
      'an object that is not text',
      object,
      { o: { ip: '192.0.2.1' } },
      { o: { ip: '192.0.2.1' }, p_any_ip_addresses: ['192.0.2.1'] },
    ],
    ['a blank text has no value', object, { o: ' ' }, {}],
    ['null has no value', object, { o: 'null' }, {}],
    ['a list', '- {name: l, type: array, isEmbeddedJSON: true, element: {type: int}}', { l: '[1,"2"]' }, { l: [1, 2] }],
    ['anything', '- {name: j, type: json, isEmbeddedJSON: true}', { j: '"x"' }, { j: 'x' }],
    [
      'elements of a list',
      '- {name: l, type: array, element: {type: json, isEmbeddedJSON: true}}',
      { l: ['{"a":1}', ''] },
      { l: [{ a: 1 }, null] },
    ],
  ])('%s', (_, fields, raw, event) => {
    expect(read(fields, raw)).toEqual(event)
  })

  test.each<[string, string, string]>([
    ['{"ip":', 'invalid_json', "field 'o' should be a text with JSON"],
    ['[1]', 'wrong_type', "field 'o' should be an object"],
    ['['.repeat(200), 'too_deep', 'nested more than 100 deep'],
  ])('%s is refused', (text, reason, message) => {
    expect(read(object, { o: text })).toMatchObject({ reason, message: expect.stringContaining(message) })
  })

  test('a required field with a blank text is missing', () => {
    expect(read(object.replace('isEmb', 'required: true, isEmb'), { o: '' })).toMatchObject({ reason: 'missing_field' })
  })
})

test('definitions are used in several places, also in each other', () => {
  const definitions = `definitions:
  Address: {type: string, indicators: [ip]}
  Peer: {type: object, fields: [{name: addr, type: ref, target: Address}, {name: port, type: int}]}`
  const fields =
    '- {name: src, type: ref, target: Peer, required: true}\n- {name: hops, type: array, element: {type: ref, target: Address}}'
  expect(read(fields, { src: { addr: '192.0.2.1', port: '22' }, hops: ['192.0.2.2'] }, definitions)).toEqual({
    src: { addr: '192.0.2.1', port: 22 },
    hops: ['192.0.2.2'],
    p_any_ip_addresses: ['192.0.2.1', '192.0.2.2'],
  })
  expect(read(fields, {}, definitions)).toMatchObject({ reason: 'missing_field' })
})

import type { AddressKind, Condition, Field } from '../../../model/condition/condition.ts'
import { parsePrefix } from '../../../model/ip.ts'
import { ConfigError } from '../../../util/errors.ts'
import { CONDITIONS, type Meaning } from './conditions.ts'
import type { ExpressionDocument, KeySpecifierDocument, ScalarDocument } from './document.ts'
import { parseKeyPath } from './key-path.ts'

/** Where an expression is, for messages, and what is allowed there. */
export interface Place {
  readonly file: string
  readonly path: string
  /** Within `Expressions`, an expression without a key tests the element itself. */
  readonly isElement?: boolean
}

/** Match expressions that must all hold, as one condition. Throws `ConfigError`. */
export function readExpressions(list: readonly ExpressionDocument[], place: Place): Condition {
  const of = list.map((one, at) => readExpression(one, { ...place, path: `${place.path}.${at}` }))
  return of.length === 1 ? of[0]! : { op: 'and', of }
}

export const COMBINATORS = [
  ['All', 'and'],
  ['Any', 'or'],
  ['OnlyOne', 'onlyOne'],
  ['None', 'none'],
] as const

/** One match expression. Throws `ConfigError` if its keys do not fit together. */
export function readExpression(document: ExpressionDocument, place: Place): Condition {
  for (const [key, op] of COMBINATORS) {
    const list = document[key]
    if (!list) continue
    only(document, [key], place, `${key} must be the only key`)
    if (list.length === 0 && (key === 'Any' || key === 'OnlyOne')) {
      throw refuse(place, `${key} without expressions never holds: add an expression, or write Condition: AlwaysFalse`)
    }
    return { op, of: list.map((one, at) => readExpression(one, { ...place, path: `${place.path}.${key}.${at}` })) }
  }
  const meaning = readCondition(document, place)
  const condition = positive(document, meaning, place)
  return meaning.isNegated ? { op: 'not', of: condition } : condition
}

function readCondition({ Condition: name }: ExpressionDocument, place: Place): Meaning {
  if (name === undefined) {
    throw refuse(place, `an expression needs a Condition, or one of ${COMBINATORS.map(([key]) => key).join(', ')}`)
  }
  const meaning = CONDITIONS.get(name)
  if (meaning) return meaning
  const known = [...CONDITIONS.keys()].join(', ')
  throw refuse({ ...place, path: `${place.path}.Condition` }, `the condition ${JSON.stringify(name)} is unknown. Known: ${known}`)
}

const KEYS = ['Key', 'DeepKey', 'KeyPath', 'Enrichment'] as const

function positive(document: ExpressionDocument, meaning: Meaning, place: Place): Condition {
  const { Condition: name = '' } = document
  switch (meaning.kind) {
    case 'always':
      only(document, ['Condition'], place, `${name} takes no key and no value`)
      return { op: 'always', value: true }
    case 'elements': {
      only(document, ['Condition', 'Expressions', ...KEYS], place, `${name} takes Expressions and no value`)
      if (!document.Expressions?.length) throw refuse(place, `${name} needs Expressions: what an element must satisfy`)
      const where = readExpressions(document.Expressions, { ...place, path: `${place.path}.Expressions`, isElement: true })
      return { op: 'elements', quantifier: meaning.quantifier, field: readField(document, place), where }
    }
    case 'exists':
    case 'null':
    case 'nullOrEmpty':
      only(document, ['Condition', ...KEYS], place, `${name} takes a key and no value`)
      return { op: meaning.kind, field: readField(document, place) }
    case 'address':
      return readAddress(document, meaning.address, place)
    case 'network':
      return readNetwork(document, meaning.inList, place)
    case 'in':
      return readIn(document, meaning.ignoreCase, place)
    case 'compare':
      return readCompare(document, meaning, place)
  }
}

/** Older content uses `Value: true`, and `Value: false` for the negation. */
function readAddress(document: ExpressionDocument, kind: AddressKind, place: Place): Condition {
  const { Condition: name = '', Value: value = true } = document
  only(document, ['Condition', 'Value', ...KEYS], place, `${name} takes a key`)
  if (typeof value !== 'boolean')
    throw refuse({ ...place, path: `${place.path}.Value` }, `${name} takes no Value but true or false`)
  const condition: Condition = { op: 'address', kind, field: readField(document, place) }
  return value ? condition : { op: 'not', of: condition }
}

function readCompare(document: ExpressionDocument, meaning: Meaning & { kind: 'compare' }, place: Place): Condition {
  const { Condition: name = '', Value: value, Values: values } = document
  const { test, ignoreCase } = meaning
  const folded = ignoreCase ? { ignoreCase } : {}
  if (values && !hasKey(document)) {
    const [left, right] = readTwoKeys(document, place)
    return { op: 'compareFields', test, left, right, ...folded }
  }
  only(document, ['Condition', 'Value', ...KEYS], place, `${name} takes a key and one Value, or no key and Values with two keys`)
  if (value === undefined) throw refuse(place, `${name} needs a Value`)
  if ((test === 'starts' || test === 'ends' || ignoreCase) && typeof value !== 'string') {
    throw refuse({ ...place, path: `${place.path}.Value` }, `${name} compares texts: quote the value ${String(value)}`)
  }
  const field = readField(document, place)
  const compared: Condition = { op: 'compare', test, field, value, ...folded }
  if (test !== 'contains' || typeof value === 'string' || !isWild(field)) return compared
  // `a[*].granted` contains true if one of the values is true: they are a list, although each is tested.
  return { op: 'or', of: [compared, { op: 'compare', test: 'equals', field, value }] }
}

function isWild(field: Field): boolean {
  return field.kind === 'path' && field.segments.includes(null)
}

function readIn(document: ExpressionDocument, ignoreCase: boolean, place: Place): Condition {
  const { Condition: name = '', Values: values } = document
  const folded = ignoreCase ? { ignoreCase } : {}
  if (values && !hasKey(document) && !values.some(isScalar)) {
    // Whether the first key's value is in the list (or text) under the second.
    const [item, list] = readTwoKeys(document, place)
    return { op: 'compareFields', test: 'contains', left: list, right: item, ...folded }
  }
  only(document, ['Condition', 'Values', ...KEYS], place, `${name} takes a key and a list of Values`)
  if (!values?.every(isScalar)) throw refuse(place, `${name} needs Values: a list of texts, numbers, true or false`)
  return { op: 'in', field: readField(document, place), values, ...folded }
}

function readNetwork(document: ExpressionDocument, inList: boolean, place: Place): Condition {
  const { Condition: name = '', Value: value, Values: values } = document
  only(document, ['Condition', 'Value', 'Values', ...KEYS], place, `${name} takes a key and a Value`)
  const networks = values ?? (value === undefined ? [] : [value])
  if (networks.length === 0 || (values && value !== undefined)) {
    throw refuse(place, `${name} needs a Value such as 10.0.0.0/8, or several as Values`)
  }
  const texts = networks.map((text) => {
    if (typeof text === 'string' && parsePrefix(text)) return text
    throw refuse(place, `${JSON.stringify(text)} is not a network: write an address and its bits, such as 10.0.0.0/8`)
  })
  const field = readField(document, place)
  const one: Condition = { op: 'network', field, networks: texts }
  if (!inList) return one
  const self: Field = { kind: 'path', segments: [] }
  return {
    op: 'or',
    of: [one, { op: 'elements', quantifier: 'any', field, where: { op: 'network', field: self, networks: texts } }],
  }
}

function readTwoKeys(document: ExpressionDocument, place: Place): readonly [Field, Field] {
  const { Condition: name = '', Values: values = [] } = document
  only(document, ['Condition', 'Values'], place, `${name} of two keys takes nothing else`)
  const [left, right] = values
  if (values.length !== 2 || left === undefined || right === undefined || isScalar(left) || isScalar(right)) {
    throw refuse(place, `${name} without a key compares two fields: give Values two keys, such as [{KeyPath: a}, {KeyPath: b}]`)
  }
  const at = (index: number) => ({ file: place.file, path: `${place.path}.Values.${index}` })
  return [readKey(left, at(0)), readKey(right, at(1))]
}

function isScalar(value: ScalarDocument | KeySpecifierDocument): value is ScalarDocument {
  return typeof value !== 'object'
}

function hasKey(document: ExpressionDocument): boolean {
  return KEYS.some((key) => document[key] !== undefined)
}

function readField(document: ExpressionDocument, place: Place): Field {
  const { Enrichment: enrichment } = document
  if (!enrichment) {
    if (place.isElement && !hasKey(document)) return { kind: 'path', segments: [] }
    return readKey(document, place)
  }
  if (document.Key ?? document.DeepKey ?? document.KeyPath) throw refuse(place, 'write Enrichment or a key, not both')
  const segments = parseKeyPath(enrichment.FieldPath)
  if (typeof segments === 'string') throw refuse({ ...place, path: `${place.path}.Enrichment.FieldPath` }, segments)
  const selector = enrichment.Selector.startsWith('$.') ? enrichment.Selector.slice(2) : enrichment.Selector
  return { kind: 'enrichment', table: enrichment.Table, selector, segments }
}

/** A key specifier: exactly one of `Key`, `DeepKey`, `KeyPath`. Throws `ConfigError`. */
export function readKey({ Key: key, DeepKey: deep, KeyPath: keyPath }: KeySpecifierDocument, place: Place): Field {
  const given = [key, deep, keyPath].filter((one) => one !== undefined).length
  if (given !== 1)
    throw refuse(place, `${given === 0 ? 'a key is missing' : 'there are several keys'}: write one of Key, DeepKey, KeyPath`)
  if (key !== undefined) return { kind: 'path', segments: [key] }
  if (deep !== undefined) return { kind: 'path', segments: deep }
  const segments = parseKeyPath(keyPath!)
  if (typeof segments === 'string')
    throw refuse({ ...place, path: `${place.path}.KeyPath` }, `${JSON.stringify(keyPath)} ${segments}`)
  return { kind: 'path', segments }
}

function only(document: ExpressionDocument, allowed: readonly string[], place: Place, rule: string): void {
  const extra = Object.entries(document).find(([key, value]) => value !== undefined && !allowed.includes(key))
  if (extra) throw refuse(place, `${rule}: remove ${extra[0]}`)
}

function refuse({ file, path }: Place, message: string): ConfigError {
  return new ConfigError(message, { file, path })
}

import type { Condition, Field, Scalar } from '../../../model/condition/condition.ts'
import { compileField } from '../../../model/condition/path.ts'
import { unknown } from '../../../model/condition/values.ts'
import type { JsonObject, JsonValue } from '../../../model/json.ts'
import { stringifyJson } from '../../../util/json.ts'

const MAX_TEXT = 300
const MAX_VALUES = 5

/** A test and its negation, in words. */
type Words = readonly [yes: string, no: string]

const COMPARISONS: Readonly<Record<Extract<Condition, { op: 'compare' }>['test'], Words>> = {
  equals: ['equals', 'does not equal'],
  starts: ['starts with', 'does not start with'],
  ends: ['ends with', 'does not end with'],
  contains: ['contains', 'does not contain'],
  greater: ['is greater than', 'is not greater than'],
  greaterOrEqual: ['is at least', 'is not at least'],
  less: ['is less than', 'is not less than'],
  lessOrEqual: ['is at most', 'is not at most'],
}

const ADDRESSES: Readonly<Record<Extract<Condition, { op: 'address' }>['kind'], string>> = {
  any: 'an IP address',
  v4: 'an IPv4 address',
  v6: 'an IPv6 address',
  public: 'a public IP address',
  private: 'a private IP address',
}

const QUANTIFIERS = { any: 'any element', all: 'every element', none: 'no element', onlyOne: 'exactly one element' } as const
const COMBINATORS = { and: 'all of', or: 'one of', onlyOne: 'exactly one of', none: 'none of' } as const

/** A condition in words, on one line: `actor.name equals "root"`. */
export function inWords(condition: Condition, isNegated = false): string {
  const say = (field: Field, [yes, no]: Words, rest = '') => `${nameOf(field)} ${isNegated ? no : yes}${rest && ` ${rest}`}`
  const be = (field: Field, what: string) => say(field, ['is', 'is not'], what)
  const folded = 'ignoreCase' in condition && condition.ignoreCase ? ' (in any case)' : ''
  switch (condition.op) {
    case 'always':
      return condition.value === isNegated ? 'never' : 'always'
    case 'not':
      return inWords(condition.of, !isNegated)
    case 'and':
    case 'or':
    case 'onlyOne':
    case 'none':
      return `${isNegated ? 'not ' : ''}${COMBINATORS[condition.op]} (${condition.of.map((one) => inWords(one)).join('; ')})`
    case 'compare':
      return say(condition.field, COMPARISONS[condition.test], text(condition.value)) + folded
    case 'in':
      return be(condition.field, `one of ${cut(stringifyJson(condition.values as JsonValue))}`) + folded
    case 'compareFields':
      return say(condition.left, COMPARISONS[condition.test], nameOf(condition.right)) + folded
    case 'exists':
      return say(condition.field, ['exists', 'does not exist'])
    case 'null':
      return be(condition.field, 'null')
    case 'nullOrEmpty':
      return be(condition.field, 'null or empty')
    case 'beyondAscii':
      return say(condition.field, ['has a character beyond ASCII', 'has no character beyond ASCII'])
    case 'address':
      return be(condition.field, ADDRESSES[condition.kind])
    case 'network':
      return be(condition.field, `in ${cut(condition.networks.join(', '))}`)
    case 'pattern':
      return say(condition.field, ['fits', 'does not fit'], cut(condition.patterns.join(', ')))
    case 'elements':
      return `${isNegated ? 'not ' : ''}${QUANTIFIERS[condition.quantifier]} of ${nameOf(condition.field)}: ${inWords(condition.where)}`
    default:
      return unknown(condition)
  }
}

/** The values of the fields that a condition tests: `[field, value]`. Fields of elements are not among them: the list is. */
export function valuesOf(condition: Condition, event: JsonObject): (readonly [string, string])[] {
  return fieldsOf(condition).map((field) => [nameOf(field), shownValue(field, event)] as const)
}

function fieldsOf(condition: Condition): readonly Field[] {
  switch (condition.op) {
    case 'always':
      return []
    case 'not':
      return fieldsOf(condition.of)
    case 'compareFields':
      return [condition.left, condition.right]
    case 'and':
    case 'or':
    case 'onlyOne':
    case 'none': {
      const all = new Map(condition.of.flatMap(fieldsOf).map((field) => [nameOf(field), field]))
      return [...all.values()]
    }
    default:
      return [condition.field]
  }
}

function shownValue(field: Field, event: JsonObject): string {
  const found: JsonValue[] = []
  compileField(field).visit(event, event, (value) => {
    found.push(value)
    return found.length > MAX_VALUES
  })
  if (found.length === 0) return 'missing'
  const texts = found.slice(0, MAX_VALUES).map((value) => text(value))
  return cut(texts.join(', ') + (found.length > MAX_VALUES ? ', …' : ''))
}

function nameOf(field: Field): string {
  const { segments } = field
  const path = segments.map((segment, at) =>
    segment === null ? '[*]' : typeof segment === 'number' ? `[${segment}]` : at === 0 ? segment : `.${segment}`,
  )
  const own = cut(path.join(''))
  if (field.kind === 'enrichment') return `p_enrichment.${field.table}.${field.selector}${own && `.${own}`}`
  return own || 'the element'
}

function text(value: JsonValue | Scalar): string {
  return cut(stringifyJson(value))
}

function cut(long: string): string {
  return long.length <= MAX_TEXT ? long : `${long.slice(0, MAX_TEXT - 1).toWellFormed()}…`
}

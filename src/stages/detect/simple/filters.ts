import { compile } from '../../../model/condition/compile.ts'
import type { Condition, Field } from '../../../model/condition/condition.ts'
import type { JsonObject } from '../../../model/json.ts'
import { ConfigError } from '../../../util/errors.ts'
import { type ExpressionDocument, inlineFiltersDocument } from './document.ts'
import { type Place, readExpression } from './expression.ts'
import { checkDocument } from './parse.ts'

/**
 * Compiles a rule's `InlineFilters` (the YAML's value; null means no filter). The rule should only judge an event if the
 * predicate returns true. Throws `ConfigError` with file and path.
 */
export function compileInlineFilters(document: unknown, where: { readonly file: string }): (event: JsonObject) => boolean {
  return compile(readInlineFilters(document, where))
}

/**
 * The condition that inline filters are compiled to: the grammar of simple detections without list comprehensions. Unlike in a
 * detection, a filter on a missing field lets the event pass, and a combinator without filters filters nothing (docs.panther.com,
 * "Modifying Detections with Inline Filters"). A null field counts as present. Comparisons of two fields, and filters below
 * `OnlyOne` and `None`, work as in a detection.
 */
export function readInlineFilters(document: unknown, { file }: { readonly file: string }): Condition {
  const filters = checkDocument(inlineFiltersDocument, document ?? [], file)
  return { op: 'and', of: filters.map((filter, at) => readFilter(filter, { file, path: `InlineFilters.${at}` })) }
}

function readFilter(document: ExpressionDocument, place: Place): Condition {
  const { All: all, Any: any } = document
  const list = all ?? any
  if (list) {
    const key = all ? 'All' : 'Any'
    const extra = Object.keys(document).find((other) => other !== key)
    if (extra) throw refuse(place, `${key} must be the only key: remove ${extra}`)
    if (list.length === 0) return { op: 'always', value: true }
    const of = list.map((filter, at) => readFilter(filter, { ...place, path: `${place.path}.${key}.${at}` }))
    return { op: all ? 'and' : 'or', of }
  }
  if (document.Expressions)
    throw refuse(place, 'Expressions is for detections: an inline filter does not look into lists, filter in rule() instead')
  const condition = readExpression(document, place)
  const field = fieldOf(condition)
  if (field === undefined) return condition
  return { op: 'or', of: [{ op: 'not', of: { op: 'exists', field } }, condition] }
}

/**
 * The field whose absence lets an event pass; `undefined` for tests of presence itself, and if there is not exactly one field.
 */
function fieldOf(condition: Condition): Field | undefined {
  switch (condition.op) {
    case 'not':
      return fieldOf(condition.of)
    // A test of addresses in lists: both parts test the same field.
    case 'or':
      return fieldOf(condition.of[0]!)
    case 'always':
    case 'exists':
    case 'compareFields':
    case 'and':
    case 'onlyOne':
    case 'none':
      return undefined
    default:
      return condition.field
  }
}

function refuse({ file, path }: Place, message: string): ConfigError {
  return new ConfigError(message, { file, path })
}

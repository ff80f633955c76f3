import { quoteText } from '../../ddl.ts'
import { type Call, type FunctionTable, fn } from '../call.ts'
import { as, asJson, asList, asText, asTexts, commonShape, memberOf, type Value } from '../value.ts'

const texts = (sql: string): Value => ({ sql, shape: 'list of text' })

const size = fn(1, 1, (call) => ({ sql: `length(${asList(call.value(0)).sql})`, shape: 'number' }))
const construct = fn(0, 10_000, (call) => listOf(call.values()))
const parse = fn(1, 1, (call) => {
  const written = asText(call.value(0))
  return { sql: `if(isValidJSON(${written}), ${written}, NULL)`, shape: 'json' }
})

/** A list from individual values. */
export function listOf(values: readonly Value[]): Value {
  if (values.length === 0) return texts('emptyArrayString()')
  const shape = commonShape(values.map((value) => value.shape))
  const member = memberOf(shape) || shape === 'json' || shape === 'null' ? 'text' : shape
  return { sql: `[${values.map((value) => as(member, value)).join(', ')}]`, shape: `list of ${member as 'text'}` }
}

function contains(call: Call): Value {
  return { sql: `has(${asTexts(call.value(1))}, ${asText(call.value(0))})`, shape: 'boolean' }
}

/** Semi-structured data. https://docs.snowflake.com/en/sql-reference/functions-semistructured */
export const LIST_FUNCTIONS: FunctionTable = {
  array_construct: construct,
  array_size: size,
  array_contains: fn(2, 2, contains),
  arrays_overlap: fn(2, 2, (call) => ({
    sql: `hasAny(${asTexts(call.value(0))}, ${asTexts(call.value(1))})`,
    shape: 'boolean',
  })),
  array_intersection: fn(2, 2, (call) => texts(`arrayIntersect(${asTexts(call.value(0))}, ${asTexts(call.value(1))})`)),
  array_except: fn(2, 2, (call) => {
    return texts(`arrayFilter(e -> NOT has(${asTexts(call.value(1))}, e), ${asTexts(call.value(0))})`)
  }),
  array_cat: fn(2, 2, (call) => texts(`arrayConcat(${asTexts(call.value(0))}, ${asTexts(call.value(1))})`)),
  array_append: fn(2, 2, (call) => texts(`arrayPushBack(${asTexts(call.value(0))}, ${asText(call.value(1))})`)),
  array_distinct: fn(1, 1, (call) => {
    const members = asList(call.value(0))
    return { ...members, sql: `arrayDistinct(${members.sql})` }
  }),
  array_compact: fn(1, 1, (call) => {
    const members = asList(call.value(0))
    const absent = memberOf(members.shape) === 'json' ? "e IS NULL OR e = 'null'" : 'e IS NULL'
    return { ...members, sql: `arrayFilter(e -> NOT (${absent}), ${members.sql})` }
  }),
  array_slice: fn(3, 3, (call) => {
    const [from, to] = [call.integer(1), call.integer(2)]
    if (from === undefined || to === undefined || from < 0 || to < from) {
      return call.context.unsupported('ARRAY_SLICE with bounds that are not written as numbers from 0 up')
    }
    const members = asList(call.value(0))
    return { ...members, sql: `arraySlice(${members.sql}, ${from + 1}, ${to - from})` }
  }),
  array_to_json: fn(1, 1, (call) => ({ sql: asJson(call.value(0)), shape: 'json' })),
  parse_json: parse,
  try_parse_json: parse,
  to_variant: fn(1, 1, (call) => call.value(0)),
  to_array: fn(1, 1, (call) => asList(call.value(0))),
  to_object: fn(1, 1, (call) => call.value(0)),
  to_json: fn(1, 1, (call) => ({ sql: asJson(call.value(0)), shape: 'text' })),
  typeof: fn(1, 1, (call) => {
    const value = call.value(0)
    if (value.shape !== 'json') return call.context.unsupported('TYPEOF of something that is not JSON')
    const names = "['Object', 'Array', 'String', 'Int64', 'UInt64', 'Double', 'Bool', 'Null']"
    const types = "['OBJECT', 'ARRAY', 'VARCHAR', 'INTEGER', 'INTEGER', 'DOUBLE', 'BOOLEAN', 'NULL_VALUE']"
    return { sql: `transform(toString(JSONType(${value.sql})), ${names}, ${types}, NULL)`, shape: 'text' }
  }),
  is_array: fn(1, 1, (call) => typeTest(call, 'Array')),
  is_object: fn(1, 1, (call) => typeTest(call, 'Object')),
  object_keys: fn(1, 1, (call) => texts(`JSONExtractKeys(ifNull(${asJson(call.value(0))}, ''))`)),
  get_path: fn(2, 2, (call) => {
    const path = call.word(1)
    if (path === undefined || !/^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$/.test(path)) {
      return call.context.unsupported('GET_PATH with a path that is not written as a.b.c')
    }
    return readKeys(call.value(0), path.split('.'))
  }),
  get: fn(2, 2, (call) => {
    const [key, index] = [call.word(1), call.integer(1)]
    if (index !== undefined && index >= 0) return readIndex(call.value(0), index)
    return key === undefined ? call.context.unsupported('GET with a computed key') : readKeys(call.value(0), [key])
  }),
}

function typeTest(call: Call, type: string): Value {
  const value = call.value(0)
  if (memberOf(value.shape)) return { sql: type === 'Array' ? 'true' : 'false', shape: 'boolean' }
  return { sql: `(JSONType(ifNull(${asJson(value)}, '')) = '${type}')`, shape: 'boolean' }
}

/** `value:a.b`: NULL if there is no such key. Text is parsed as JSON. */
export function readKeys(value: Value, keys: readonly string[]): Value {
  if (value.shape !== 'json' && value.shape !== 'text') return { sql: 'NULL', shape: 'json' }
  const path = keys.map(quoteText)
  return { sql: `nullIf(JSONExtractRaw(${value.sql}, ${path.join(', ')}), '')`, shape: 'json' }
}

/** `value[index]`, counted from 0: NULL if there is no such member. */
export function readIndex(value: Value, index: number): Value {
  const members = asList(value)
  return { sql: `arrayElementOrNull(${members.sql}, ${index + 1})`, shape: memberOf(members.shape)! }
}

import { type FunctionTable, fn } from '../call.ts'
import { as, asBoolean, asInteger, asNumber, asText, commonShape, memberOf, rounded, type Value } from '../value.ts'

const number = (sql: string): Value => ({ sql, shape: 'number' })

function math(name: string) {
  return fn(1, 1, (call) => number(`${name}(${asNumber(call.value(0))})`))
}

/** The first value that is present. The engine's lists cannot be null: an empty one counts as missing. */
export function coalesce(values: readonly Value[]): Value {
  const shape = commonShape(values.map((value) => value.shape))
  const written = values.map((value) => as(shape, value))
  if (!memberOf(shape)) return { sql: `coalesce(${written.join(', ')})`, shape }
  const sql = written.reduceRight((rest, first) => `if(empty(${first}), ${rest}, ${first})`)
  return { sql, shape }
}

/** `cases` in order, then `otherwise`, all converted to one shape. */
export function choose(cases: readonly { readonly when: string; readonly value: Value }[], otherwise: Value): Value {
  const shape = commonShape([...cases.map(({ value }) => value.shape), otherwise.shape])
  const written = cases.map(({ when, value }) => `${when}, ${as(shape, value)}`)
  return { sql: `multiIf(${written.join(', ')}, ${as(shape, otherwise)})`, shape }
}

const absent: Value = { sql: 'NULL', shape: 'null' }
const iff = fn(3, 3, (call) => choose([{ when: asBoolean(call.value(0)), value: call.value(1) }], call.value(2)))
const ifNull = fn(2, 2, (call) => coalesce(call.values()))

/** Greatest and least are NULL if any value is. */
function extreme(name: 'greatest' | 'least') {
  return fn(1, 100, (call) => {
    const values = call.values()
    const shape = commonShape(values.map((value) => value.shape))
    const written = values.map((value) => as(shape, value))
    const anyNull = written.map((sql) => `isNull(${sql})`).join(' OR ')
    return { sql: `if(${anyNull}, NULL, ${name}(${written.join(', ')}))`, shape }
  })
}

const convertToText = fn(1, 2, (call) => {
  if (call.count > 1) return call.context.unsupported(`${call.name.toUpperCase()} with a format`)
  return { sql: asText(call.value(0)), shape: 'text' }
})
const convertToNumber = fn(1, 1, (call) => number(asNumber(call.value(0))))
const convertToBoolean = fn(1, 1, (call) => ({ sql: asBoolean(call.value(0)), shape: 'boolean' }))

/** Conditions, conversions and arithmetic. https://docs.snowflake.com/en/sql-reference/functions-conditional */
export const SCALAR_FUNCTIONS: FunctionTable = {
  coalesce: fn(1, 100, (call) => coalesce(call.values())),
  ifnull: ifNull,
  nvl: ifNull,
  nvl2: fn(3, 3, (call) => choose([{ when: `isNotNull(${call.value(0).sql})`, value: call.value(1) }], call.value(2))),
  iff,
  nullif: fn(2, 2, (call) => {
    const [a, b] = call.values()
    const shape = commonShape([a!.shape, b!.shape])
    return { sql: `nullIf(${as(shape, a!)}, ${as(shape, b!)})`, shape }
  }),
  nullifzero: fn(1, 1, (call) => number(`nullIf(${asNumber(call.value(0))}, 0)`)),
  zeroifnull: fn(1, 1, (call) => number(`ifNull(${asNumber(call.value(0))}, 0)`)),
  equal_null: fn(2, 2, (call) => {
    const shape = commonShape(call.values().map((value) => value.shape))
    return { sql: `(${as(shape, call.value(0))} <=> ${as(shape, call.value(1))})`, shape: 'boolean' }
  }),
  decode: fn(3, 255, (call) => {
    const [subject, ...rest] = call.values()
    const cases = Array.from({ length: Math.floor(rest.length / 2) }, (_, i) => {
      const [when, value] = [rest[2 * i]!, rest[2 * i + 1]!]
      const shape = commonShape([subject!.shape, when.shape])
      return { when: `(${as(shape, subject!)} <=> ${as(shape, when)})`, value }
    })
    return choose(cases, rest.length % 2 === 1 ? rest.at(-1)! : absent)
  }),
  greatest: extreme('greatest'),
  least: extreme('least'),
  abs: math('abs'),
  sqrt: math('sqrt'),
  exp: math('exp'),
  ln: math('log'),
  sign: math('sign'),
  ceil: math('ceil'),
  floor: math('floor'),
  power: fn(2, 2, (call) => number(`pow(${call.values().map(asNumber).join(', ')})`)),
  pow: fn(2, 2, (call) => number(`pow(${call.values().map(asNumber).join(', ')})`)),
  log: fn(2, 2, (call) => number(`(log(${asNumber(call.value(1))}) / log(${asNumber(call.value(0))}))`)),
  mod: fn(2, 2, (call) => number(`(${call.values().map(asNumber).join(' % ')})`)),
  div0: fn(2, 2, (call) => {
    const [a, b] = call.values().map(asNumber)
    return number(`if(${b} = 0, 0, ${a} / ${b})`)
  }),
  round: fn(1, 2, (call) => {
    const places = call.count > 1 ? call.integer(1) : 0
    if (places === undefined || Math.abs(places) > 15) return call.context.unsupported('ROUND to a computed number of places')
    return number(rounded(asNumber(call.value(0)), places))
  }),
  to_varchar: convertToText,
  to_char: convertToText,
  to_number: convertToNumber,
  to_decimal: convertToNumber,
  to_double: convertToNumber,
  try_to_number: convertToNumber,
  try_to_decimal: convertToNumber,
  try_to_double: convertToNumber,
  to_boolean: convertToBoolean,
  try_to_boolean: convertToBoolean,
}

/** The value converted to a cast's type, in lower case (`numeric(10,2)`); undefined for unknown types. */
export function cast(value: Value, type: string): Value | undefined {
  if (/^(varchar|string|text|char|nvarchar)/.test(type)) return { sql: asText(value), shape: 'text' }
  if (/^(int|integer|bigint|smallint|tinyint|byteint)/.test(type)) return number(asInteger(value))
  if (/^(number|numeric|dec|decimal)/.test(type)) {
    const scale = /,(\d+)\)$/.exec(type)?.[1] ?? '0'
    return number(scale === '0' ? asInteger(value) : rounded(asNumber(value), Number(scale)))
  }
  if (/^(float|double|real)/.test(type)) return number(`toFloat64(${asNumber(value)})`)
  if (/^bool/.test(type)) return { sql: asBoolean(value), shape: 'boolean' }
  if (/^(timestamp|datetime)/.test(type)) return { sql: as('time', value), shape: 'time' }
  if (type === 'date') return { sql: `toDate(${as('time', value)})`, shape: 'date' }
  // A variant of a value is the value itself, since every comparison considers the shapes of both sides.
  return /^(variant|object|array)/.test(type) ? value : undefined
}

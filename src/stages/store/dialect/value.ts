import { quoteText } from '../ddl.ts'

/** The result type of a translated expression; `json` is Snowflake's VARIANT: text that contains a JSON value. */
export type Scalar = 'json' | 'text' | 'number' | 'boolean' | 'time' | 'date' | 'interval' | 'null'

/** A list is the engine's array. */
export type Shape = Scalar | `list of ${Scalar}`

/** A translated expression. */
export interface Value {
  readonly sql: string
  readonly shape: Shape
}

export const NULL: Value = { sql: 'NULL', shape: 'null' }

export function text(value: string): Value {
  return { sql: quoteText(value), shape: 'text' }
}

/** The shape of a list's members; undefined for a scalar. */
export function memberOf(shape: Shape): Scalar | undefined {
  return shape.startsWith('list of ') ? (shape.slice(8) as Scalar) : undefined
}

/** As `::string` returns it: a JSON string without its quotes, any other JSON value as its text. */
export function asText({ sql, shape }: Value): string {
  switch (shape) {
    case 'text':
    case 'null':
      return sql
    case 'json':
      return `JSONExtract(${sql}, 'Nullable(String)')`
    case 'boolean':
      return `multiIf(${sql}, 'true', NOT ${sql}, 'false', NULL)`
    default:
      return memberOf(shape) ? `toJSONString(${sql})` : `toString(${sql})`
  }
}

/** A number, or NULL if it is not one. */
export function asNumber({ sql, shape }: Value): string {
  if (shape === 'json') return `JSONExtract(${sql}, 'Nullable(Float64)')`
  if (shape === 'text') return `toFloat64OrNull(${sql})`
  if (shape === 'boolean') return `toUInt8(${sql})`
  return sql
}

/** A whole number, or NULL if it is not one. */
export function asInteger(value: Value): string {
  if (value.shape === 'number') return `accurateCastOrNull(${rounded(value.sql, 0)}, 'Int64')`
  const written = asText(value)
  return `coalesce(toInt64OrNull(${written}), accurateCastOrNull(${rounded(`toFloat64OrNull(${written})`, 0)}, 'Int64'))`
}

/** Rounds a number to a number of places, half away from zero; the engine's `round` would round half to even. */
export function rounded(sql: string, places: number): string {
  const scale = 10 ** Math.abs(places)
  const [up, down] = places >= 0 ? [`* ${scale}`, `/ ${scale}`] : [`/ ${scale}`, `* ${scale}`]
  return places === 0 ? `(sign(${sql}) * floor(abs(${sql}) + 0.5))` : `(sign(${sql}) * floor(abs(${sql}) ${up} + 0.5) ${down})`
}

/** A truth value. Text is interpreted as in Snowflake; any other text is NULL. */
export function asBoolean(value: Value): string {
  if (value.shape === 'boolean' || value.shape === 'null') return value.sql
  if (value.shape === 'number') return `(${value.sql} != 0)`
  const written = `lower(${asText(value)})`
  return `multiIf(${written} IN ('true', 't', 'yes', 'y', 'on', '1'), true, ${written} IN ('false', 'f', 'no', 'n', 'off', '0'), false, NULL)`
}

/** A point in time; a number is seconds since 1970. */
export function asTime(value: Value): string {
  if (value.shape === 'time' || value.shape === 'null') return value.sql
  if (value.shape === 'date') return `toDateTime64(${value.sql}, 9, 'UTC')`
  if (value.shape === 'number') return `fromUnixTimestamp64Nano(toInt64(${value.sql} * 1000000000), 'UTC')`
  return `parseDateTime64BestEffortOrNull(${asText(value)}, 9, 'UTC')`
}

/** The sort key of JSON values: numbers by size and before all others, which are sorted by their text. */
export function orderKeys({ sql, shape }: Value): { readonly number: string; readonly text: string } {
  return { number: `if(startsWith(${sql}, '"'), NULL, JSONExtract(${sql}, 'Nullable(Float64)'))`, text: asText({ sql, shape }) }
}

/** JSON text of the value. */
export function asJson(value: Value): string {
  if (value.shape === 'json' || value.shape === 'null') return value.sql
  if (memberOf(value.shape) === 'json') return `concat('[', arrayStringConcat(${value.sql}, ','), ']')`
  return `toJSONString(${value.sql})`
}

/** The members of a list or of a JSON array, which may be text; any other value has none. */
export function asList(value: Value): Value {
  if (memberOf(value.shape)) return value
  if (value.shape === 'json' || value.shape === 'text')
    return { sql: `JSONExtractArrayRaw(ifNull(${value.sql}, ''))`, shape: 'list of json' }
  return { sql: `emptyArrayString()`, shape: 'list of text' }
}

/** The members as text, so that lists from columns, JSON and aggregates can be compared. */
export function asTexts(value: Value): string {
  const { sql, shape } = asList(value)
  const member = memberOf(shape)!
  if (member === 'text') return sql
  return `arrayMap(m -> ${asText({ sql: 'm', shape: member })}, ${sql})`
}

/** `value` converted to `shape`. */
export function as(shape: Shape, value: Value): string {
  switch (shape) {
    case 'text':
      return asText(value)
    case 'number':
      return asNumber(value)
    case 'boolean':
      return asBoolean(value)
    case 'time':
    case 'date':
      return asTime(value)
    case 'json':
      return asJson(value)
    case 'list of text':
      return asTexts(value)
    default:
      return value.sql
  }
}

/** The shape in which values of all these shapes can be compared and be in one column. */
export function commonShape(shapes: readonly Shape[]): Shape {
  const known = [...new Set(shapes)].filter((shape) => shape !== 'null')
  if (known.length === 0) return 'null'
  if (known.length === 1) return known[0]!
  if (known.some((shape) => memberOf(shape))) return 'list of text'
  for (const shape of ['time', 'date', 'number', 'boolean'] as const) {
    if (known.includes(shape)) return shape === 'date' ? 'time' : shape
  }
  return 'text'
}

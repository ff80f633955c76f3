import { quoteText } from '../ddl.ts'
import type { Value } from './value.ts'

/**
 * Reads a member of the JSON object with an event's fields as the column that it would be in Snowflake: its name is case-insensitive, but
 * the exact spelling is preferred, and JSON's null is NULL.
 */
export function readMember({ sql }: Value, name: string): Value {
  const key = quoteText(name)
  const [written, anyCase] = [`JSONExtractRaw(${sql}, ${key})`, `JSONExtractRawCaseInsensitive(${sql}, ${key})`]
  return { sql: `nullIf(nullIf(if(${written} != '', ${written}, ${anyCase}), ''), 'null')`, shape: 'json' }
}

/** The object without the members with these lower-case names. */
export function withoutMembers({ sql, shape }: Value, names: Iterable<string>): Value {
  const gone = [...names].map(quoteText)
  if (gone.length === 0) return { sql, shape }
  const kept = `arrayFilter(m -> lower(m.1) NOT IN (${gone.join(', ')}), JSONExtractKeysAndValuesRaw(ifNull(${sql}, '')))`
  return { sql: `concat('{', arrayStringConcat(arrayMap(m -> concat(toJSONString(m.1), ':', m.2), ${kept}), ','), '}')`, shape }
}

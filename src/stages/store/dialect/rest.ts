import { quoteText } from '../ddl.ts'
import type { Value } from './value.ts'

/**
 * A member of the JSON object that holds an event's fields, as the column that it is in Snowflake: the case of its name does
 * not count, though the spelling as written comes first, and JSON's null is NULL.
 */
export function readMember({ sql }: Value, name: string): Value {
  const key = quoteText(name)
  const [written, anyCase] = [`JSONExtractRaw(${sql}, ${key})`, `JSONExtractRawCaseInsensitive(${sql}, ${key})`]
  return { sql: `nullIf(nullIf(if(${written} != '', ${written}, ${anyCase}), ''), 'null')`, shape: 'json' }
}

/** The object without members of these names, which are in lower case. */
export function withoutMembers({ sql, shape }: Value, names: Iterable<string>): Value {
  const gone = [...names].map(quoteText)
  if (gone.length === 0) return { sql, shape }
  const kept = `arrayFilter(m -> lower(m.1) NOT IN (${gone.join(', ')}), JSONExtractKeysAndValuesRaw(ifNull(${sql}, '')))`
  return { sql: `concat('{', arrayStringConcat(arrayMap(m -> concat(toJSONString(m.1), ':', m.2), ${kept}), ','), '}')`, shape }
}

import { type FunctionTable, fn } from '../call.ts'
import { asNumber, asText, memberOf, type Value } from '../value.ts'

const textOf = (sql: string): Value => ({ sql, shape: 'text' })
const numberOf = (sql: string): Value => ({ sql, shape: 'number' })
const booleanOf = (sql: string): Value => ({ sql, shape: 'boolean' })

function simple(name: string) {
  return fn(1, 1, (call) => textOf(`${name}(${asText(call.value(0))})`))
}

const length = fn(1, 1, (call) => numberOf(`lengthUTF8(${asText(call.value(0))})`))
const substring = fn(2, 3, (call) => {
  const rest = call.values().slice(1)
  return textOf(`substringUTF8(${asText(call.value(0))}, ${rest.map(asNumber).join(', ')})`)
})
const concat = fn(1, 100, (call) => textOf(`concat(${call.values().map(asText).join(', ')})`))

function trim(side: 'BOTH' | 'LEADING' | 'TRAILING', plain: string) {
  return fn(1, 2, (call) => {
    if (call.count === 1) return textOf(`${plain}(${asText(call.value(0))})`)
    const characters = call.word(1)
    if (characters === undefined) return call.context.unsupported(`${call.name} with characters that are not a text`)
    return textOf(`trim(${side} ${asText(call.value(1))} FROM ${asText(call.value(0))})`)
  })
}

function regular(pattern: string, flags: string | undefined): string {
  const given = flags ?? ''
  // In the engine's configuration of RE2, `.` matches a line break; in Snowflake only with `s`.
  const modes = `${given.includes('i') ? 'i' : ''}${given.includes('m') ? 'm' : ''}`
  return `concat('(?${modes}${given.includes('s') ? 's' : '-s'})', ${pattern})`
}

/** Text and regular expressions. https://docs.snowflake.com/en/sql-reference/functions-string */
export const TEXT_FUNCTIONS: FunctionTable = {
  lower: simple('lowerUTF8'),
  upper: simple('upperUTF8'),
  reverse: simple('reverseUTF8'),
  initcap: simple('initcapUTF8'),
  md5: fn(1, 1, (call) => textOf(`lower(hex(MD5(${asText(call.value(0))})))`)),
  sha1: fn(1, 1, (call) => textOf(`lower(hex(SHA1(${asText(call.value(0))})))`)),
  sha2: fn(1, 1, (call) => textOf(`lower(hex(SHA256(${asText(call.value(0))})))`)),
  base64_encode: fn(1, 1, (call) => textOf(`base64Encode(${asText(call.value(0))})`)),
  base64_decode_string: fn(1, 1, (call) => textOf(`tryBase64Decode(${asText(call.value(0))})`)),
  try_base64_decode_string: fn(1, 1, (call) => textOf(`tryBase64Decode(${asText(call.value(0))})`)),
  len: length,
  length,
  substr: substring,
  substring,
  concat,
  trim: trim('BOTH', 'trimBoth'),
  ltrim: trim('LEADING', 'trimLeft'),
  rtrim: trim('TRAILING', 'trimRight'),
  left: fn(2, 2, (call) => textOf(`leftUTF8(${asText(call.value(0))}, ${asNumber(call.value(1))})`)),
  right: fn(2, 2, (call) => textOf(`rightUTF8(${asText(call.value(0))}, ${asNumber(call.value(1))})`)),
  replace: fn(2, 3, (call) => {
    const [subject, from, to] = call.values()
    return textOf(`replaceAll(${asText(subject!)}, ${asText(from!)}, ${to ? asText(to) : "''"})`)
  }),
  contains: fn(2, 2, (call) => booleanOf(`(position(${asText(call.value(0))}, ${asText(call.value(1))}) > 0)`)),
  startswith: fn(2, 2, (call) => booleanOf(`startsWith(${asText(call.value(0))}, ${asText(call.value(1))})`)),
  endswith: fn(2, 2, (call) => booleanOf(`endsWith(${asText(call.value(0))}, ${asText(call.value(1))})`)),
  charindex: fn(2, 2, (call) => numberOf(`positionUTF8(${asText(call.value(1))}, ${asText(call.value(0))})`)),
  position: fn(2, 2, (call) => numberOf(`positionUTF8(${asText(call.value(1))}, ${asText(call.value(0))})`)),
  split: fn(2, 2, (call) => ({
    sql: `splitByString(${asText(call.value(1))}, ifNull(${asText(call.value(0))}, ''))`,
    shape: 'list of text',
  })),
  split_part: fn(3, 3, (call) => {
    const parts = `splitByString(${asText(call.value(1))}, ifNull(${asText(call.value(0))}, ''))`
    const at = call.integer(2)
    if (at === undefined) return call.context.unsupported('SPLIT_PART with a part number that is not written as a number')
    return textOf(`arrayElement(${parts}, ${at === 0 ? 1 : at})`)
  }),
  regexp_like: fn(2, 3, (call) => {
    const pattern = `concat('^(?:', ${asText(call.value(1))}, ')$')`
    return booleanOf(`match(${asText(call.value(0))}, ${regular(pattern, call.word(2))})`)
  }),
  regexp_count: fn(2, 2, (call) =>
    numberOf(`countMatches(${asText(call.value(0))}, ${regular(asText(call.value(1)), undefined)})`),
  ),
  regexp_replace: fn(2, 3, (call) => {
    const to = call.count > 2 ? asText(call.value(2)) : "''"
    return textOf(`replaceRegexpAll(${asText(call.value(0))}, ${regular(asText(call.value(1)), undefined)}, ${to})`)
  }),
  regexp_substr: fn(2, 6, (call) => {
    const [position, occurrence, group] = [2, 3, 5].map((at) => (call.count > at ? call.integer(at) : undefined))
    if ((position ?? 1) !== 1 || (occurrence ?? 1) !== 1) {
      return call.context.unsupported('REGEXP_SUBSTR from another place than the first match')
    }
    const flags = call.word(4) ?? ''
    const index = call.count > 5 ? (group ?? 1) : flags.includes('e') ? 1 : 0
    const [subject, pattern] = [asText(call.value(0)), regular(asText(call.value(1)), flags)]
    return textOf(`nullIf(regexpExtract(${subject}, ${pattern}, ${index}), '')`)
  }),
  array_to_string: fn(2, 2, (call) => {
    const [members, separator] = call.values()
    return textOf(`arrayStringConcat(${texts(members!)}, ${asText(separator!)})`)
  }),
}

function texts(value: Value): string {
  const member = memberOf(value.shape)
  if (member === 'text') return value.sql
  const [sql, shape] = member ? [value.sql, member] : [`JSONExtractArrayRaw(ifNull(${value.sql}, ''))`, 'json' as const]
  return `arrayMap(m -> ifNull(${asText({ sql: 'm', shape })}, ''), ${sql})`
}

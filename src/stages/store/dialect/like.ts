import { quoteText } from '../ddl.ts'
import { list, type Node, part, textLiteral, variant } from './ast.ts'
import type { Scope } from './scope.ts'
import { asText, type Value } from './value.ts'

type Translate = (node: Node, scope: Scope) => Value

/** LIKE and ILIKE, including ANY: `subject LIKE 'pattern' [OR …]`. */
export function translateLike(body: Node, anyCase: boolean, scope: Scope, subject: Value, translate: Translate): string {
  const operator = anyCase ? 'ILIKE' : 'LIKE'
  const escapeWith = textLiteral({ Value: part(body, 'escape_char') })
  const written = asText(subject)
  const matches = patterns(part(body, 'pattern'), part(body, 'any') === true).map(
    (pattern) => `${written} ${operator} ${patternSql(pattern, escapeWith, scope, translate)}`,
  )
  return matches.length === 1 ? matches[0]! : `(${matches.join(' OR ')})`
}

function patterns(node: Node, any: boolean): readonly Node[] {
  const { tag, body } = variant(node)
  if (any && tag === 'Tuple') return list(body)
  return any && tag === 'Nested' ? [body] : [node]
}

/** Snowflake has no escape character unless the query specifies one; the engine's is the backslash. */
function patternSql(node: Node, escapeWith: string | undefined, scope: Scope, translate: Translate): string {
  const literal = textLiteral(node)
  if (literal !== undefined) return quoteText(engineLikePattern(literal, escapeWith))
  if (escapeWith !== undefined) return scope.context.unsupported('LIKE … ESCAPE with a pattern that is not a text').sql
  return `replaceAll(${asText(translate(node, scope))}, '\\\\', '\\\\\\\\')`
}

/** Converts a LIKE pattern to the engine's syntax. */
export function engineLikePattern(pattern: string, escapeWith: string | undefined): string {
  let out = ''
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at]!
    const next = pattern[at + 1]
    if (character === escapeWith && next !== undefined) {
      out += '%_\\'.includes(next) ? `\\${next}` : next
      at++
    } else out += character === '\\' ? '\\\\' : character
  }
  return out
}

/** RLIKE: the pattern must match the whole text, and `.` does not match line breaks. */
export function translateMatch(subject: string, pattern: string): string {
  return `match(${subject}, concat('^(?-s:', ${pattern}, ')$'))`
}

import { integerLiteral, list, type Node, nameOf, part, textLiteral, variant } from './ast.ts'
import { intervalSql, readSpans, unitOf } from './duration.ts'
import type { Scope } from './scope.ts'
import { NULL, text, type Value } from './value.ts'

/** A literal number, text, truth value or NULL. */
export function translateLiteral(node: Node, scope: Scope): Value {
  const { tag, body } = variant(node)
  if (tag === 'Null') return NULL
  if (tag === 'Boolean') return { sql: String(body), shape: 'boolean' }
  if (tag === 'Number') {
    const digits = String(list(body)[0])
    return /^[\d.]+(?:e[+-]?\d+)?$/i.test(digits)
      ? { sql: digits, shape: 'number' }
      : scope.context.unsupported(`the number ${digits}`)
  }
  const written = textLiteral({ Value: { value: node } })
  return written === undefined ? scope.context.unsupported(`a literal of the kind ${tag}`) : text(written)
}

/** A `DataType` or time part as text in lower case. */
export function typeName(node: Node): string {
  const { tag, body } = variant(node)
  if (tag === 'Custom') {
    const [names, parameters] = list(body)
    const name = list(names).map((each) => nameOf(part(each, 'Identifier')).text)
    return `${name.join('.')}${list(parameters).length > 0 ? `(${list(parameters).join(',')})` : ''}`.toLowerCase()
  }
  const size = part(body, 'PrecisionAndScale')
  return `${tag}${size === undefined ? '' : `(${list(size).join(',')})`}`.toLowerCase()
}

/** `INTERVAL '7 days'`, to be added to or subtracted from a time. */
export function translateInterval(body: Node, scope: Scope): Value {
  const amount = part(body, 'value')
  const unit = part(body, 'leading_field')
  const written = textLiteral(amount) ?? integerLiteral(amount)?.toString()
  const spans = written === undefined ? undefined : readSpans(unit === undefined ? written : `${written} ${typeName(unit)}`)
  if (!spans || (unit !== undefined && !unitOf(typeName(unit)))) return scope.context.unsupported(`INTERVAL ${written ?? '…'}`)
  return { sql: intervalSql(spans, '+'), shape: 'interval' }
}

import type { Scope } from './scope.ts'
import { as, asBoolean, asNumber, asText, asTime, commonShape, memberOf, orderKeys, type Value } from './value.ts'

const COMPARISONS: Readonly<Record<string, string>> = { Eq: '=', NotEq: '!=', Lt: '<', LtEq: '<=', Gt: '>', GtEq: '>=' }
const ARITHMETIC: Readonly<Record<string, string>> = { Plus: '+', Minus: '-', Multiply: '*', Divide: '/', Modulo: '%' }

/** A binary operator; both operands are converted to one shape. */
export function translateOperator(operator: string, left: Value, right: Value, scope: Scope): Value {
  if (operator === 'And' || operator === 'Or') {
    return { sql: `(${asBoolean(left)} ${operator.toUpperCase()} ${asBoolean(right)})`, shape: 'boolean' }
  }
  if (Object.hasOwn(COMPARISONS, operator)) {
    const shape = commonShape([left.shape, right.shape])
    if (shape === 'json' && operator !== 'Eq' && operator !== 'NotEq') return jsonOrder(COMPARISONS[operator]!, left, right)
    return { sql: `(${as(shape, left)} ${COMPARISONS[operator]} ${as(shape, right)})`, shape: 'boolean' }
  }
  if (operator === 'StringConcat') return { sql: `concat(${asText(left)}, ${asText(right)})`, shape: 'text' }
  if (!Object.hasOwn(ARITHMETIC, operator)) return scope.context.unsupported(`the operator ${operator}`)
  const sign = ARITHMETIC[operator]!
  if (right.shape === 'interval' && (sign === '+' || sign === '-')) {
    return { sql: `(${asTime(left)}${sign === '+' ? right.sql : right.sql.replaceAll(' + ', ' - ')})`, shape: 'time' }
  }
  if ([left.shape, right.shape].some((shape) => shape === 'time' || shape === 'interval' || shape === 'date')) {
    return scope.context.unsupported(`times with the operator ${sign}: use DATEADD or DATEDIFF`)
  }
  return { sql: `(${asNumber(left)} ${sign} ${asNumber(right)})`, shape: 'number' }
}

/** Compares two JSON values by size: numbers are compared as numbers. */
function jsonOrder(sign: string, left: Value, right: Value): Value {
  const [a, b] = [orderKeys(left), orderKeys(right)]
  const sql = `if(isNull(${a.number}) OR isNull(${b.number}), ${a.text} ${sign} ${b.text}, ${a.number} ${sign} ${b.number})`
  return { sql, shape: 'boolean' }
}

/** A unary operator. */
export function translateUnary(operator: string, value: Value, scope: Scope): Value {
  if (operator === 'Not') return { sql: `(NOT ${asBoolean(value)})`, shape: 'boolean' }
  if (operator === 'Minus') return { sql: `(-${asNumber(value)})`, shape: 'number' }
  if (operator === 'Plus') return { sql: asNumber(value), shape: 'number' }
  return scope.context.unsupported(`the operator ${operator}`)
}

/** `subject IN (…)`. */
export function inList(subject: Value, members: readonly Value[], scope: Scope): string {
  const shape = commonShape([subject.shape, ...members.map((member) => member.shape)])
  if (shape === 'null') return scope.context.unsupported('IN of nothing but NULL').sql
  return `${as(shape, subject)} IN (${members.map((member) => as(shape, member)).join(', ')})`
}

/** Whether a value is missing. The engine's lists cannot be null; an empty one counts as missing. */
export function isNull(value: Value): string {
  return memberOf(value.shape) ? `empty(${value.sql})` : `isNull(${value.sql})`
}

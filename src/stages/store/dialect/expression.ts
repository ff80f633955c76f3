import { list, type Node, nameOf, part, variant } from './ast.ts'
import { translateCall } from './call-expression.ts'
import { translationOf } from './functions/index.ts'
import { listOf } from './functions/list.ts'
import { cast, choose } from './functions/scalar.ts'
import { extractPart } from './functions/time.ts'
import { translateLike, translateMatch } from './like.ts'
import { translateInterval, translateLiteral, typeName } from './literal.ts'
import { inList, isNull, translateOperator, translateUnary } from './operator.ts'
import { pathOf, readStep, subscript } from './path.ts'
import type { Scope } from './scope.ts'
import { as, asBoolean, asText, commonShape, NULL, type Value } from './value.ts'

/** How an expression is read in its context. */
export interface Reading {
  /** In ORDER BY a name refers to the output column first. */
  readonly outputFirst?: boolean
}

/** Translates one expression. Unsupported parts are recorded in the scope's context. */
export function translateExpression(node: Node, scope: Scope, reading: Reading = {}): Value {
  const { tag, body } = variant(node)
  const value = (name: string): Value => translateExpression(part(body, name), scope, reading)
  const truth = (sql: string): Value => ({ sql, shape: 'boolean' })
  const not = part(body, 'negated') === true ? 'NOT ' : ''
  switch (tag) {
    case 'Identifier':
      return scope.resolve(nameOf(body), { outputFirst: reading.outputFirst ?? false })
    case 'CompoundIdentifier':
      return translateCompound(list(body), scope, false)
    case 'Nested': {
      const inner = translateExpression(body, scope, reading)
      return { ...inner, sql: `(${inner.sql})` }
    }
    case 'Value':
      return translateLiteral(part(body, 'value'), scope)
    case 'TypedString':
      return (
        cast(translateLiteral(part(part(body, 'value'), 'value'), scope), typeName(part(body, 'data_type'))) ??
        unknown(tag, scope)
      )
    case 'BinaryOp':
      return translateOperator(String(part(body, 'op')), value('left'), value('right'), scope)
    case 'UnaryOp':
      return translateUnary(String(part(body, 'op')), value('expr'), scope)
    case 'IsNull':
      return truth(isNull(translateExpression(body, scope, reading)))
    case 'IsNotNull':
      return truth(`(NOT ${isNull(translateExpression(body, scope, reading))})`)
    case 'IsTrue':
    case 'IsNotFalse':
      return truth(`ifNull(${asBoolean(translateExpression(body, scope))}, ${tag === 'IsNotFalse'})`)
    case 'IsFalse':
    case 'IsNotTrue':
      return truth(`NOT ifNull(${asBoolean(translateExpression(body, scope))}, ${tag === 'IsFalse'})`)
    case 'IsDistinctFrom':
    case 'IsNotDistinctFrom': {
      const [a, b] = list(body).map((side) => translateExpression(side, scope))
      const shape = commonShape([a!.shape, b!.shape])
      return truth(`(${tag === 'IsDistinctFrom' ? 'NOT ' : ''}(${as(shape, a!)} <=> ${as(shape, b!)}))`)
    }
    case 'InList':
      return truth(
        `(${not}${inList(
          value('expr'),
          list(part(body, 'list')).map((each) => translateExpression(each, scope)),
          scope,
        )})`,
      )
    case 'InSubquery':
      return truth(`(${inSubquery(value('expr'), part(body, 'subquery'), not, scope)})`)
    case 'Between': {
      const [subject, low, high] = [value('expr'), value('low'), value('high')]
      const shape = commonShape([subject.shape, low.shape, high.shape])
      return truth(`(${as(shape, subject)} ${not}BETWEEN ${as(shape, low)} AND ${as(shape, high)})`)
    }
    case 'Like':
    case 'ILike':
      return truth(`(${not}${translateLike(body, tag === 'ILike', scope, value('expr'), translateExpression)})`)
    case 'RLike':
      return truth(`(${not}${translateMatch(asText(value('expr')), asText(value('pattern')))})`)
    case 'Case':
      return translateCase(body, scope)
    case 'Cast':
      return translateCast(body, value('expr'), scope)
    case 'Function':
      return translateCall(body, scope, translateExpression)
    case 'JsonAccess': {
      const { base, steps } = pathOf(node, scope)
      return steps.reduce(readStep(scope), translateNested(base, scope))
    }
    case 'CompoundFieldAccess':
      return list(part(body, 'access_chain'))
        .map((step) => subscript(step, scope))
        .reduce(readStep(scope), translateNested(part(body, 'root'), scope))
    case 'Array':
      return listOf(list(part(body, 'elem')).map((each) => translateExpression(each, scope)))
    case 'Tuple':
      return scope.context.unsupported('a list of values in brackets outside IN, GROUP BY and LIKE ANY')
    case 'Interval':
      return translateInterval(body, scope)
    case 'Extract':
      return extractPart(scope, typeName(part(body, 'field')), value('expr'))
    case 'Trim':
    case 'Substring':
    case 'Position':
    case 'Ceil':
    case 'Floor':
      return translateSpecial(tag, body, scope)
    case 'Exists':
      return truth(`(${not}EXISTS (${scope.subquery(part(body, 'subquery'), scope).sql}))`)
    case 'Subquery':
      return scalarSubquery(body, scope)
    default:
      return unknown(tag, scope)
  }
}

function unknown(tag: string, scope: Scope): Value {
  return scope.context.unsupported(`the expression ${tag || 'at an unexpected place'}`)
}

function translateCompound(parts: readonly Node[], scope: Scope, nested: boolean): Value {
  const names = parts.map(nameOf)
  const qualifier = names.slice(0, -1).map((name) => name.text)
  const value = scope.resolveIn(qualifier.join('.'), names.at(-1)!, nested)
  return (
    value ??
    scope.context.unsupported(`the name ${names.map((name) => name.text).join('.')}: there is no relation ${qualifier.join('.')}`)
  )
}

function inSubquery(subject: Value, query: Node, not: string, scope: Scope): string {
  const { sql, columns } = scope.subquery(query, scope)
  const [column] = columns
  if (!column || columns.length > 1) return scope.context.unsupported('IN of a query with more than one column').sql
  const shape = commonShape([subject.shape, column.shape])
  const name = `"${scope.context.alias('member')}"`
  const members = `SELECT ${as(shape, { sql: name, shape: column.shape })} FROM (SELECT * FROM (${sql})) AS members (${name})`
  const plain = shape === column.shape ? sql : members
  if (not) scope.context.note('NOT IN leaves NULLs of the list aside, where Snowflake would give no row at all')
  return `${as(shape, subject)} ${not}IN (${plain})`
}

function scalarSubquery(query: Node, scope: Scope): Value {
  const { sql, columns } = scope.subquery(query, scope)
  if (columns.length !== 1) return scope.context.unsupported('a query in place of a value with more than one column')
  return { sql: `(${sql})`, shape: columns[0]!.shape }
}

function translateCase(body: Node, scope: Scope): Value {
  const operand = part(body, 'operand')
  const subject = operand === undefined ? undefined : translateExpression(operand, scope)
  const cases = list(part(body, 'conditions')).map((each) => {
    const condition = translateExpression(part(each, 'condition'), scope)
    const when = subject ? translateOperator('Eq', subject, condition, scope).sql : asBoolean(condition)
    return { when, value: translateExpression(part(each, 'result'), scope) }
  })
  const otherwise = part(body, 'else_result')
  return choose(cases, otherwise === undefined ? NULL : translateExpression(otherwise, scope))
}

function translateCast(body: Node, value: Value, scope: Scope): Value {
  const type = typeName(part(body, 'data_type'))
  const converted = cast(value, type)
  if (!converted) return scope.context.unsupported(`the type ${type}`)
  if (converted.shape !== value.shape && converted.shape !== 'text') {
    scope.context.note('a value that cannot be cast is NULL, where Snowflake would stop the query')
  }
  return converted
}

/** The base of a path, so a name is known to contain nested values. */
export function translateNested(node: Node, scope: Scope): Value {
  const { tag, body } = variant(node)
  if (tag === 'Identifier') return scope.resolve(nameOf(body), { nested: true })
  if (tag === 'CompoundIdentifier') return translateCompound(list(body), scope, true)
  return translateExpression(node, scope)
}

const SPECIAL: Readonly<Record<string, readonly string[]>> = {
  Trim: ['expr', 'trim_what'],
  Substring: ['expr', 'substring_from', 'substring_for'],
  Position: ['expr', 'in'],
  Ceil: ['expr'],
  Floor: ['expr'],
}

/** Functions with special syntax, as the calls that they stand for. */
function translateSpecial(tag: string, body: Node, scope: Scope): Value {
  const characters = list(part(body, 'trim_characters'))
  const nodes = [...SPECIAL[tag]!.map((name) => part(body, name)).filter((node) => node !== undefined), ...characters]
  const where = part(body, 'trim_where')
  const name = where === 'Leading' ? 'ltrim' : where === 'Trailing' ? 'rtrim' : tag.toLowerCase()
  if (!translationOf(name)) return unknown(tag, scope)
  const args = nodes.map((expression) => ({ Unnamed: { Expr: expression } }))
  const call = { name: [{ Identifier: { value: name } }], args: { List: { args } } }
  return translateCall(call, scope, translateExpression)
}

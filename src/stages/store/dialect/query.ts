import { quoteName } from '../ddl.ts'
import { integerLiteral, list, type Node, nameOf, namesOf, part, present, variant } from './ast.ts'
import { orderSql } from './call-expression.ts'
import type { Context } from './context.ts'
import { translateExpression } from './expression.ts'
import { translateFrom } from './from.ts'
import { withoutMembers } from './rest.ts'
import { type Field, type Relation, readField, Scope, type Translated } from './scope.ts'
import { as, asBoolean, commonShape, type Value } from './value.ts'

/** Supported parts of a query and of a SELECT; any other part that is present is reported. */
const QUERY_PARTS = new Set(['with', 'body', 'order_by', 'limit_clause', 'fetch'])
const SELECT_PARTS = new Set([
  'distinct',
  'top',
  'projection',
  'from',
  'selection',
  'group_by',
  'having',
  'qualify',
  'flavor',
  'select_token',
  'top_before_distinct',
  'window_before_qualify',
])

/** Translates a whole statement. */
export function translateStatement(statement: Node, context: Context): Translated {
  const { tag, body } = variant(statement)
  if (tag === 'Query') return translateQuery(body, new Scope(context, translateQuery))
  context.unsupported(`the statement ${tag}: a query is one SELECT`)
  return { sql: '', columns: [] }
}

function translateQuery(query: Node, around: Scope): Translated {
  const scope = new Scope(around.context, translateQuery, around)
  for (const odd of present(query)) if (!QUERY_PARTS.has(odd)) scope.context.unsupported(`${odd} in a query`)
  const named = translateWith(part(query, 'with'), scope)
  const body = translateBody(part(query, 'body'), scope)
  const order = orderBy(part(query, 'order_by'), body.scope)
  return { sql: `${named}${body.sql}${order}${limit(query, scope)}`, columns: body.columns }
}

function translateWith(node: Node, scope: Scope): string {
  if (part(node, 'recursive') === true) scope.context.unsupported('WITH RECURSIVE')
  const queries = list(part(node, 'cte_tables')).map((each) => {
    const alias = part(each, 'alias')
    const { text } = nameOf(part(alias, 'name'))
    const { sql, columns } = translateQuery(part(each, 'query'), scope)
    const names = list(part(alias, 'columns')).map((column) => nameOf(part(column, 'name')).text)
    const fields = columns.map((column, at): Field => ({ ...column, name: names[at] ?? column.name }))
    const renamed = fields.map((field, at) => `${quoteName(columns[at]!.name)} AS ${quoteName(field.name)}`)
    scope.named.set(text.toLowerCase(), { name: text, fields })
    return `${quoteName(text)} AS (${names.length > 0 ? `SELECT ${renamed.join(', ')} FROM (${sql})` : sql})`
  })
  return queries.length > 0 ? `WITH ${queries.join(',\n')}\n` : ''
}

/** A query's body, and the scope for its ORDER BY. */
interface Body extends Translated {
  readonly scope: Scope
}

function translateBody(node: Node, scope: Scope): Body {
  const { tag, body } = variant(node)
  if (tag === 'Select') return translateSelect(body, scope)
  if (tag === 'SetOperation') return translateSetOperation(body, scope)
  if (tag === 'Query') {
    const inner = translateQuery(body, scope)
    return wholeOf(inner.sql, inner.columns, scope)
  }
  scope.context.unsupported(`${tag} in place of SELECT`)
  return { sql: '', columns: [], scope }
}

/** The result of a subquery, and the scope in which ORDER BY names its columns. */
function wholeOf(sql: string, columns: readonly Field[], around: Scope): Body {
  const scope = new Scope(around.context, translateQuery, around)
  for (const { name, shape } of columns) scope.outputs.set(name.toLowerCase(), { name, shape })
  const alias = around.context.alias('whole')
  scope.relations.push({ alias, names: [], fields: columns.filter(({ isRest }) => isRest) })
  return { sql: `SELECT * FROM (${sql}) AS ${quoteName(alias)}`, columns, scope }
}

const SET_OPERATIONS: Readonly<Record<string, string>> = {
  Union: 'UNION',
  Minus: 'EXCEPT',
  Except: 'EXCEPT',
  Intersect: 'INTERSECT',
}

function translateSetOperation(body: Node, around: Scope): Body {
  const { context } = around
  const operator = String(part(body, 'op'))
  const quantifier = String(part(body, 'set_quantifier'))
  const left = translateBody(part(body, 'left'), around)
  const right = translateBody(part(body, 'right'), around)
  if (left.columns.length !== right.columns.length)
    context.unsupported(`${operator.toUpperCase()} of queries with different columns`)
  if (!['None', 'All', 'Distinct'].includes(quantifier)) context.unsupported(`${operator.toUpperCase()} ${quantifier}`)
  const columns = left.columns.map(({ name, shape, isRest }, at): Field => {
    const other = right.columns[at]
    return { name, shape: commonShape([shape, other?.shape ?? shape]), ...(isRest && other?.isRest && { isRest }) }
  })
  const name = `${SET_OPERATIONS[operator] ?? 'UNION'} ${quantifier === 'All' ? 'ALL' : 'DISTINCT'}`
  const sql = `${inShapes(left, columns)}\n${name}\n${inShapes(right, columns)}`
  return wholeOf(sql, columns, around)
}

/** A side of a set operation, with its columns converted to the shapes and names of the whole. */
function inShapes(side: Translated, columns: readonly Field[]): string {
  const written = columns.map(({ name, shape }, at) => {
    const own = side.columns[at] ?? { name, shape }
    return `${as(shape, { sql: quoteName(own.name), shape: own.shape })} AS ${quoteName(name)}`
  })
  const same = side.columns.every((column, at) => column.name === columns[at]?.name && column.shape === columns[at]?.shape)
  return same ? side.sql : `SELECT ${written.join(', ')} FROM (${side.sql})`
}

interface Output {
  readonly name: string
  readonly value: Value
  readonly isRest?: boolean
}

function translateSelect(select: Node, around: Scope): Body {
  const { context } = around
  for (const odd of present(select)) if (!SELECT_PARTS.has(odd)) context.unsupported(`${odd} in SELECT`)
  const scope = new Scope(context, translateQuery, around)
  const from = translateFrom(list(part(select, 'from')), scope)
  const outputs = translateProjection(list(part(select, 'projection')), scope)
  const distinct = part(select, 'distinct')
  if (distinct !== undefined && distinct !== 'Distinct') context.unsupported('DISTINCT ON')
  const clause = (name: string, word: string) => {
    const node = part(select, name)
    return node === undefined ? '' : `\n${word} ${asBoolean(translateExpression(node, scope))}`
  }
  const columns = outputs.map(({ name, value, isRest }): Field => ({ name, shape: value.shape, ...(isRest && { isRest }) }))
  // The engine's truth values are the numbers 0 and 1; answers contain true and false.
  const written = outputs.map(({ name, value }) => {
    const sql = value.shape === 'boolean' ? `CAST(${value.sql}, 'Nullable(Bool)')` : value.sql
    return `${sql} AS ${quoteName(name)}`
  })
  const sql = [
    `SELECT ${distinct === undefined ? '' : 'DISTINCT '}${written.join(', ')}${from}`,
    clause('selection', 'WHERE'),
    groupBy(part(select, 'group_by'), scope),
    clause('having', 'HAVING'),
    clause('qualify', 'QUALIFY'),
    top(part(select, 'top'), scope),
  ].join('')
  return { sql, columns, scope }
}

function translateProjection(items: readonly Node[], scope: Scope): Output[] {
  const aliases = new Set(items.map((item) => aliasOf(item)?.toLowerCase()))
  const outputs: Output[] = []
  const taken = new Set<string>()
  const add = (output: Output): void => {
    outputs.push(output)
    taken.add(output.name.toLowerCase())
  }
  items.forEach((item, at) => {
    const { tag, body } = variant(item)
    if (tag === 'Wildcard' || tag === 'QualifiedWildcard') {
      for (const output of expandStar(tag, body, scope)) {
        const name = output.name.toLowerCase()
        if (!aliases.has(name) && !taken.has(name)) add(output)
        else if (output.isRest) add({ ...output, name: scope.context.alias(output.name) })
      }
    } else if (tag === 'UnnamedExpr' || tag === 'ExprWithAlias') {
      const expression = tag === 'UnnamedExpr' ? body : part(body, 'expr')
      const alias = aliasOf(item)
      const name = alias ?? nameFor(expression) ?? `column_${at + 1}`
      if (taken.has(name.toLowerCase())) scope.context.note(`the answer would have two columns ${name}; the first is kept`)
      else {
        const value = translateExpression(expression, scope)
        add({ name, value })
        if (alias !== undefined) scope.outputs.set(name.toLowerCase(), { name, shape: value.shape })
      }
    } else scope.context.unsupported(`${tag} in SELECT`)
  })
  return outputs
}

function aliasOf(item: Node): string | undefined {
  const { tag, body } = variant(item)
  return tag === 'ExprWithAlias' ? nameOf(part(body, 'alias')).text : undefined
}

/** The name of a column without an alias: the column's own, the path (`a:b`), or the function's. */
function nameFor(expression: Node): string | undefined {
  const { tag, body } = variant(expression)
  if (tag === 'Identifier') return nameOf(body).text
  if (tag === 'CompoundIdentifier') return nameOf(list(body).at(-1)).text
  if (tag === 'Nested') return nameFor(body)
  if (tag === 'Cast') return nameFor(part(body, 'expr'))
  if (tag === 'Function') return namesOf(part(body, 'name')).at(-1)?.text.toLowerCase()
  if (tag !== 'JsonAccess') return undefined
  const steps = list(part(part(body, 'path'), 'path')).map((step) => {
    const index = integerLiteral(part(part(step, 'Bracket'), 'key'))
    return index === undefined ? `:${String(part(part(step, 'Dot'), 'key') ?? '')}` : `[${index}]`
  })
  return `${nameFor(part(body, 'value')) ?? ''}${steps.join('')}`
}

function expandStar(tag: string, body: Node, scope: Scope): Output[] {
  const options = tag === 'Wildcard' ? body : list(body)[1]
  const odd = present(options).find((name) => !['opt_exclude', 'wildcard_token'].includes(name))
  if (odd) scope.context.unsupported(`* with ${odd}`)
  const excluded = excludedNames(part(options, 'opt_exclude'))
  const fieldsOf = (relation: Relation) =>
    relation.fields
      .filter((field) => !field.hidden && !excluded.has(field.name.toLowerCase()))
      .map((field): Output => {
        const value = readField(relation, field)
        return field.isRest
          ? { name: field.name, value: withoutMembers(value, excluded), isRest: true }
          : { name: field.name, value }
      })
  if (tag === 'Wildcard') return scope.relations.flatMap(fieldsOf)
  const qualifier = namesOf(part(list(body)[0], 'ObjectName'))
    .map((name) => name.text)
    .join('.')
  const relation = scope.relation(qualifier)
  if (!relation) scope.context.unsupported(`${qualifier}.*: there is no relation ${qualifier}`)
  return relation ? fieldsOf(relation) : []
}

function excludedNames(exclude: Node): ReadonlySet<string> {
  const { tag, body } = variant(exclude)
  const names = tag === 'Single' ? [body] : tag === 'Multiple' ? list(body) : []
  return new Set(names.map((name) => (namesOf(name).at(-1)?.text ?? '').toLowerCase()))
}

function groupBy(node: Node, scope: Scope): string {
  const { tag, body } = variant(node)
  if (tag === 'All') return '\nGROUP BY ALL'
  const [expressions, modifiers] = list(body)
  if (list(modifiers).length > 0) scope.context.unsupported('GROUP BY with a modifier')
  const keys = list(expressions).flatMap((expression) => {
    const inner = variant(expression)
    return inner.tag === 'Tuple' ? list(inner.body) : [expression]
  })
  return keys.length > 0 ? `\nGROUP BY ${keys.map((key) => translateExpression(key, scope).sql).join(', ')}` : ''
}

function orderBy(node: Node, scope: Scope): string {
  if (node === undefined) return ''
  const { tag, body } = variant(part(node, 'kind'))
  if (tag !== 'Expressions') return scope.context.unsupported(`ORDER BY ${tag.toUpperCase()}`).sql
  const keys = list(body).map((each) => orderSql(each, translateExpression(part(each, 'expr'), scope, { outputFirst: true })))
  return `\nORDER BY ${keys.join(', ')}`
}

function top(node: Node, scope: Scope): string {
  if (node === undefined) return ''
  const count = part(part(node, 'quantity'), 'Constant')
  return typeof count === 'number' ? `\nLIMIT ${count}` : scope.context.unsupported('TOP with that count').sql
}

function limit(query: Node, scope: Scope): string {
  const node = part(query, 'limit_clause')
  if (part(query, 'fetch') !== undefined) scope.context.unsupported('FETCH: use LIMIT')
  if (node === undefined) return ''
  const limits = part(node, 'LimitOffset')
  const given = [part(limits, 'limit'), part(part(limits, 'offset'), 'value')]
  const [count, offset] = given.map((each) => (each === undefined ? undefined : integerLiteral(each)))
  if (count === undefined || (given[1] !== undefined && offset === undefined))
    scope.context.unsupported('LIMIT that is not a number')
  return `\nLIMIT ${count ?? 0}${offset === undefined ? '' : ` OFFSET ${offset}`}`
}

import { integerLiteral, list, type Node, nameOf, namesOf, part, present, textLiteral, variant } from './ast.ts'
import type { Call } from './call.ts'
import { translationOf } from './functions/index.ts'
import type { Scope } from './scope.ts'
import { orderKeys, type Value } from './value.ts'

type Translate = (node: Node, scope: Scope) => Value

/** Supported parts of a call. */
const PARTS = new Set(['name', 'args', 'over', 'within_group', 'parameters', 'uses_odbc_syntax'])

/** Translates a function call. */
export function translateCall(body: Node, scope: Scope, translate: Translate): Value {
  const { context } = scope
  const written = namesOf(part(body, 'name'))
    .map((name) => name.text)
    .join('.')
  const name = written.toLowerCase()
  if (name === 'seq4' || name === 'seq8') return sequence(scope, written)
  const translation = translationOf(name)
  if (!translation) return context.unsupported(`the function ${written.toUpperCase()}`)
  const odd = present(body).find((each) => !PARTS.has(each))
  if (odd) return context.unsupported(`${odd} in the call of ${written.toUpperCase()}`)
  const call = readCall(body, name, scope, translate)
  if (!call) return context.unsupported(`the arguments of ${written.toUpperCase()}`)
  if (call.count < translation.min || call.count > translation.max) {
    return context.unsupported(`${written.toUpperCase()} with ${call.count} arguments`)
  }
  const value = translation.run(call)
  const over = part(body, 'over')
  if (over === undefined) {
    return translation.window === 'must' ? context.unsupported(`${written.toUpperCase()} without OVER`) : value
  }
  if (!translation.window || call.ordered) return context.unsupported(`${written.toUpperCase()} with OVER`)
  return overWindow(value, over, scope, translate)
}

/** `seq4()` numbers the rows of a generator. */
function sequence(scope: Scope, written: string): Value {
  const generator = scope.relations.find((relation) => relation.names.includes('generator'))
  if (!generator) return scope.context.unsupported(`${written.toUpperCase()} without a generator`)
  return { sql: `"${generator.alias}"."number"`, shape: 'number' }
}

function readCall(body: Node, name: string, scope: Scope, translate: Translate): Call | undefined {
  const args = variant(part(body, 'args'))
  if (args.tag !== 'List' && args.tag !== 'None') return undefined
  const clauses = list(part(args.body, 'clauses'))
  const given = list(part(args.body, 'args')).map((argument) => part(argument, 'Unnamed'))
  const star = given.length === 1 && given[0] === 'Wildcard'
  const nodes = star ? [] : given.map((argument) => part(argument, 'Expr'))
  const orderBy = [...list(part(body, 'within_group')), ...clauses.flatMap((clause) => list(part(clause, 'OrderBy')))]
  const strange = clauses.some((clause) => part(clause, 'OrderBy') === undefined)
  if (strange || nodes.includes(undefined) || orderBy.length > 1) return undefined
  const [order] = orderBy
  const values = new Map<number, Value>()
  const value = (at: number): Value => {
    const known = values.get(at) ?? translate(nodes[at], scope)
    values.set(at, known)
    return known
  }
  return {
    context: scope.context,
    scope,
    name,
    count: nodes.length,
    distinct: part(args.body, 'duplicate_treatment') === 'Distinct',
    star,
    ordered:
      order === undefined
        ? undefined
        : {
            value: translate(part(order, 'expr'), scope),
            descending: part(part(order, 'options'), 'asc') === false,
          },
    value,
    values: () => nodes.map((_, at) => value(at)),
    word: (at) => textLiteral(nodes[at]) ?? bareName(nodes[at])?.text,
    integer: (at) => integerLiteral(nodes[at]),
    node: (at) => nodes[at],
    bareName: (at) => bareName(nodes[at]),
  }
}

function bareName(node: Node) {
  const { tag, body } = variant(node)
  return tag === 'Identifier' ? nameOf(body) : undefined
}

function overWindow(value: Value, over: Node, scope: Scope, translate: Translate): Value {
  const spec = part(over, 'WindowSpec')
  if (spec === undefined || part(spec, 'window_name') !== undefined) return scope.context.unsupported('a named window')
  const partition = list(part(spec, 'partition_by')).map((node) => translate(node, scope).sql)
  const order = list(part(spec, 'order_by')).map((each) => orderSql(each, translate(part(each, 'expr'), scope)))
  const clauses = [
    partition.length > 0 && `PARTITION BY ${partition.join(', ')}`,
    order.length > 0 && `ORDER BY ${order.join(', ')}`,
    frameSql(part(spec, 'window_frame')),
  ]
  return { ...value, sql: `${value.sql} OVER (${clauses.filter(Boolean).join(' ')})` }
}

/** One member of ORDER BY. Snowflake sorts NULL as the greatest value; the engine puts it last in both directions. */
export function orderSql(node: Node, value: Value): string {
  const options = part(node, 'options')
  const down = part(options, 'asc') === false
  const first = part(options, 'nulls_first') ?? down
  const nulls = (isFirst: boolean) => `${down ? 'DESC' : 'ASC'} NULLS ${isFirst ? 'FIRST' : 'LAST'}`
  if (value.shape !== 'json') return `${value.sql} ${nulls(first === true)}`
  const { number, text } = orderKeys(value)
  return `isNull(${value.sql}) ${first === true ? 'DESC' : 'ASC'}, ${number} ${nulls(down)}, ${text} ${nulls(down)}`
}

function frameSql(frame: Node): string | undefined {
  if (frame === undefined) return undefined
  const units = String(part(frame, 'units')).toUpperCase()
  const [start, end] = [boundSql(part(frame, 'start_bound')), boundSql(part(frame, 'end_bound'))]
  return `${units} ${end ? `BETWEEN ${start} AND ${end}` : start}`
}

function boundSql(bound: Node): string | undefined {
  if (bound === undefined) return undefined
  const { tag, body } = variant(bound)
  if (tag === 'CurrentRow') return 'CURRENT ROW'
  const rows = integerLiteral(body)
  return `${rows === undefined ? 'UNBOUNDED' : rows} ${tag.toUpperCase()}`
}

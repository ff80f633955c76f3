import { quoteName, tableName } from '../ddl.ts'
import { LOOKUPS } from '../lookup-names.ts'
import { integerLiteral, list, type Name, type Node, nameOf, namesOf, part, present, variant } from './ast.ts'
import { shapeOf } from './context.ts'
import { translateExpression } from './expression.ts'
import { flattenFields, flattenSql } from './flatten.ts'
import { NOW } from './functions/time.ts'
import { lakeTable } from './names.ts'
import { translateOperator } from './operator.ts'
import { columnOrField, type Field, type Relation, type Scope } from './scope.ts'
import { asBoolean, memberOf } from './value.ts'

/** One relation in FROM: what precedes it, and the relation itself. */
interface Piece {
  readonly relation: Relation
  readonly sql: string
  /** `ARRAY JOIN …` is added as it is; everything else gets a join keyword. */
  readonly unfolds?: boolean
}

const JOINS: Readonly<Record<string, string>> = {
  Join: 'INNER JOIN',
  Inner: 'INNER JOIN',
  Left: 'LEFT JOIN',
  LeftOuter: 'LEFT JOIN',
  Right: 'RIGHT JOIN',
  RightOuter: 'RIGHT JOIN',
  FullOuter: 'FULL JOIN',
  CrossJoin: 'CROSS JOIN',
}

/** FROM as SQL; adds its relations to the scope. Empty without FROM. */
export function translateFrom(from: readonly Node[], scope: Scope): string {
  let sql = ''
  for (const each of from) {
    const joins = list(part(each, 'joins'))
    const kinds = joins.map((join) => joinName(part(join, 'join_operator')))
    // A row without a partner in a join has NULLs, so the columns must be nullable; otherwise the engine would return 0 and ''.
    const optional = (at: number) =>
      (at > 0 && /LEFT|FULL/.test(kinds[at - 1] ?? '')) || kinds.slice(at).some((kind) => /RIGHT|FULL/.test(kind ?? ''))
    const first = translateRelation(part(each, 'relation'), scope, optional(0))
    scope.relations.push(first.relation)
    sql += sql === '' ? first.sql : first.unfolds ? `\n${first.sql}` : `\nCROSS JOIN ${first.sql}`
    joins.forEach((join, at) => {
      sql += `\n${translateJoin(join, kinds[at], scope, optional(at + 1))}`
    })
  }
  return sql === '' ? '' : `\nFROM ${sql}`
}

function joinName(operator: Node): string | undefined {
  const { tag } = variant(operator)
  return Object.hasOwn(JOINS, tag) ? JOINS[tag] : undefined
}

function translateJoin(join: Node, kind: string | undefined, scope: Scope, optional: boolean): string {
  const before = [...scope.relations]
  const piece = translateRelation(part(join, 'relation'), scope, optional)
  scope.relations.push(piece.relation)
  const operator = variant(part(join, 'join_operator'))
  if (!kind) return scope.context.unsupported(`the join ${operator.tag}`).sql
  const constraint = variant(operator.body)
  if (piece.unfolds) {
    const plain = constraint.tag === 'None' || constraint.tag === ''
    return plain ? piece.sql : scope.context.unsupported('FLATTEN joined ON a condition').sql
  }
  if (kind === 'CROSS JOIN' || constraint.tag === 'None' || constraint.tag === '') return `CROSS JOIN ${piece.sql}`
  return `${kind} ${piece.sql} ON ${joinCondition(constraint, before, piece.relation, scope)}`
}

function joinCondition(
  constraint: { readonly tag: string; readonly body: Node },
  before: readonly Relation[],
  joined: Relation,
  scope: Scope,
): string {
  if (constraint.tag === 'On') return asBoolean(translateExpression(constraint.body, scope))
  const shared = constraint.tag === 'Using' ? usingNames(constraint.body) : commonNames(before, joined)
  const pairs = shared.map((name) => {
    const each = { text: name, quoted: false }
    const left = before.map((relation) => columnOrField(relation, each)).find((value) => value !== undefined)
    const right = columnOrField(joined, each)
    if (left && right) return translateOperator('Eq', left, right, scope).sql
    return scope.context.unsupported(`the join over ${name}, which not both sides have`).sql
  })
  return pairs.length > 0 ? pairs.join(' AND ') : 'true'
}

function usingNames(body: Node): string[] {
  return list(body).map((name) => namesOf(name).at(-1)?.text ?? '')
}

function commonNames(before: readonly Relation[], joined: Relation): string[] {
  const known = new Set(before.flatMap((relation) => relation.fields.map((field) => field.name.toLowerCase())))
  return joined.fields.map((field) => field.name).filter((name) => known.has(name.toLowerCase()))
}

function translateRelation(node: Node, scope: Scope, optional: boolean): Piece {
  const { tag, body } = variant(node)
  const alias = part(body, 'alias')
  const name = alias === undefined ? undefined : nameOf(part(alias, 'name'))
  switch (tag) {
    case 'Table': {
      const odd = present(body).find((each) => !['name', 'alias'].includes(each))
      if (odd) scope.context.unsupported(`${odd} after a table's name`)
      return translateTable(namesOf(part(body, 'name')), name, scope, optional)
    }
    case 'Derived': {
      const { sql, columns } = scope.subquery(part(body, 'subquery'), scope)
      const relation = relationOf(name?.text ?? scope.context.alias('query'), [], columns)
      return { relation, sql: source(`(${sql})`, relation, optional) }
    }
    case 'TableFunction': {
      const call = part(part(body, 'expr'), 'Function')
      return translateTableFunction(part(call, 'name'), list(part(part(part(call, 'args'), 'List'), 'args')), name, scope)
    }
    case 'Function':
      return translateTableFunction(part(body, 'name'), list(part(body, 'args')), name, scope)
    default:
      scope.context.unsupported(tag === 'MatchRecognize' ? 'MATCH_RECOGNIZE' : `${tag} in FROM`)
      return { relation: { ...relationOf(name?.text ?? scope.context.alias('unknown'), [], []), open: true }, sql: '' }
  }
}

function relationOf(alias: string, names: readonly string[], fields: readonly Field[]): Relation {
  return { alias, names: [alias.toLowerCase(), ...names], fields: fields.filter((field) => !field.hidden).map(plain) }
}

function plain({ name, shape, isRest }: Field): Field {
  return { name, shape, ...(isRest && { isRest }) }
}

/** `source AS alias`; optional columns become nullable. */
function source(sql: string, relation: Relation, optional: boolean): string {
  const alias = quoteName(relation.alias)
  if (!optional || relation.fields.length === 0) return `${sql} AS ${alias}`
  const columns = relation.fields.map(({ name, shape }) => {
    const column = `${alias}.${quoteName(name)}`
    return `${memberOf(shape) ? column : `toNullable(${column})`} AS ${quoteName(name)}`
  })
  return `(SELECT ${columns.join(', ')} FROM ${sql} AS ${alias}) AS ${alias}`
}

function translateTable(names: readonly Name[], alias: Name | undefined, scope: Scope, optional: boolean): Piece {
  const { context } = scope
  const last = names.at(-1)?.text ?? ''
  const named = names.length === 1 ? scope.named.get(last.toLowerCase()) : undefined
  if (named) {
    const relation = relationOf(alias?.text ?? named.name, [], named.fields)
    return { relation, sql: source(quoteName(named.name), relation, optional) }
  }
  const written = names.map((name) => name.text).join('.')
  const table = lakeTable(names)
  if (!table) {
    context.unsupported(`the table ${written}: the lake has logs, matches, signals, monitor and lookups`)
    return { relation: { ...relationOf(alias?.text ?? last, [written.toLowerCase()], []), open: true }, sql: '' }
  }
  const known = context.catalog(table.database, table.table)
  const full = `${table.database}.${table.table}`
  context.tables.add(full)
  if (table.accountUsage) context.note(`${written} is read as ${full}`)
  if (!known) context.miss({ database: table.database, table: table.table })
  // Other problems with the query are reported, too.
  else if (known.unread !== undefined) context.miss({ database: table.database, table: table.table, logType: known.unread })
  const fields = (known?.columns ?? []).map(
    ({ name, kind }): Field => ({ name, shape: shapeOf(kind), ...(name === known?.fieldsIn && { isRest: true }) }),
  )
  const relation: Relation = {
    ...relationOf(alias?.text ?? last, alias ? [] : [written.toLowerCase(), full], fields),
    table: { database: table.database, table: table.table },
    open: known === undefined,
  }
  const name = tableName(table)
  // What a lookup table has is in force when the query runs, whenever that is.
  const isLookup = table.database === LOOKUPS && known?.columns.every((column) => column.name !== 'p_valid_to')
  const rows = isLookup ? `(SELECT * REPLACE (${NOW.sql} - toIntervalMillisecond(1) AS p_event_time) FROM ${name})` : name
  return { relation, sql: source(rows, relation, optional) }
}

function translateTableFunction(functionName: Node, args: readonly Node[], alias: Name | undefined, scope: Scope): Piece {
  const { context } = scope
  const name = namesOf(functionName).at(-1)?.text.toLowerCase() ?? ''
  const named = new Map(
    args.map((argument): [string, Node] => {
      const given = part(argument, 'Named')
      const key = given === undefined ? 'input' : nameOf(part(given, 'name')).text.toLowerCase()
      return [key, part(part(given ?? argument, given === undefined ? 'Unnamed' : 'arg'), 'Expr')]
    }),
  )
  const own = context.alias(name === 'generator' ? 'generator' : 'flatten')
  if (name === 'generator') {
    const rows = integerLiteral(named.get('rowcount'))
    if (rows === undefined || rows > 1_000_000) context.unsupported('GENERATOR without a row count of at most 1000000')
    const relation: Relation = { alias: own, names: [own, 'generator', ...(alias ? [alias.text.toLowerCase()] : [])], fields: [] }
    return { relation, sql: `(SELECT number FROM numbers(${rows ?? 0})) AS ${quoteName(own)}` }
  }
  if (name !== 'flatten') {
    context.unsupported(`the table function ${name.toUpperCase()}`)
    return { relation: { ...relationOf(own, alias ? [alias.text.toLowerCase()] : [], []), open: true }, sql: '' }
  }
  const { list: members, shape, outer } = flattenSql(named, scope)
  const relation: Relation = { alias: own, names: [(alias?.text ?? 'flatten').toLowerCase()], fields: flattenFields(own, shape) }
  return { relation, unfolds: true, sql: `${outer ? 'LEFT ' : ''}ARRAY JOIN ${members} AS ${quoteName(own)}` }
}

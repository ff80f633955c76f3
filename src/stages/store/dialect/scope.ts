import { quoteName } from '../ddl.ts'
import type { Name, Node } from './ast.ts'
import type { Context } from './context.ts'
import { coalesce } from './functions/scalar.ts'
import { readMember } from './rest.ts'
import { NULL, type Shape, type Value } from './value.ts'

/** A column of a relation. */
export interface Field {
  readonly name: string
  readonly shape: Shape
  /** How it is read, if not as `relation.name`. */
  readonly sql?: string
  /** Not part of `*`. */
  readonly hidden?: boolean
  /** A JSON object with the fields that have no column: names without a column are looked up in it. */
  readonly isRest?: boolean
}

/** A relation in FROM. */
export interface Relation {
  /** Its name in the translated query. */
  readonly alias: string
  /** Its names in the query, in lower case: its alias, or the table's dotted name and its last part. */
  readonly names: readonly string[]
  readonly fields: readonly Field[]
  /** Its lake table, if any: missing columns are reported for it. */
  readonly table?: { readonly database: string; readonly table: string }
  /** Its columns are unknown, which has already been reported, so its columns cause no further problems. */
  readonly open?: boolean
}

/** A translated query and the columns of its answer. */
export interface Translated {
  readonly sql: string
  readonly columns: readonly Field[]
}

/** A query named in WITH. */
export interface NamedQuery {
  readonly name: string
  readonly fields: readonly Field[]
}

/** Translates a subquery; `around` is the outer scope that its expressions can also use. */
export type Subquery = (query: Node, around: Scope) => Translated

/** The relations and output names that an expression can use. */
export class Scope {
  readonly context: Context
  readonly parent: Scope | undefined
  /** Queries named in WITH, by lower-case name. */
  readonly named: Map<string, NamedQuery>
  readonly subquery: Subquery
  readonly relations: Relation[] = []
  /** Output columns by lower-case name. */
  readonly outputs = new Map<string, { readonly name: string; readonly shape: Shape }>()
  /** Lower-case names that were read as fields without a column: an alias with the same name is then ignored. */
  readonly #asField = new Map<string, readonly Relation[]>()

  constructor(context: Context, subquery: Subquery, parent?: Scope) {
    this.context = context
    this.subquery = subquery
    this.parent = parent
    this.named = new Map(parent?.named)
  }

  /**
   * Resolves a name: a column of a relation, otherwise an output column of the same SELECT, otherwise a field without a column,
   * otherwise a name in the outer query. In ORDER BY the output column comes first. `nested`: the query reads into the value. It is
   * unknown which fields without a column exist, so an alias takes precedence over them, unless the name was used in an expression
   * before the alias was defined, as in `SELECT upper(user) AS user … WHERE user = 'ann'`.
   */
  resolve(name: Name, options: { readonly outputFirst?: boolean; readonly nested?: boolean } = {}): Value {
    const output = this.outputs.get(name.text.toLowerCase())
    const asOutput = output && { sql: quoteName(output.name), shape: output.shape }
    if (options.outputFirst && asOutput) return asOutput
    const column = this.#column(name)
    if (column) return column
    if (asOutput && !this.#asField.has(name.text.toLowerCase())) return asOutput
    return this.#field(name, this.relations) ?? this.#outer(name) ?? this.#lacks(name, undefined, options.nested ?? false)
  }

  /** Resolves `qualifier.name`, where the qualifier is a relation's name. Undefined if there is no such relation. */
  resolveIn(qualifier: string, name: Name, nested = false): Value | undefined {
    for (let scope: Scope | undefined = this; scope; scope = scope.parent) {
      const relation = scope.relation(qualifier)
      if (relation) return fieldValue(relation, name) ?? scope.#field(name, [relation]) ?? this.#lacks(name, relation, nested)
    }
    return undefined
  }

  relation(qualifier: string): Relation | undefined {
    return this.relations.find((relation) => relation.names.includes(qualifier.toLowerCase()))
  }

  #column(name: Name): Value | undefined {
    for (const relation of this.relations) {
      const value = fieldValue(relation, name)
      if (value) return value
    }
    return undefined
  }

  #outer(name: Name): Value | undefined {
    for (let scope = this.parent; scope; scope = scope.parent) {
      const value = scope.#column(name) ?? scope.#field(name, scope.relations)
      if (value) return value
    }
    return undefined
  }

  #field(name: Name, relations: readonly Relation[]): Value | undefined {
    const folded = name.text.toLowerCase()
    // `SELECT a.name … GROUP BY name`: the qualified name has already determined the relation.
    const among = relations.length > 1 ? (this.#asField.get(folded) ?? relations) : relations
    const value = restValue(among, name)
    if (value) this.#asField.set(folded, among)
    return value
  }

  #lacks(name: Name, relation: Relation | undefined, nested: boolean): Value {
    const among = relation ? [relation] : this.relations
    const tables = among.flatMap(({ table }) => (table ? [table] : []))
    if (tables.length === 1) this.context.miss({ ...tables[0]!, column: name.text, nested })
    else if (!among.some(({ open }) => open)) {
      const names = among.map(({ alias }) => alias).join(', ') || 'the query'
      this.context.unsupported(`the column ${name.text}: it is not in ${names}`)
    }
    return nested ? { ...NULL, shape: 'json' } : NULL
  }
}

/** How a field is read in the query. */
export function readField(relation: Relation, field: Field): Value {
  return { sql: field.sql ?? `${quoteName(relation.alias)}.${quoteName(field.name)}`, shape: field.shape }
}

/** A column of the relation, or the field that may be among those without one. */
export function columnOrField(relation: Relation, name: Name): Value | undefined {
  return fieldValue(relation, name) ?? restValue([relation], name)
}

/** The field with that name and without a column, in the relation that has it. Standard columns are not event fields. */
function restValue(relations: readonly Relation[], name: Name): Value | undefined {
  if (/^p_/i.test(name.text)) return undefined
  const found = relations.flatMap((relation) =>
    relation.fields.filter(({ isRest }) => isRest).map((field) => readMember(readField(relation, field), name.text)),
  )
  return found.length > 1 ? coalesce(found) : found[0]
}

/** Snowflake's names are case-insensitive unless quoted. */
function fieldValue(relation: Relation, name: Name): Value | undefined {
  const exact = relation.fields.find((field) => field.name === name.text)
  const folded = name.text.toLowerCase()
  const field = exact ?? relation.fields.find((each) => each.name.toLowerCase() === folded)
  return field && readField(relation, field)
}

import { quoteName } from '../ddl.ts'
import type { Name, Node } from './ast.ts'
import type { Context } from './context.ts'
import { coalesce } from './functions/scalar.ts'
import { readMember } from './rest.ts'
import { NULL, type Shape, type Value } from './value.ts'

/** A column that a relation offers. */
export interface Field {
  readonly name: string
  readonly shape: Shape
  /** How it is read, if not as `relation.name`. */
  readonly sql?: string
  /** Not part of `*`. */
  readonly hidden?: boolean
  /** A JSON object of fields that have no column: a name that no column has is looked for in it. */
  readonly isRest?: boolean
}

/** Something in FROM. */
export interface Relation {
  /** Its name in the translated query. */
  readonly alias: string
  /** What the query may call it, in lower case: its alias, or the table's dotted name and its last part. */
  readonly names: readonly string[]
  readonly fields: readonly Field[]
  /** The lake table behind it, if there is one: columns it lacks are reported. */
  readonly table?: { readonly database: string; readonly table: string }
  /** What it offers is not known, and that has been reported: nothing more is said about its columns. */
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

/** Translates a query that stands within another; `around` is what its expressions also see. */
export type Subquery = (query: Node, around: Scope) => Translated

/** The relations and output names that an expression may use. */
export class Scope {
  readonly context: Context
  readonly parent: Scope | undefined
  /** Queries named in WITH, by lower-case name. */
  readonly named: Map<string, NamedQuery>
  readonly subquery: Subquery
  readonly relations: Relation[] = []
  /** Output columns by lower-case name. */
  readonly outputs = new Map<string, { readonly name: string; readonly shape: Shape }>()
  /** Names in lower case that were read as fields without a column: an alias of the same name is then not meant. */
  readonly #asField = new Map<string, readonly Relation[]>()

  constructor(context: Context, subquery: Subquery, parent?: Scope) {
    this.context = context
    this.subquery = subquery
    this.parent = parent
    this.named = new Map(parent?.named)
  }

  /**
   * The value of a name: a column of a relation, else an output column of the same SELECT, else a field that has no
   * column, else one of the query around. In ORDER BY the output comes first. `nested` says that the query reads into it.
   * Whether there is such a field, nobody knows: so an alias comes before it, unless the name stood in an expression
   * before the alias was given, as in `SELECT upper(user) AS user … WHERE user = 'ann'`.
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

  /** The value of `qualifier.name`, the qualifier being a relation's name. Undefined when there is no such relation. */
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
    // `SELECT a.name … GROUP BY name`: the name has said already where it is from.
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

/** A field as it is read in the query. */
export function readField(relation: Relation, field: Field): Value {
  return { sql: field.sql ?? `${quoteName(relation.alias)}.${quoteName(field.name)}`, shape: field.shape }
}

/** A column of the relation, or the field that may be among those without one. */
export function columnOrField(relation: Relation, name: Name): Value | undefined {
  return fieldValue(relation, name) ?? restValue([relation], name)
}

/** The field of that name which has no column, in whichever relation has it. Standard columns are no fields of events. */
function restValue(relations: readonly Relation[], name: Name): Value | undefined {
  if (/^p_/i.test(name.text)) return undefined
  const found = relations.flatMap((relation) =>
    relation.fields.filter(({ isRest }) => isRest).map((field) => readMember(readField(relation, field), name.text)),
  )
  return found.length > 1 ? coalesce(found) : found[0]
}

/** Snowflake's names do not tell cases apart, unless in quotes. */
function fieldValue(relation: Relation, name: Name): Value | undefined {
  const exact = relation.fields.find((field) => field.name === name.text)
  const folded = name.text.toLowerCase()
  const field = exact ?? relation.fields.find((each) => each.name.toLowerCase() === folded)
  return field && readField(relation, field)
}

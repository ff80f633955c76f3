import { type Expression, type Kysely, type SqlBool, sql } from 'kysely'
import { type SignInFailures, saveSignInFailures } from './sign-in-failures.ts'
import type { StateTables } from './tables.ts'

/** Tables that the sign-in library may read and change. */
export const USER_TABLES = ['users', 'user_sessions', 'user_credentials', 'user_verifications', 'user_second_factors'] as const

type Value = string | number | null
export type UserRow = Readonly<Record<string, Value>>

/** One condition on a row, as better-auth's adapters get them. */
export interface RowCondition {
  readonly field: string
  readonly operator: 'eq' | 'ne' | 'lt' | 'lte' | 'gt' | 'gte' | 'in' | 'not_in' | 'contains' | 'starts_with' | 'ends_with'
  readonly value: Value | readonly Value[]
  readonly connector: 'AND' | 'OR'
}

/** Rows of one table. */
export interface RowsWanted {
  readonly table: string
  readonly where: readonly RowCondition[]
  readonly limit?: number | undefined
  readonly offset?: number | undefined
  readonly sortBy?: { readonly field: string; readonly direction: 'asc' | 'desc' } | undefined
}

/** A change of rows, or of the counts of failed attempts to sign in. `isOne`: at most one row. */
export type UserRowsAsk =
  | { readonly do: 'failures'; readonly changed: readonly SignInFailures[] }
  | { readonly do: 'insert'; readonly table: string; readonly row: UserRow }
  | ({ readonly do: 'delete'; readonly isOne: boolean } & Pick<RowsWanted, 'table' | 'where'>)
  | ({
      readonly do: 'update'
      readonly isOne: boolean
      readonly set: UserRow
      /** Numbers to add to columns. */
      readonly add?: Readonly<Record<string, number>> | undefined
    } & Pick<RowsWanted, 'table' | 'where'>)

/** The rows that were inserted or updated, as they are now, or deleted, as they were. */
export type UserRowsAnswer = readonly UserRow[]

/** Rows as they are. */
export async function userRows(db: Kysely<StateTables>, wanted: RowsWanted): Promise<UserRow[]> {
  const { rows } = await sql<UserRow>`SELECT * FROM ${tableOf(wanted.table)} ${rest(wanted)}`.execute(db)
  return rows
}

export async function countUserRows(db: Kysely<StateTables>, { table, where }: RowsWanted): Promise<number> {
  const { rows } = await sql<{ n: number }>`SELECT count(*) AS n FROM ${tableOf(table)} ${rest({ table, where })}`.execute(db)
  return rows[0]?.n ?? 0
}

/** Makes a change, in one statement or transaction. */
export async function changeUserRows(db: Kysely<StateTables>, ask: UserRowsAsk): Promise<UserRowsAnswer> {
  if (ask.do === 'failures') {
    await saveSignInFailures(db, ask.changed, Date.now())
    return []
  }
  const table = tableOf(ask.table)
  if (ask.do === 'insert') {
    const columns = sql.join(Object.keys(ask.row).map((column) => sql.ref(column)))
    const values = sql.join(Object.values(ask.row))
    return (await sql<UserRow>`INSERT INTO ${table} (${columns}) VALUES (${values}) RETURNING *`.execute(db)).rows
  }
  const limit = ask.isOne ? { limit: 1 } : {}
  const ids = sql`id IN (SELECT id FROM ${table} ${rest({ table: ask.table, where: ask.where, ...limit })})`
  if (ask.do === 'delete') return (await sql<UserRow>`DELETE FROM ${table} WHERE ${ids} RETURNING *`.execute(db)).rows
  const added = Object.entries(ask.add ?? {}).map(
    ([column, n]) => sql`${sql.ref(column)} = coalesce(${sql.ref(column)}, 0) + ${n}`,
  )
  const set = Object.entries(ask.set).map(([column, value]) => sql`${sql.ref(column)} = ${value}`)
  if (added.length + set.length === 0) return userRows(db, { ...ask, ...limit })
  return (await sql<UserRow>`UPDATE ${table} SET ${sql.join([...set, ...added])} WHERE ${ids} RETURNING *`.execute(db)).rows
}

function tableOf(name: string): Expression<unknown> {
  if (!(USER_TABLES as readonly string[]).includes(name)) throw new TypeError(`'${name}' is not a table of accounts`)
  return sql.table(name)
}

function rest({ where, limit, offset, sortBy }: RowsWanted): Expression<unknown> {
  const parts = [conditions(where)]
  if (sortBy)
    parts.push(
      sql`ORDER BY ${sql.ref(sortBy.field)} ${sql.raw(sortBy.direction === 'desc' ? 'DESC NULLS LAST' : 'ASC NULLS FIRST')}`,
    )
  if (limit !== undefined) parts.push(sql`LIMIT ${limit} OFFSET ${offset ?? 0}`)
  return sql.join(parts, sql` `)
}

/** As in better-auth's own adapters: all conditions with AND must hold, and one of those with OR, if there are any. */
function conditions(where: readonly RowCondition[]): Expression<unknown> {
  const of = (connector: 'AND' | 'OR') => where.filter((one) => one.connector === connector).map(condition)
  const [all, any] = [of('AND'), of('OR')]
  if (any.length > 0) all.push(sql<SqlBool>`(${sql.join(any, sql` OR `)})`)
  return all.length === 0 ? sql`` : sql`WHERE ${sql.join(all, sql` AND `)}`
}

const COMPARED = { eq: '=', ne: '<>', lt: '<', lte: '<=', gt: '>', gte: '>=' } as const

function condition({ field, operator, value }: RowCondition): Expression<SqlBool> {
  const column = sql.ref(field)
  switch (operator) {
    case 'in':
    case 'not_in': {
      const list = Array.isArray(value) ? (value as readonly Value[]) : [value as Value]
      const isIn = list.length === 0 ? sql<SqlBool>`1 = 0` : sql<SqlBool>`${column} IN (${sql.join(list)})`
      return operator === 'in' ? isIn : sql<SqlBool>`NOT (${isIn})`
    }
    case 'contains':
      return value === '' ? sql<SqlBool>`${column} IS NOT NULL` : sql<SqlBool>`replace(${column}, ${value}, '') <> ${column}`
    case 'starts_with':
      return sql<SqlBool>`substr(${column}, 1, length(${value})) = ${value}`
    case 'ends_with':
      return sql<SqlBool>`(length(${column}) >= length(${value}) AND substr(${column}, length(${column}) - length(${value}) + 1) = ${value})`
    default:
      if (value === null) return operator === 'ne' ? sql<SqlBool>`${column} IS NOT NULL` : sql<SqlBool>`${column} IS NULL`
      return sql<SqlBool>`${column} ${sql.raw(COMPARED[operator])} ${value}`
  }
}

import { createHash } from 'node:crypto'
import { type CustomAdapter, createAdapterFactory } from 'better-auth/adapters'
import type { StateDb } from '../../state/db.ts'
import {
  countUserRows,
  type RowCondition,
  type UserRow,
  type UserRowsAnswer,
  type UserRowsAsk,
  userRows,
} from '../../state/user-rows.ts'

export interface AdapterDeps {
  /** Reads the state. */
  readonly state: StateDb
  /** Changes the state, which only one thread writes. */
  readonly ask: (ask: UserRowsAsk) => Promise<UserRowsAnswer>
}

/**
 * better-auth's data in our state. It reads from this thread and has the pipeline write. The secrets of sessions are stored as their
 * SHA-256, so that a copy of the state opens none.
 */
export function userAdapter({ state, ask }: AdapterDeps) {
  const adapter: CustomAdapter = {
    create: async ({ model, data }) => {
      const secret = secretIn(model, data as UserRow)
      const [row] = await ask({ do: 'insert', table: model, row: hidden(model, data as UserRow) })
      return shown(row!, secret) as never
    },
    findOne: async ({ model, where }) => {
      const [row] = await userRows(state, { table: model, where: wanted(model, where), limit: 1 })
      return (row ? shown(row, secretOf(model, where)) : null) as never
    },
    findMany: async ({ model, where, limit, offset, sortBy }) =>
      (await userRows(state, { table: model, where: wanted(model, where), limit, offset, sortBy })) as never,
    count: ({ model, where }) => countUserRows(state, { table: model, where: wanted(model, where) }),
    update: async ({ model, where, update }) => {
      const set = hidden(model, update as UserRow)
      const [row] = await ask({ do: 'update', table: model, where: wanted(model, where), set, isOne: true })
      return (row ? shown(row, secretOf(model, where)) : null) as never
    },
    updateMany: async ({ model, where, update }) =>
      (await ask({ do: 'update', table: model, where: wanted(model, where), set: hidden(model, update), isOne: false })).length,
    delete: async ({ model, where }) => {
      await ask({ do: 'delete', table: model, where: wanted(model, where), isOne: false })
    },
    deleteMany: async ({ model, where }) =>
      (await ask({ do: 'delete', table: model, where: wanted(model, where), isOne: false })).length,
    consumeOne: async ({ model, where }) => {
      const [row] = await ask({ do: 'delete', table: model, where: wanted(model, where), isOne: true })
      return (row ?? null) as never
    },
    incrementOne: async ({ model, where, increment, set }) => {
      const change = { set: hidden(model, (set ?? {}) as UserRow), add: increment }
      const [row] = await ask({ do: 'update', table: model, where: wanted(model, where), ...change, isOne: true })
      return (row ?? null) as never
    },
  }
  return createAdapterFactory({
    config: {
      adapterId: 'caracal-state',
      supportsNumericIds: false,
      supportsJSON: false,
      supportsDates: false,
      supportsBooleans: false,
      supportsArrays: false,
    },
    adapter: () => adapter,
  })
}

type Where = Parameters<CustomAdapter['findOne']>[0]['where'] | undefined

const isSecret = (model: string, field: string) => model === 'user_sessions' && field === 'token'

function wanted(model: string, where: Where): RowCondition[] {
  return (where ?? []).map(({ field, operator = 'eq', value, connector = 'AND' }) => {
    const plain = plainOf(value)
    return { field, operator, connector, value: isSecret(model, field) ? hashed(plain) : plain }
  })
}

function plainOf(value: unknown): RowCondition['value'] {
  if (value instanceof Date) return value.toISOString()
  if (typeof value === 'boolean') return value ? 1 : 0
  return value as RowCondition['value']
}

function hashed(value: RowCondition['value']): RowCondition['value'] {
  if (Array.isArray(value)) return value.map((one: unknown) => (typeof one === 'string' ? hashOf(one) : null))
  return typeof value === 'string' ? hashOf(value) : (value as string | number | null)
}

/** The secret that a row to be stored contains. */
function secretIn(model: string, row: UserRow): string | undefined {
  const { token } = row as { token?: unknown }
  return isSecret(model, 'token') && typeof token === 'string' ? token : undefined
}

/** The secret that a row is looked up by. */
function secretOf(model: string, where: Where): string | undefined {
  const found = where?.find(({ field, operator = 'eq' }) => isSecret(model, field) && operator === 'eq')?.value
  return typeof found === 'string' ? found : undefined
}

function hidden(model: string, row: Readonly<Record<string, unknown>>): UserRow {
  const entries = Object.entries(row).map(([key, value]) => {
    const plain = plainOf(value) as string | number | null
    return [key, isSecret(model, key) && typeof plain === 'string' ? hashOf(plain) : plain]
  })
  return Object.fromEntries(entries) as UserRow
}

/** The caller knows the secret, and gets the row with it: the library sets cookies from what it gets. */
function shown(row: UserRow, secret: string | undefined): UserRow {
  return secret === undefined ? row : { ...row, token: secret }
}

function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}
